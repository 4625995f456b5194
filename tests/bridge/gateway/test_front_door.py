"""REST and media sockets on one port, and clients that do not behave."""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from bridge.errors import BridgeError, UsageError
from bridge.gateway.door import DoorLimits
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.proxies import TrustedProxies
from bridge.gateway.request_head import HeadLimits
from bridge.legs import picows_socket
from bridge.legs.picows_listener import PicowsSocket
from tests.fakes.front_door import client, exchange, front_door, until
from tests.fakes.raw_websocket import CLOSE, TEXT, RawWebSocket, frame, upgrade
from tests.fakes.socket_log import SocketLog

CERTIFICATE = Path(__file__).parents[2] / "data" / "localhost.pem"
QUICK = DoorLimits(request_s=0.1, idle_s=0.1, stall_s=0.1, admit_s=0.1, linger_s=0.1)
GET = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"


def status_of(response: bytes) -> int:
    return int(response.split(b" ")[1])


async def test_rest_and_media_share_the_port() -> None:
    async with front_door() as house:
        async with client(house) as http:
            assert (await http.get("/hello")).json() == {"hello": "world"}
            async with connect(f"ws://127.0.0.1:{house.port}/media/echo") as socket:
                await socket.send("text")
                await socket.send(b"bytes")
                assert [await socket.recv(), await socket.recv()] == ["text", b"bytes"]
                assert (await http.get("/hello")).status_code == 200
            assert (await http.get("/nothing")).status_code == 404

        await house.logs[0].closed.wait()
        assert house.logs[0].closes == [(1000, "")]


async def test_many_requests_use_one_connection_and_each_has_a_date() -> None:
    async with front_door() as house, client(house) as http:
        responses = [await http.post("/size", content=b"x" * n) for n in (0, 10, 300_000)]

        assert [response.json() for response in responses] == [0, 10, 300_000]
        assert all(response.headers["date"].endswith("GMT") for response in responses)
        assert house.door.n_connections == 1


async def test_a_head_that_comes_byte_by_byte_is_served() -> None:
    async with front_door() as house:
        response = await exchange(house.port, *[bytes([byte]) for byte in LAST])

    assert status_of(response) == 200
    assert b'{"hello":"world"}' in response


async def test_requests_that_come_at_once_are_answered_in_order() -> None:
    async with front_door() as house:
        response = await exchange(house.port, GET + POST % 3 + b"\r\nabc" + LAST)

    assert response.count(b"HTTP/1.1 200 OK") == 3
    assert response.index(b"3") < response.rindex(b"world")


async def test_a_kept_connection_may_turn_into_a_media_socket() -> None:
    async with front_door() as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(GET)
        assert b"200 OK" in await reader.readuntil(b"world")
        await reader.readexactly(len(b'"}'))
        writer.write(upgrade("/media/echo") + frame(TEXT, b"early"))
        assert b"101 " in await reader.readuntil(b"\r\n\r\n")
        raw = RawWebSocket(reader, writer)

        assert await raw.receive() == (TEXT, b"early")
        raw.send(frame(CLOSE))
        assert await raw.close_code() == 1000
        await raw.leave()


@pytest.mark.parametrize("status", [403, 404, 409, 410, 503])
async def test_a_refused_media_socket_gets_the_status_and_a_detail(status: int) -> None:
    async with front_door() as house:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{house.port}/media/{status}?token=1")

        assert caught.value.response.status_code == status
        assert json.loads(caught.value.response.body) == {"detail": f"Refused with {status}."}
        assert house.asked[0].target == f"/media/{status}?token=1"
        assert house.asked[0].headers["upgrade"] == "websocket"
        assert caught.value.response.headers.get("Retry-After") == ("7" if status == 503 else None)


