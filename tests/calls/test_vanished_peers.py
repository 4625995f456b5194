"""A peer that is gone without a word, on real sockets: found by the ping, and nothing of its call is left (R17).

The timers are shortened to a hundredth; those that ship are held to the promise in tests/bridge/gateway.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
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
from bridge.legs.media_socket import CLIENT_LIMITS, SERVER_LIMITS
from bridge.legs.picows_socket import connect
from bridge.testing.signing.twilio import HEADER, sign
from tests.fakes.call_world import OneBrain
from tests.fakes.hosted_ai import AI_BASE, HostedAi
from tests.fakes.raw_websocket import CLOSE, TEXT, RawWebSocket, frame, upgrade

PING_S = 0.2
FOUND_S = 2 * PING_S + 0.5
"""Two pings, and half a second of a busy machine."""
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
async def house(folder: Path, **seams: Any) -> AsyncIterator[House]:
    """The gateway; whoever it talks to is pinged five times a second."""
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
        limits = replace(SERVER_LIMITS, ping_s=PING_S)
        routes = [replace(route, limits=limits) for route in gateway.media_routes]
        door = FrontDoor(server.app, routes, HostPolicy(loopback_only=True))
        port = await door.start("127.0.0.1", 0)
        stack.push_async_callback(door.close, 1.0)
        yield House(gateway.desk, server, f"http://127.0.0.1:{port}")


async def put_through(url: str) -> RawWebSocket:
    """A call of Twilio's whose stream has started; from here on nobody reads or answers."""
    fields = {
        "CallSid": CALL_SID,
        "AccountSid": ACCOUNT,
        "CallStatus": "ringing",
        "To": "+15550100002",
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        asked = f"{url}/carriers/twilio/answer"
        headers = {
            HEADER: sign(TOKEN, asked, fields),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = await http.post(asked, content=urlencode(fields), headers=headers)
    found = re.search(r'url="([^"]+)"', answer.text)
    assert found is not None, answer.text
    stream = urlsplit(found[1])
    reader, writer = await asyncio.open_connection(stream.hostname, stream.port)
    writer.write(upgrade(stream.path, f"{HEADER}: {sign(TOKEN, found[1])}", host=stream.netloc))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    caller = RawWebSocket(reader, writer)
    start = {"accountSid": ACCOUNT, "callSid": CALL_SID, "streamSid": "MZ1"}
    message = {"event": "start", "streamSid": "MZ1", "start": start}
    caller.send(frame(TEXT, json.dumps(message).encode()))
    return caller


async def test_a_caller_who_is_gone_without_a_word_is_found_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        tasks = asyncio.all_tasks()
        caller = await put_through(here.url)
        async with asyncio.timeout(5):
            while not here.desk.n_live:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

        assert await here.over() <= FOUND_S
        assert here.record.end is not None
        assert here.record.end.reason == "connection_error"
        assert "was silent for 0.2 s after a ping" in here.record.end.detail
        await asyncio.sleep(0.5)
        assert {task for task in asyncio.all_tasks() - tasks if task.get_name() != "visit"} == set()
        await caller.leave()


async def deaf_ai(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shakes hands, says its first message, and is gone; the kernel still takes what is sent."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
    assert found is not None
    digest = hashlib.sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    writer.write(frame(TEXT, b'{"type": "call_started", "callId": "ai-1"}', masked=False))
    await reader.read()
    writer.close()


async def test_an_ai_that_is_gone_without_a_word_is_found_and_the_caller_hears_the_recording(
    tmp_path: Path,
) -> None:
    async with await asyncio.start_server(deaf_ai, "127.0.0.1", 0) as listener:
        await lose_the_ai(tmp_path, listener)


async def lose_the_ai(folder: Path, listener: asyncio.Server) -> None:
    port = listener.sockets[0].getsockname()[1]
    join = json.dumps({"callId": "ai-1", "joinUrl": f"ws://127.0.0.1:{port}/join/x"}).encode()
    app = HostedAi(answer=join).site.app
    assert app is not None
    transport = httpx.ASGITransport(app=app)
    seams = {
        "http": lambda url: httpx.AsyncClient(base_url=url, transport=transport),
        "connect": partial(connect, limits=replace(CLIENT_LIMITS, ping_s=PING_S)),
    }
    async with house(folder, **seams) as here:
        caller = await put_through(here.url)
        heard_s: list[float] = []
        listening = asyncio.create_task(listen(caller, heard_s), name="caller")
        talking = asyncio.create_task(speak(caller), name="voice")
        async with asyncio.timeout(5):
            while "joined" not in here.record.stages:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

        joined_s = asyncio.get_running_loop().time()
        await here.over()
        assert heard_s[0] - joined_s <= FOUND_S
        assert len(heard_s) in (10, 11)  # 200 ms, and what a resampler adds
        assert here.record.end is not None
        assert here.record.end.reason == "ai_failed"
        assert "was silent for 0.2 s after a ping" in here.record.end.detail
        assert here.record.fallback == "hung up"
        await listening
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        await caller.leave()


async def speak(caller: RawWebSocket) -> None:
    """The caller is there: any frame is an answer to a ping."""
    payload = base64.b64encode(bytes(160)).decode()
    media = {"event": "media", "streamSid": "MZ1", "media": {"payload": payload}}
    while True:
        caller.send(frame(TEXT, json.dumps(media).encode()))
        await asyncio.sleep(0.02)


async def listen(caller: RawWebSocket, heard_s: list[float]) -> None:
    """Note when audio comes, and give marks back, to the end of the socket."""
    while (received := await caller.receive())[0] not in (CLOSE, -1):
        message = json.loads(received[1]) if received[0] == TEXT else {"event": ""}
        if message["event"] == "media":
            heard_s.append(asyncio.get_running_loop().time())
        elif message["event"] == "mark":
            caller.send(frame(TEXT, received[1]))
