"""A peer that is gone without a word, on real sockets: found by the ping, and nothing of its call is left (R17).

The callers' timers are shortened to a hundredth; those that ship are held to the promise in tests/bridge/gateway.
Those of the AI side are the ones that ship.
"""

import asyncio
import base64
import hashlib
import json
import re
from pathlib import Path

import httpx

from tests.fakes.hosted_ai import HostedAi
from tests.fakes.phone_house import house, put_through
from tests.fakes.raw_websocket import CLOSE, TEXT, RawWebSocket, frame

PING_S = 0.2
FOUND_S = 2 * PING_S + 0.5
"""Two pings, and half a second of a busy machine."""
DEAD_AIR_S = 5.0


async def test_a_caller_who_is_gone_without_a_word_is_found_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, ping_s=PING_S) as here:
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
        assert asyncio.all_tasks() - tasks == set()
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

    def http(url: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, transport=transport)

    async with house(folder, http=http) as here:
        caller = await put_through(here.url)
        heard_s: list[float] = []
        listening = asyncio.create_task(listen(caller, heard_s), name="caller")
        talking = asyncio.create_task(speak(caller), name="voice")
        async with asyncio.timeout(5):
            while "joined" not in here.record.stages:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

        joined_s = asyncio.get_running_loop().time()
        await here.over()
        assert here.record.end is not None
        assert here.record.end.reason == "ai_failed"
        assert heard_s[0] - joined_s <= DEAD_AIR_S
        assert len(heard_s) in (10, 11)  # 200 ms, and what a resampler adds
        assert "was silent for 3 s after a ping" in here.record.end.detail
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