async def test_who_knocks_is_told_with_what_it_says() -> None:
    async with front_door() as house:
        socket = await picows_socket.connect(
            f"ws://127.0.0.1:{house.port}/media/echo?a=b",
            headers={"X-Signature": "abc="},
            subprotocols=["audio.one", "two"],
        )
        [knock] = house.asked

        assert knock.target == "/media/echo?a=b"
        assert knock.headers["x-signature"] == "abc="
        assert knock.subprotocols == ("audio.one", "two")
        assert (knock.source, knock.secure) == ("127.0.0.1", False)
        assert isinstance(socket, PicowsSocket)
        assert socket.subprotocol == "audio.one"
        log = SocketLog()
        socket.start(log)
        socket.close()
        await log.closed.wait()


@pytest.mark.parametrize(
    ("word", "offered", "spoken"),
    [
        ("echo", [], None),
        ("invented", ["a"], None),
        ("echo", ["a"], "a"),
        ("echo", ["b", "a"], "b"),
    ],
)
async def test_a_subprotocol_is_spoken_only_if_it_was_offered(
    word: str, offered: list[str], spoken: str | None
) -> None:
    async with front_door() as house:
        url = f"ws://127.0.0.1:{house.port}/media/{word}"
        async with connect(url, subprotocols=[Subprotocol(each) for each in offered]) as socket:
            assert socket.subprotocol == spoken


async def test_our_own_client_repeats_the_detail() -> None:
    async with front_door() as house:
        with pytest.raises(BridgeError, match=r"joined this call already \(HTTP 409: Refused with"):
            await picows_socket.connect(f"ws://127.0.0.1:{house.port}/media/409")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ((b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"), 426),
        ((b"Sec-WebSocket-Version: 13\r\n", b""), 426),
        ((b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), 400),
        ((b"dGhlIHNhbXBsZSBub25jZQ==", b"no base64!"), 400),
        ((b"Upgrade: websocket", b"Upgrade: h2c"), 404),
        ((b"/media/echo", b"/media/echo/more"), 404),
        ((b"/media/echo", b"/media/%65cho"), 404),
    ],
)
async def test_an_upgrade_that_is_none_of_ours_is_refused_without_a_word_in_the_log(
    changes: tuple[bytes, bytes], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with front_door(limits=QUICK) as house:
        response = await exchange(house.port, upgrade("/media/echo").replace(*changes))

        assert status_of(response) == status
        assert house.asked == []
    assert caplog.messages == []


async def test_a_bug_in_the_decision_is_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with front_door() as house:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{house.port}/media/bug")

    assert caught.value.response.status_code == 500
    assert "KeyError" in caplog.text


async def test_a_bug_in_the_taker_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    async with front_door() as house:
        async with connect(f"ws://127.0.0.1:{house.port}/media/raise") as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        assert socket.close_code == 1011

    assert "KeyError" in caplog.text


async def test_a_decision_that_takes_too_long_is_503() -> None:
    async with front_door(limits=QUICK) as house:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{house.port}/media/slow")

    assert caught.value.response.status_code == 503


async def test_a_client_that_leaves_before_the_decision_is_still_reported_to_the_taker() -> None:
    async with front_door() as house:
        _reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(upgrade("/media/slow"))
        await house.asking.wait()
        writer.transport.abort()
        await asyncio.sleep(0.01)
        house.answer.set()
        await until(lambda: bool(house.logs))
        await house.logs[0].closed.wait()

        assert house.logs[0].closes[0][0] == 1006


# Slow clients


SLOW = {
    "a head without end": GET[:-2],
    "half a head": GET[:10],
    "a body without end": POST % 10 + b"\r\nabc",
    "a chunked body without end": (
        b"POST /size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    ),
    "half an upgrade": upgrade("/media/echo")[:-2],
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_request_that_does_not_end_is_answered_with_408_and_closed(name: str) -> None:
    async with front_door(limits=QUICK) as house:
        response = await exchange(house.port, SLOW[name])

        assert status_of(response) == 408
        assert json.loads(response.partition(b"\r\n\r\n")[2])["detail"]


async def test_the_deadline_is_not_moved_by_more_bytes() -> None:
    async with front_door(limits=QUICK) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)

        async def drip() -> None:
            writer.write(b"GET /hello HTTP/1.1\r\n")
            for _ in range(1_000):
                writer.write(b"X: y\r\n" if house.door.n_connections else b"")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip(), name="drip")
        started = time.monotonic()
        assert status_of(await reader.read()) == 408
        assert time.monotonic() - started < 5  # of the twenty seconds that the bytes would come
        dripping.cancel()
        writer.close()


async def test_a_second_request_has_the_same_deadline() -> None:
    async with front_door(limits=QUICK) as house:
        response = await exchange(house.port, GET, GET[:10])

        assert response.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 408 " in response


@pytest.mark.parametrize("sent", [b"", GET])
async def test_an_idle_connection_is_closed_without_a_word(sent: bytes) -> None:
    async with front_door(limits=QUICK) as house:
        response = await exchange(house.port, sent)

        assert response.count(b"HTTP/1.1 ") == (1 if sent else 0)


async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    async with front_door(limits=QUICK) as house:
        _reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=1)
        writer.write(GET.replace(b"hello", b"endless"))
        await house.answer.wait()

        assert house.disconnects == ["endless"]
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_client_that_leaves_ends_its_response() -> None:
    async with front_door() as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(GET.replace(b"hello", b"endless"))
        await reader.readexactly(100_000)
        writer.close()
        await house.answer.wait()

        assert house.disconnects == ["endless"]


