"""Joining as a client: against the `websockets` package as the foreign server, and against worse."""

import asyncio
import http
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from websockets.asyncio.client import connect as foreign_connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from bridge.errors import JoinRefused, VirtualTimeError
from bridge.legs.media_socket import CLIENT_LIMITS, MediaSocket
from bridge.legs.picows_socket import connect
from bridge.virtual import run_virtual
from tests.fakes.picows_server import picows_server
from tests.fakes.socket_log import SocketLog

CERTIFICATE = Path(__file__).parents[2] / "data" / "localhost.pem"
SECRET = "/join/CANARY-token?key=CANARY-key"


async def _echo(peer: ServerConnection) -> None:
    try:
        async for message in peer:
            await peer.send(message)
    except ConnectionClosed:
        pass  # any code may come; the test looks at our side


@asynccontextmanager
async def foreign_server(
    handler: Callable[[ServerConnection], Awaitable[None]] = _echo,
    *,
    context: ssl.SSLContext | None = None,
    refuse: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AsyncIterator[str]:
    async with (
        asyncio.timeout(10),
        serve(handler, "127.0.0.1", 0, ssl=context, process_request=refuse) as server,
    ):
        port = server.sockets[0].getsockname()[1]
        yield f"{'wss' if context else 'ws'}://127.0.0.1:{port}{SECRET}"


@asynccontextmanager
async def tcp_server(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with asyncio.timeout(10):
        try:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}{SECRET}"
        finally:
            server.close()
            await server.wait_closed()


async def _close(socket: MediaSocket, log: SocketLog) -> tuple[int, str]:
    socket.close(1000, "done")
    await log.closed.wait()
    [close] = log.closes
    return close


async def test_a_foreign_server_echoes_text_and_bytes() -> None:
    async with foreign_server() as url:
        socket = await connect(url)
        log = SocketLog()
        socket.start(log)
        socket.send_text("héllo")
        socket.send_bytes(b"\0\1" * 100_000)

        assert await log.wait_heard(2) == ["héllo", b"\0\1" * 100_000]
        assert await _close(socket, log) == (1000, "done")


async def test_a_foreign_client_is_echoed_by_our_server() -> None:
    def echo(socket: MediaSocket) -> None:
        log = SocketLog(
            lambda message: (
                socket.send_text(message)
                if isinstance(message, str)
                else socket.send_bytes(message)
            )
        )
        socket.start(log)
        logs.append(log)

    logs: list[SocketLog] = []
    async with asyncio.timeout(10), picows_server(echo) as url:
        async with foreign_connect(url) as foreign:
            await foreign.send("text")
            await foreign.send([b"in ", b"fragments"])
            assert await foreign.recv() == "text"
            assert await foreign.recv() == b"in fragments"
            assert foreign.response is not None
            assert "Sec-WebSocket-Extensions" not in foreign.response.headers
            await foreign.close(4000, "enough")
        await logs[0].closed.wait()

    assert logs[0].closes == [(4000, "enough")]


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "b\r\nX-C: d"}, {"X-A\n": "b"}, {"": "b"}, {"X-A": "b\0"}, {"X A": "b"}],
)
async def test_a_header_that_would_make_another_line_is_not_sent(headers: dict[str, str]) -> None:
    with pytest.raises(JoinRefused, match="a header for the request is malformed"):
        await connect("ws://127.0.0.1:1/", headers=headers)


async def test_a_server_that_speaks_something_else_than_was_offered_is_left() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.findall("Sec-WebSocket-Key: (.+)\r\n", head)[0]
        asked.append(head)
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\nSec-WebSocket-Protocol: c\r\n\r\n".encode()
        )
        await reader.read()
        writer.close()

    asked: list[str] = []
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(JoinRefused, match=r"chose a subprotocol that was not offered$"):
            await connect(url, subprotocols=("a", "b"), limits=replace(CLIENT_LIMITS, close_s=0.1))

    assert "Sec-WebSocket-Protocol: a, b\r\n" in asked[0]


async def test_what_the_server_says_at_once_is_kept_until_start() -> None:
    async def greet(peer: ServerConnection) -> None:
        await peer.send("first")
        await peer.send(b"second")
        await peer.close(1001, "bye")

    async with foreign_server(greet) as url:
        socket = await connect(url)
        log = SocketLog()
        await asyncio.sleep(0)
        socket.start(log)
        await log.closed.wait()

    assert log.heard == ["first", b"second"]
    assert log.closes == [(1001, "bye")]


async def test_tls_is_used_for_wss() -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(CERTIFICATE)
    async with foreign_server(context=server_side) as url:
        socket = await connect(url, ssl=ssl.create_default_context(cafile=str(CERTIFICATE)))
        log = SocketLog()
        socket.start(log)
        socket.send_bytes(b"x" * 200_000)

        assert await log.wait_heard(1) == [b"x" * 200_000]
        assert await _close(socket, log) == (1000, "done")


async def test_the_servers_breach_of_the_protocol_closes_with_1002() -> None:
    async def breach(peer: ServerConnection) -> None:
        peer.transport.write(b"\xc1\x01a")
        await peer.wait_closed()

    async with foreign_server(breach) as url:
        socket = await connect(url, limits=replace(CLIENT_LIMITS, close_s=0.1))
        log = SocketLog()
        socket.start(log)
        await log.closed.wait()

    assert log.closes == [(1002, "a reserved bit is set")]


