"""Somebody who can sign as Twilio does, gets a call answered, and then does as it pleases on the media socket."""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import numpy as np

from bridge.gateway.media_route import Knock
from bridge.legs.media_socket import SERVER_LIMITS, MediaSocket, SocketReceiver
from bridge.legs.memory_socket import memory_pair
from bridge.testing.signing import twilio as signing
from bridge.wire.close_codes import NORMAL, TRY_LATER
from bridge_codecs.g711 import encode_ulaw
from tests.fakes.phone_world import BASE, TWILIO, PhoneWorld

CALLER, CALLED = "+15550100CANARY-9", "+15550100002"
ANSWER_URL = f"{BASE}/carriers/twilio/answer"
ULAW = encode_ulaw((6_000 * np.sin(2 * np.pi * 700 * np.arange(160) / 8_000)).astype(np.int16))
"""20 ms of a tone."""


@dataclass
class Rogue:
    """One call of its own."""

    world: PhoneWorld
    call_sid: str = "CA" + 32 * "f"
    stream_sid: str = "MZ" + 32 * "f"
    messages: list[dict[str, Any]] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    n_media: int = 0

    # Webhooks

    def signed(self, url: str = ANSWER_URL, **fields: str) -> tuple[bytes, Mapping[str, str]]:
        """Body and headers of a webhook as Twilio would send it."""
        told = {
            "AccountSid": TWILIO.account_id,
            "CallSid": self.call_sid,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": CALLER,
            "To": CALLED,
            **fields,
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            signing.HEADER: signing.sign(TWILIO.token, url, told),
        }
        return urlencode(told).encode(), headers

    async def ask(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return await self.world.http().post(ANSWER_URL, content=body, headers=dict(headers))

    async def answered(self, **fields: str) -> str:
        """Have the call answered; returns where the stream is to go."""
        answer = await self.ask(*self.signed(**fields))
        found = re.search(r'<Stream url="([^"]+)"', answer.text)
        assert found is not None, answer.text
        return found[1]

    # The media socket

    async def open(self) -> None:
        """Answered, and a socket that is right in all respects."""
        await self.connect(await self.answered())

    async def connect(self, url: str) -> None:
        headers = {signing.HEADER: signing.sign(TWILIO.token, url)}
        self.socket = await self.world.network.connect(url, headers)
        self.socket.start(self)

    async def connect_deaf(self, url: str) -> None:
        """A socket of which nothing is ever read."""
        parts = urlsplit(url)
        [route] = self.world.gateway.media_routes
        sent = {
            "host": parts.netloc,
            "upgrade": "websocket",
            signing.HEADER.lower(): signing.sign(TWILIO.token, url),
        }
        admission = await route.admit(Knock(parts.path, sent, "198.51.100.9", secure=True))
        self.socket, theirs = memory_pair(asyncio.get_running_loop())
        admission.take(Unread(theirs))
        self.socket.start(self)

    def on_text(self, text: str) -> None:
        self.messages.append(json.loads(text))

    def on_bytes(self, data: bytes) -> None:
        """Audio, for a carrier that takes it so."""

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def send(self, **message: object) -> None:
        self.socket.send_text(json.dumps(message))

    def start(self, call_sid: str | None = None, rate_hz: int = 8_000) -> None:
        self.send(event="connected", protocol="Call", version="1.0.0")
        start = {
            "accountSid": TWILIO.account_id,
            "streamSid": self.stream_sid,
            "callSid": call_sid or self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": rate_hz, "channels": 1},
            "customParameters": {},
        }
        self.send(event="start", sequenceNumber="1", streamSid=self.stream_sid, start=start)

    def media(
        self,
        payload: bytes = ULAW,
        *,
        text: str | None = None,
        chunk: int | None = None,
        stream_sid: str | None = None,
    ) -> None:
        self.n_media += 1
        number = self.n_media if chunk is None else chunk
        media = {
            "track": "inbound",
            "chunk": str(number),
            "timestamp": str(20 * (number - 1)),
            "payload": base64.b64encode(payload).decode() if text is None else text,
        }
        self.send(
            event="media",
            sequenceNumber=str(self.n_media + 1),
            streamSid=stream_sid or self.stream_sid,
            media=media,
        )

    async def talk(self, seconds: float) -> None:
        """At real tempo, until the socket is closed."""
        for _ in range(round(seconds / 0.02)):
            if self.closed is not None:
                return
            self.media()
            await asyncio.sleep(0.02)

    def key(self, digit: str) -> None:
        self.send(event="dtmf", streamSid=self.stream_sid, dtmf={"digit": digit})

    def mark(self, name: str) -> None:
        self.send(event="mark", streamSid=self.stream_sid, mark={"name": name})

    def stop(self) -> None:
        stop = {"accountSid": TWILIO.account_id, "callSid": self.call_sid}
        self.send(event="stop", streamSid=self.stream_sid, stop=stop)
        self.socket.close()


class Unread:
    """A server's end of a socket whose peer reads nothing: what is sent stays, to the limits of a real socket."""

    def __init__(self, inner: MediaSocket) -> None:
        self._inner = inner
        self._waiting = 0

    @property
    def buffered_bytes(self) -> int:
        return self._waiting

    @property
    def peer(self) -> str:
        return self._inner.peer

    def start(self, receiver: SocketReceiver) -> None:
        self._inner.start(receiver)

    def send_text(self, text: str) -> None:
        self._wait(len(text))

    def send_bytes(self, data: bytes) -> None:
        self._wait(len(data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        self._inner.close(code, reason)

    def _wait(self, size: int) -> None:
        if not self._waiting:
            give_up = partial(self.close, TRY_LATER, "the peer takes nothing")
            asyncio.get_running_loop().call_later(SERVER_LIMITS.stall_s, give_up)
        self._waiting += size
        if self._waiting > SERVER_LIMITS.max_buffered_bytes:
            self.close(TRY_LATER, "the peer takes too little")