async def test_slow_clients_do_not_hold_up_others() -> None:
    limits = replace(QUICK, request_s=1.0)
    async with front_door(limits=limits) as house:
        slow = [
            asyncio.create_task(exchange(house.port, GET[: number % 30 + 1]), name=f"slow {number}")
            for number in range(200)
        ]
        await until(lambda: house.door.n_connections == 200)
        async with client(house) as http:
            assert (await http.get("/hello")).status_code == 200

        assert {status_of(response) for response in await asyncio.gather(*slow)} == {408}


# Hostile heads


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\n", 400),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (b"GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (POST % 3 + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /" + b"a" * 8_180 + b" HTTP/1.1\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101, 431),
        (b"GET / HTTP/1.1\r\n" + (b"A: " + b"b" * 8_000 + b"\r\n") * 9, 431),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    ],
)
async def test_a_bad_head_is_refused_with_a_detail(data: bytes, status: int) -> None:
    async with front_door(limits=QUICK) as house:
        response = await exchange(house.port, data)

    assert status_of(response) == status
    assert json.loads(response.partition(b"\r\n\r\n")[2])["detail"]


def _chunked(n: int, size: int) -> bytes:
    head = b"POST /size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n" % (size, b"*" * size) * n + b"0\r\n\r\n" + LAST


@pytest.mark.parametrize(
    ("n", "size", "taken"),
    [
        (1_000, 1, True),
        (1_001, 1, False),
        (5_000, 64, True),
        (5_000, 63, False),
        (16, 65_536, True),
    ],
)
async def test_a_body_may_come_in_a_thousand_small_chunks_and_no_more(
    n: int, size: int, taken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with front_door() as house:
        response = await exchange(house.port, _chunked(n, size))

    assert status_of(response) == (200 if taken else 400)
    assert response.count(b"HTTP/1.1 ") == (2 if taken else 1)
    assert "Invalid HTTP" not in caplog.text


async def test_nonsense_behind_an_answer_closes_the_connection_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with front_door(limits=QUICK) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        head, _, _ = _chunked(1, 1).partition(b"\r\n\r\n")
        writer.write(head.replace(b"/size", b"/hello") + b"\r\n\r\n1\r\n*\r\n")
        assert b"405 " in await reader.readuntil(b"}")
        writer.write(b"no chunk at all\r\n")
        rest = await reader.read()
        writer.close()

    assert rest == b""
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (POST % 3 + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GET.replace(b"/hello", b"http://localhost/hello"), 400),
        (GET.replace(b"Host: localhost", b"Host: evil.example"), 403),
        (GET.replace(b"\r\n\r\n", b"\r\nOrigin: http://evil.example\r\n\r\n"), 403),
        (GET.replace(b"Host: localhost", b"Host: localhost\r\nHost: localhost"), 400),
    ],
)
@pytest.mark.parametrize("pipelined", [True, False])
async def test_a_later_request_is_judged_as_the_first(
    second: bytes, status: int, pipelined: bool
) -> None:
    async with front_door(HostPolicy(loopback_only=True), QUICK) as house:
        if pipelined:
            response = await exchange(house.port, GET + second)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
            writer.write(GET)
            first = await reader.readuntil(b'world"}')
            writer.write(second)
            response = first + await reader.read()
            writer.close()

    assert response.count(b"HTTP/1.1 ") == 2
    assert f"HTTP/1.1 {status} ".encode() in response