@pytest.mark.parametrize(("size", "fits"), [(2**20, True), (2**20 + 1, False)])
async def test_a_server_may_send_a_mebibyte_and_no_more(size: int, fits: bool) -> None:
    async def send(peer: ServerConnection) -> None:
        await peer.send(b"\0" * size)
        await peer.wait_closed()

    async with foreign_server(send) as url:
        socket = await connect(url)
        log = SocketLog()
        socket.start(log)
        if fits:
            assert [len(message) for message in await log.wait_heard(1)] == [size]
            await _close(socket, log)
        else:
            await log.closed.wait()
            assert log.heard == []
            assert log.closes[0][0] == 1009


async def _refusal(url: str, timeout_s: float = 5.0) -> str:
    with pytest.raises(JoinRefused) as caught:
        await connect(url, timeout_s=timeout_s)
    sentence = str(caught.value)
    assert "CANARY" not in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "credentials are missing or wrong"),
        (403, "do not allow this call"),
        (404, "knows no such call"),
        (409, "somebody else has joined"),
        (410, "this call is over"),
        (429, "asked too often"),
        (500, "opens no WebSocket"),
        (302, "opens no WebSocket"),
        (503, "takes no more calls now"),
    ],
)
async def test_an_http_status_is_said_in_words(status: int, says: str) -> None:
    def refuse(peer: ServerConnection, _request: Request) -> Response:
        return peer.respond(http.HTTPStatus(status), json.dumps({"detail": "No\nmore."}))

    async with foreign_server(refuse=refuse) as url:
        sentence = await _refusal(url)

    assert says in sentence
    assert f"(HTTP {status}" in sentence


async def test_what_the_server_says_itself_is_repeated_on_one_line() -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"detail": "Already\njoined."}).encode()
        writer.write(b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async with tcp_server(refuse) as url:
        assert (await _refusal(url)).endswith("(HTTP 409: Already joined.)")


async def test_a_server_that_repeats_the_url_in_its_words_does_not_tell_the_token() -> None:
    def refuse(peer: ServerConnection, request: Request) -> Response:
        words = f"nothing at {request.path}, key CANARY-key"
        return peer.respond(http.HTTPStatus.NOT_FOUND, json.dumps({"detail": words}))

    async with foreign_server(refuse=refuse) as url:
        assert (await _refusal(url)).endswith("nothing at /join/…?key=…, key …)")


ANSWERS = {
    "not http": b"220 mail ready\r\n\r\n",
    "an unknown status": b"HTTP/1.1 799 Odd\r\n\r\n",
    "no accept": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "endless": b"HTTP/1.1 101 Switching\r\nX: " + b"x" * 20_000,
    "zeros": b"\0" * 100 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_another_protocol_is_named_as_such(name: str) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWERS[name])
        await writer.drain()

    async with tcp_server(answer) as url:
        assert "is no WebSocket" in await _refusal(url)


async def test_a_server_that_closes_without_a_word_is_named_as_such() -> None:
    async def leave(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async with tcp_server(leave) as url:
        assert "closed the connection before it answered" in await _refusal(url)


async def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    left = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    async with tcp_server(wait) as url:
        assert "did not answer within 0.1 s" in await _refusal(url, timeout_s=0.1)
        await left.wait()


async def test_a_join_that_is_cancelled_leaves_no_connection() -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        left.set()

    async with tcp_server(wait) as url:
        joining = asyncio.create_task(connect(url), name="join")
        await asked.wait()
        joining.cancel()
        await left.wait()
        with pytest.raises(asyncio.CancelledError):
            await joining


async def test_a_port_where_nothing_listens_is_named_as_such() -> None:
    async with foreign_server() as url:
        pass

    assert "nothing listens there" in await _refusal(url)


async def test_a_name_that_does_not_exist_is_named_as_such() -> None:
    assert "the name is not known" in await _refusal(f"ws://no-such-host.invalid{SECRET}")
    assert "the name is not known" in await _refusal(f"ws://{'x' * 64}.invalid{SECRET}")


async def test_an_untrusted_certificate_is_named_as_such() -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(CERTIFICATE)
    async with foreign_server(context=server_side) as url:
        assert "certificate that is not trusted" in await _refusal(url)


async def test_tls_with_a_server_that_has_none_is_named_as_such() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "speaks no TLS" in await _refusal(f"wss://127.0.0.1:{port}{SECRET}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "join",
        "http://localhost/CANARY",
        "ws://",
        "ws:///CANARY",
        "ws://localhost:99999/CANARY",
        "ws://localhost:x/CANARY",
        "ws://[::1/CANARY",
        "ws://localhost/CANARY#part",
        "ws://localhost/CANARY blank",
    ],
)
async def test_what_is_no_websocket_url_is_refused(url: str) -> None:
    assert "the join URL" in await _refusal(url)


def test_in_virtual_time_no_real_socket_is_opened() -> None:
    with pytest.raises(VirtualTimeError):
        run_virtual(connect("ws://127.0.0.1:9/"))


@pytest.mark.parametrize(
    "test",
    [
        test_a_foreign_server_echoes_text_and_bytes,
        test_tls_is_used_for_wss,
        test_a_server_that_closes_without_a_word_is_named_as_such,
        test_a_server_that_never_answers_is_given_up_at_the_deadline,
        test_a_port_where_nothing_listens_is_named_as_such,
        test_a_name_that_does_not_exist_is_named_as_such,
        test_an_untrusted_certificate_is_named_as_such,
        test_tls_with_a_server_that_has_none_is_named_as_such,
    ],
    ids=lambda test: test.__name__,
)
def test_the_same_holds_on_uvloop(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
