"""A bare TCP connection as a media socket, and a WebSocket that is cut, on real sockets."""

import asyncio

import pytest

from bridge.errors import JoinRefused
from bridge.legs.media_socket import MediaSocket
from bridge.legs.picows_socket import connect
from bridge.testing.shaped_socket import abort
from bridge.testing.tcp_socket import connect_tcp
from tests.fakes.front_door import front_door, until
from tests.fakes.socket_log import SocketLog


async def test_bytes_go_both_ways_and_the_close_is_orderly() -> None:
    got = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(4)).upper())
        assert await reader.read() == b""
        writer.close()
        got.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(5):
        socket = await connect_tcp(f"tcp://127.0.0.1:{port}")
        log = SocketLog()
        socket.start(log)
        socket.send_bytes(b"abcd")
        await until(lambda: b"".join(m for m in log.heard if isinstance(m, bytes)) == b"ABCD")
        assert socket.peer == f"127.0.0.1:{port}"
        socket.close()
        await got.wait()
        await log.closed.wait()

    assert log.closes == [(1000, "")]


@pytest.mark.parametrize("url", ["tcp://", "tcp://host", "tcp://[::1", "tcp://127.0.0.1:99999"])
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(JoinRefused, match="tcp://host:port"):
        await connect_tcp(url)


async def test_nobody_there_is_said() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    with pytest.raises(JoinRefused, match=f"127.0.0.1:{port} cannot be reached"):
        await connect_tcp(f"tcp://127.0.0.1:{port}")


async def test_a_websocket_can_be_cut_without_a_closing_handshake() -> None:
    async with front_door() as house:
        socket: MediaSocket = await connect(f"ws://127.0.0.1:{house.port}/media/a")
        log = SocketLog()
        socket.start(log)
        socket.send_text("a")
        async with asyncio.timeout(5):
            await until(lambda: bool(log.heard))
            abort(socket)
            await log.closed.wait()
            await house.logs[0].closed.wait()

        assert [code for code, _ in log.closes + house.logs[0].closes] == [1006, 1006]