@pytest.mark.parametrize(
    ("host", "origin", "served"),
    [
        ("localhost:{port}", None, True),
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}", True),
        ("[::1]:{port}", None, True),
        ("evil.example", None, False),
        ("evil.example:{port}", "http://evil.example:{port}", False),
        ("localhost:{port}", "http://evil.example", False),
        ("localhost:{port}", "null", False),
    ],
)
async def test_the_policy_holds_for_rest_and_media_sockets(
    host: str, origin: str | None, served: bool
) -> None:
    async with front_door(HostPolicy(loopback_only=True), QUICK) as house:
        lines = [] if origin is None else [f"Origin: {origin.format(port=house.port)}"]
        host = host.format(port=house.port)
        socket = upgrade("/media/410", *lines, host=host)
        rest = "\r\n".join(["GET /hello HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()

        statuses = (
            status_of(await exchange(house.port, socket)),
            status_of(await exchange(house.port, rest)),
        )

        assert statuses == ((410, 200) if served else (403, 403))
        assert len(house.asked) == (1 if served else 0)


# How many


@pytest.mark.parametrize(
    ("bound", "status"),
    [
        (DoorLimits(max_connections=3), 503),
        (DoorLimits(max_per_source=3, count_loopback=True), 429),
    ],
)
async def test_one_connection_too_many_is_refused_and_room_is_made_again(
    bound: DoorLimits, status: int
) -> None:
    limits = replace(bound, linger_s=0.1)
    async with front_door(limits=limits) as house:
        held = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(2)]
        assert status_of(await exchange(house.port, LAST)) == 200
        held.append(await asyncio.open_connection("127.0.0.1", house.port))
        await until(lambda: house.door.n_connections == 3)

        assert status_of(await exchange(house.port)) == status

        held.pop()[1].close()
        await until(lambda: house.door.n_connections == 2)
        assert status_of(await exchange(house.port, LAST)) == 200
        for _reader, writer in held:
            writer.close()


async def test_of_many_that_are_too_many_a_few_are_told_why_and_the_rest_is_cut_off() -> None:
    async with front_door(limits=DoorLimits(max_connections=1, linger_s=0.3)) as house:
        _, held = await asyncio.open_connection("127.0.0.1", house.port)
        await until(lambda: house.door.n_connections == 1)
        asking = [asyncio.create_task(exchange(house.port), name=f"{n}") for n in range(100)]
        answers = await asyncio.gather(*asking)

        assert 30 <= sum(answer.startswith(b"HTTP/1.1 503 ") for answer in answers) <= 32
        assert sum(answer == b"" for answer in answers) >= 68
        held.close()
        await until(lambda: house.door.n_connections == 0)
        assert status_of(await exchange(house.port, LAST)) == 200


async def test_of_those_that_owe_a_request_the_one_that_has_owed_longest_is_cut_off() -> None:
    async with front_door(limits=DoorLimits(max_waiting=3)) as house:
        media = await connect(f"ws://127.0.0.1:{house.port}/media/echo")
        answered = asyncio.create_task(exchange(house.port, LAST.replace(b"/hello", b"/slow")))
        await house.asking.wait()
        held = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(3)]
        for _, writer in held:
            writer.write(GET[:10])
        await until(lambda: house.door.n_connections == 5)
        assert not any(reader.at_eof() for reader, _ in held)  # so many may be

        assert status_of(await exchange(house.port, LAST)) == 200
        with suppress(ConnectionError):
            assert await held[0][0].read() == b""
        house.answer.set()
        assert status_of(await answered) == 200
        await media.send("still there")
        assert await media.recv() == "still there"
        for reader, writer in held[1:]:
            writer.write(GET[10:])
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await media.close()
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", 429),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", 200),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", 200),
        ("::ffff:198.51.100.7", "198.51.100.7", 429),
    ],
)
async def test_a_network_of_ipv6_is_one_source_as_an_address_of_ipv4_is(
    one: str, other: str, status: int
) -> None:
    limits = DoorLimits(max_per_source=1, count_loopback=True, linger_s=0.1)
    async with front_door(limits=limits, proxies=PROXY) as house:
        of_one = f"X-Forwarded-For: {one}\r\n"
        asking = asyncio.create_task(
            exchange(house.port, _who(of_one).replace(b"/who", b"/slow")), name="asking"
        )
        await house.asking.wait()

        asked = _who(of_one.replace(one, other))
        assert status_of(await exchange(house.port, asked)) == status
        house.answer.set()
        await asking


