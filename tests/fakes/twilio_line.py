"""Twilio's part of a phone call towards a real service: signed webhook, signed upgrade, a caller who never stops.

As little as can be, and by hand, so that many of them cost little and everything that comes is kept with its instant.
"""

import asyncio
import base64
import itertools
import json
from typing import Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx

from bridge.legs.media_socket import MediaSocket
from bridge.legs.picows_socket import connect
from bridge.wire.signatures.twilio import sign_upgrade, sign_webhook

TOKEN: Final = "CANARY-twilio-token"
ACCOUNT: Final = "AC" + 32 * "1"
CONFIG: Final = f"""
[carriers.twilio]
auth_token = "{TOKEN}"

[[routes]]
call = {{ model = "tipring/echo" }}
"""
"""Of a service whose callers hear themselves."""
FRAME_S: Final = 0.02
_NUMBERS: Final = itertools.count(1)
_FRAME: Final = base64.b64encode(bytes(range(160))).decode()


class Rejected(Exception):  # noqa: N818 - reads as what happened
    """The service did not take the call: status of the answer, and its text."""

    def __init__(self, status: int, text: str, took_s: float) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text
        self.took_s = took_s


class TwilioLine:
    """One phone call with its media socket up."""

    _socket: MediaSocket
    _speaking: asyncio.Task[None]

    def __init__(self, call_sid: str) -> None:
        self.call_sid = call_sid
        self.heard: list[tuple[float, int]] = []
        """When audio came, and how many bytes of it."""
        self.sent = 0
        self.closed = asyncio.Event()
        self.close_code = 0
        self.clears = 0
        self._stream_sid = call_sid.replace("CA", "MZ")
        self._number = 0

    @classmethod
    async def call(cls, base_url: str, http: httpx.AsyncClient) -> "TwilioLine":
        """Call the service at this address, and speak as soon as it has answered.

        Raises: Rejected.
        """
        loop = asyncio.get_running_loop()
        self = cls(f"CA{next(_NUMBERS):032x}")
        started_s = loop.time()
        answer = await self._ask(base_url, http)
        stream = (
            ElementTree.fromstring(answer.text).find(".//Stream") if answer.is_success else None
        )
        if stream is None:
            raise Rejected(answer.status_code, answer.text, loop.time() - started_s)
        url = stream.attrib["url"]
        self._socket = await connect(url, headers=sign_upgrade(TOKEN, url))
        self._socket.start(self)
        self._say("connected", protocol="Call", version="1.0.0")
        start = {
            "accountSid": ACCOUNT,
            "streamSid": self._stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        self._say("start", start=start)
        self._speaking = loop.create_task(self._speak(), name=f"{self.call_sid} speaks")
        return self

    def hang_up(self) -> None:
        """The caller hangs up."""
        self._say("stop", stop={"accountSid": ACCOUNT, "callSid": self.call_sid})
        self._socket.close()

    async def over(self) -> int:
        """Wait for the end of the media socket; its close code."""
        await self.closed.wait()
        await self._speaking
        return self.close_code

    # What the service says

    def on_text(self, text: str) -> None:
        message = json.loads(text)
        match message["event"]:
            case "media":
                payload = base64.b64decode(message["media"]["payload"])
                self.heard.append((asyncio.get_running_loop().time(), len(payload)))
            case "mark":
                self._say("mark", mark={"name": message["mark"]["name"]})
            case "clear":
                self.clears += 1

    def on_bytes(self, data: bytes) -> None:
        raise AssertionError("Twilio takes no binary messages")

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.close_code = code
        self.closed.set()

    # Inside

    async def _ask(self, base_url: str, http: httpx.AsyncClient) -> httpx.Response:
        fields = {
            "CallSid": self.call_sid,
            "AccountSid": ACCOUNT,
            "From": "+15550000001",
            "To": "+15550000002",
            "Direction": "inbound",
            "CallStatus": "ringing",
        }
        url = f"{base_url}/carriers/twilio/answer"
        headers = sign_webhook(TOKEN, url, fields.items())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await http.post(url, content=urlencode(fields), headers=headers)

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        while not self.closed.is_set():
            self.sent += 1
            chunk = str(self.sent)
            at_ms = str(20 * (self.sent - 1))
            media = {"track": "inbound", "chunk": chunk, "timestamp": at_ms, "payload": _FRAME}
            self._say("media", media=media)
            await asyncio.sleep(max(0.0, started_s + self.sent * FRAME_S - loop.time()))

    def _say(self, event: str, **more: Any) -> None:
        self._number += 1
        message = {
            "event": event,
            "sequenceNumber": str(self._number),
            "streamSid": self._stream_sid,
            **more,
        }
        self._socket.send_text(json.dumps(message))
