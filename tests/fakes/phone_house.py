"""The phone gateway on a port of its own, on real sockets, with a calling Twilio made of bytes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import numpy as np
import soundfile

from bridge.brains.echo import EchoBrain
from bridge.config import Config
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.gateway import phone_gateway
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.gateway.server import CallServer, call_server
from bridge.legs.media_socket import SERVER_LIMITS
from bridge.testing.signing.twilio import HEADER, sign
from tests.fakes.call_world import OneBrain
from tests.fakes.hosted_ai import AI_BASE
from tests.fakes.raw_websocket import TEXT, RawWebSocket, frame, upgrade

TOKEN, ACCOUNT, CALL_SID = "CANARY-TOKEN", "AC" + 32 * "1", "CA" + 32 * "1"


@dataclass
class House:
    """A gateway on a port."""

    desk: PhoneDesk
    server: CallServer
    url: str

    @property
    def record(self) -> PhoneCallRecord:
        [record] = self.desk.history.newest_first()
        return record

    async def over(self) -> float:
        """Wait until no call is left; how long that took, s."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.timeout(10):
            while self.desk.n_live or self.server.service.n_live:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return loop.time() - began_s


@asynccontextmanager
async def house(
    folder: Path, *, ping_s: float = SERVER_LIMITS.ping_s, **seams: Any
) -> AsyncIterator[House]:
    """The gateway for the time of the context; with `seams` of its own the AI side is elsewhere."""
    beep = folder / "beep.wav"
    soundfile.write(beep, np.full(1_600, 5_000, np.int16), 8_000)
    tables = {
        "carriers": {"twilio": {"auth_token": TOKEN}},
        "routes": [{"call": {"model": "ultravox-v0.7"}}],
        "phone": {"fallback": {"recording": str(beep)}},
        **({"ai": {"base_url": AI_BASE}} if seams else {}),
    }
    config = Config.model_validate(tables)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            call_server(OneBrain(EchoBrain(8_000)), recordings=None)
        )
        gateway = await stack.enter_async_context(phone_gateway(config, server, **seams))
        server.app.include_router(gateway.router)
        limits = replace(SERVER_LIMITS, ping_s=ping_s)
        routes = [replace(route, limits=limits) for route in gateway.media_routes]
        door = FrontDoor(server.app, routes, HostPolicy(loopback_only=True))
        port = await door.start("127.0.0.1", 0)
        stack.push_async_callback(door.close, 1.0)
        yield House(gateway.desk, server, f"http://127.0.0.1:{port}")


async def answered(url: str, **more: str) -> str:
    """Have a call of Twilio's answered; returns where the stream is to go."""
    fields = {
        "CallSid": CALL_SID,
        "AccountSid": ACCOUNT,
        "CallStatus": "ringing",
        "To": "+15550100002",
        **more,
    }
    asked = f"{url}/carriers/twilio/answer"
    headers = {
        HEADER: sign(TOKEN, asked, fields),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(asked, content=urlencode(fields), headers=headers)
    found = re.search(r'url="([^"]+)"', answer.text)
    assert found is not None, answer.text
    return found[1]


async def knocked(
    stream_url: str, *headers: str, frames: bytes = b""
) -> tuple[bytes, RawWebSocket]:
    """Ask for a media socket, with frames right behind; the head of the answer, and the connection."""
    stream = urlsplit(stream_url)
    reader, writer = await asyncio.open_connection(stream.hostname, stream.port)
    writer.write(upgrade(stream.path, *headers, host=stream.netloc) + frames)
    head = await reader.readuntil(b"\r\n\r\n")
    return head, RawWebSocket(reader, writer)


def signed(stream_url: str) -> str:
    """The header with Twilio's signature over this URL."""
    return f"{HEADER}: {sign(TOKEN, stream_url)}"


def start_frame(call_sid: str = CALL_SID) -> bytes:
    """What begins a stream."""
    start = {"accountSid": ACCOUNT, "callSid": call_sid, "streamSid": "MZ1"}
    return frame(TEXT, json.dumps({"event": "start", "streamSid": "MZ1", "start": start}).encode())


async def put_through(url: str) -> RawWebSocket:
    """A call of Twilio's whose stream has started; from here on nobody reads or answers."""
    stream_url = await answered(url)
    head, caller = await knocked(stream_url, signed(stream_url), frames=start_frame())
    assert head.startswith(b"HTTP/1.1 101 "), head
    return caller