async def test_media_sockets_do_not_count_for_their_source() -> None:
    limits = DoorLimits(max_per_source=2, count_loopback=True)
    async with front_door(limits=limits) as house:
        sockets = [await connect(f"ws://127.0.0.1:{house.port}/media/echo") for _ in range(4)]

        assert status_of(await exchange(house.port, LAST)) == 200
        for socket in sockets:
            await socket.close()


# Behind a proxy


PROXY = TrustedProxies(["127.0.0.1"])
FORWARDED = "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"


def _who(*lines: str) -> bytes:
    return "".join(
        ["GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", *lines, "\r\n"]
    ).encode()


@pytest.mark.parametrize(
    ("proxies", "who"),
    [(PROXY, ["198.51.100.7", "https"]), (TrustedProxies(["10.0.0.1"]), ["127.0.0.1", "http"])],
)
async def test_what_a_proxy_tells_counts_only_if_it_is_trusted(
    proxies: TrustedProxies, who: list[str]
) -> None:
    async with front_door(proxies=proxies) as house:
        response = await exchange(house.port, _who(FORWARDED))
        knock = upgrade("/media/410", *FORWARDED.split("\r\n")[:2])
        assert status_of(await exchange(house.port, knock)) == 410

        assert json.loads(response.partition(b"\r\n\r\n")[2]) == who
        assert (house.asked[0].source, house.asked[0].secure) == (who[0], who[1] == "https")


async def test_the_origin_behind_a_proxy_with_tls_is_the_same_origin() -> None:
    policy = HostPolicy(loopback_only=True)
    async with front_door(policy, proxies=PROXY) as house:
        lines = (FORWARDED, "Origin: https://localhost\r\n")

        assert status_of(await exchange(house.port, _who(*lines))) == 200
        assert status_of(await exchange(house.port, _who(lines[1]))) == 403


async def test_a_trusted_proxy_is_not_counted_but_each_of_its_clients_is() -> None:
    limits = DoorLimits(max_per_source=2, count_loopback=True, linger_s=0.1)
    async with front_door(limits=limits, proxies=PROXY) as house:
        idle = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(5)]
        asking = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(2)]
        for _, writer in asking:
            writer.write(
                GET.replace(b"/hello", b"/slow").replace(
                    b"\r\n\r\n", b"\r\n" + FORWARDED.encode() + b"\r\n"
                )
            )
        await house.asking.wait()
        await asyncio.sleep(0.01)
        other = FORWARDED.replace("198.51.100.7", "198.51.100.8")

        assert status_of(await exchange(house.port, _who(FORWARDED))) == 429
        assert status_of(await exchange(house.port, _who(other))) == 200
        house.answer.set()
        for reader, _ in asking:
            await reader.readuntil(b'"done"')
        assert status_of(await exchange(house.port, _who(FORWARDED))) == 200
        for _, writer in idle + asking:
            writer.close()


async def test_this_machine_does_not_count_as_a_source_by_default() -> None:
    async with front_door(limits=DoorLimits(max_per_source=1)) as house:
        held = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(3)]

        assert status_of(await exchange(house.port, LAST)) == 200
        for _reader, writer in held:
            writer.close()


# The end


