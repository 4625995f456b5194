"""How an emulated call gets its media socket: at a known address, or by asking the answer URL as the carrier does."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree

import httpx

TRIES: Final = 60
AGAIN_S: Final = 0.5


class Placing(Protocol):
    """Sets a call up as far as its media socket."""

    async def stream(self, call_sid: str) -> tuple[str, Mapping[str, str]]:
        """Where the call's media socket is to be opened, and the headers of the upgrade."""
        ...


@dataclass(frozen=True)
class Direct(Placing):
    """Every call goes to the same address."""

    socket_url: str

    async def stream(self, call_sid: str) -> tuple[str, Mapping[str, str]]:  # noqa: ARG002
        """The one address."""
        return self.socket_url, {}


@dataclass(frozen=True)
class Answered(Placing):
    """Asks a Twilio answer URL, signed; the stream's URL in the TwiML is opened at the gateway's own address.

    Attributes:
        public_url: what the signatures are made for.
        port: of the gateway on this machine.
    """

    public_url: str
    port: int
    number: str
    auth_token: str

    async def stream(self, call_sid: str) -> tuple[str, Mapping[str, str]]:
        """Knock, and read the answer; call again a little later while the line is busy."""
        for _ in range(TRIES):
            stream = await self._answer(call_sid)
            if stream is not None:
                url = stream.attrib["url"]
                here = urlunsplit(("ws", f"127.0.0.1:{self.port}", urlsplit(url).path, "", ""))
                return here, self._headers(url) | {"Host": urlsplit(url).netloc}
            await asyncio.sleep(AGAIN_S)
        raise RuntimeError("the gateway was busy, or took no calls, for too long")

    async def _answer(self, call_sid: str) -> ElementTree.Element | None:
        """The stream that the answer asks for; None if the call is refused."""
        fields = {
            "CallSid": call_sid,
            "AccountSid": f"AC{0:032x}",
            "From": "+15550000001",
            "To": self.number,
            "Direction": "inbound",
            "CallStatus": "ringing",
        }
        path = "/carriers/twilio/answer"
        signed = self.public_url + path + "".join(key + fields[key] for key in sorted(fields))
        base_url = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(base_url=base_url, timeout=30) as http:
            headers = self._headers(signed) | {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await http.post(path, content=urlencode(fields), headers=headers)
        answer.raise_for_status()
        return ElementTree.fromstring(answer.text).find(".//Stream")

    def _headers(self, signed: str) -> dict[str, str]:
        mac = hmac.new(self.auth_token.encode(), signed.encode(), hashlib.sha1)
        return {"X-Twilio-Signature": base64.b64encode(mac.digest()).decode()}


def placing_from(target: Mapping[str, Any]) -> Placing:
    """Make the one whose fields these are."""
    return Direct(**target) if "socket_url" in target else Answered(**target)