async def test_closing_closes_media_sockets_with_1001_and_idle_connections() -> None:
    async with front_door() as house, client(house) as http:
        await http.get("/hello")
        socket = await connect(f"ws://127.0.0.1:{house.port}/media/echo")
        _reader, silent = await asyncio.open_connection("127.0.0.1", house.port)

        await house.door.close(grace_s=5)

        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1001
        assert house.logs[0].closes == [(1001, "the server is going away")]
        assert house.lifespan == ["started", "stopped"]
        assert house.door.n_connections == 0
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient(trust_env=False).get(house.url)
        silent.close()


async def test_closing_lets_a_running_request_finish() -> None:
    async with front_door() as house, client(house) as http:
        asking = asyncio.create_task(http.get("/slow"), name="ask")
        await house.asking.wait()
        closing = asyncio.create_task(house.door.close(grace_s=5), name="close")
        await asyncio.sleep(0.01)
        house.answer.set()

        assert (await asking).json() == "done"
        await closing


async def test_what_outlasts_the_grace_is_cut_off() -> None:
    async with front_door() as house, client(house) as http:
        asking = asyncio.create_task(http.get("/slow"), name="ask")
        raw = await RawWebSocket.open(f"ws://127.0.0.1:{house.port}/media/echo")
        await house.asking.wait()

        await house.door.close(grace_s=0.05)

        with pytest.raises(httpx.RemoteProtocolError):
            await asking
        await raw.leave()
        assert house.door.n_connections == 0


async def test_closing_gives_up_a_pending_decision() -> None:
    async with front_door() as house:
        asking = asyncio.create_task(exchange(house.port, upgrade("/media/slow")), name="ask")
        await house.asking.wait()
        await house.door.close(grace_s=5)

        assert await asking == b""
        assert house.sockets == []


async def test_closing_twice_or_before_the_start_does_nothing() -> None:
    await FrontDoor(None, [], HostPolicy()).close()  # type: ignore[arg-type] # never asked

    async with front_door() as house:
        await house.door.close()
        await house.door.close()


async def test_a_port_in_use_is_said_in_a_sentence() -> None:
    async with front_door() as house:
        second = FrontDoor(house.app(), [], HostPolicy())

        with pytest.raises(
            UsageError,
            match=f"^cannot listen on 127.0.0.1 port {house.port}: Address already in use$",
        ):
            await second.start("127.0.0.1", house.port)


async def test_tls_serves_https_and_wss() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    async with front_door(HostPolicy(loopback_only=True), ssl=context) as house:
        base = f"https://127.0.0.1:{house.port}"
        async with httpx.AsyncClient(verify=trust, trust_env=False, base_url=base) as http:
            assert (await http.get("/hello", headers={"Origin": base})).status_code == 200
            assert (await http.get("/hello", headers={"Host": "evil.example"})).status_code == 403
        socket = await picows_socket.connect(
            base.replace("https", "wss") + "/media/echo", ssl=trust
        )
        log = SocketLog()
        socket.start(log)
        socket.send_bytes(b"x" * 60_000)
        assert await log.wait_heard(1) == [b"x" * 60_000]
        await house.door.close()
        await log.closed.wait()
        assert log.closes == [(1001, "the server is going away")]


@pytest.mark.parametrize(
    "test",
    [
        test_rest_and_media_share_the_port,
        test_many_requests_use_one_connection_and_each_has_a_date,
        test_requests_that_come_at_once_are_answered_in_order,
        test_a_kept_connection_may_turn_into_a_media_socket,
        test_a_client_that_reads_nothing_is_cut_off,
        test_closing_closes_media_sockets_with_1001_and_idle_connections,
        test_what_outlasts_the_grace_is_cut_off,
        test_tls_serves_https_and_wss,
    ],
    ids=lambda test: test.__name__,
)
def test_the_same_holds_on_uvloop(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def test_the_limits_of_heads_can_be_set() -> None:
    limits = replace(QUICK, head=HeadLimits(max_headers=1))
    async with front_door(limits=limits) as house:
        assert status_of(await exchange(house.port, LAST)) == 431
