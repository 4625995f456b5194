"""The client's signalling connection: signs of life, and every way it can end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.webrtc.signal_link import LONGEST_SILENCE_S, SignalLink
from bridge.wire.livekit.client_session import ClientSession
from bridge.wire.livekit.events import ClientEvent, Joined, Left, PongReceived
from tests.fakes.livekit_frames import Fields, read_request, response

Virtual = Callable[[Coroutine[Any, Any, None]], None]


class Server:
    """The far end of the signalling socket: answers pings unless it is deaf."""

    def __init__(self) -> None:
        client, self.socket = memory_pair(asyncio.get_running_loop())
        self.requests: list[tuple[float, Fields]] = []
        self.closed: tuple[int, str] | None = None
        self.deaf = False
        self.events: list[ClientEvent] = []
        self.over: list[str] = []
        self.link = SignalLink(ClientSession("v1"), client, self.events.append, self.over.append)
        self.socket.start(self)

    def on_bytes(self, data: bytes) -> None:
        request = read_request(data)
        self.requests.append((asyncio.get_running_loop().time(), request))
        if "pingReq" in request and not self.deaf:
            stamp = request["pingReq"].get("timestamp", "0")
            self.socket.send_bytes(response(pongResp={"lastPingTimestamp": stamp}))

    def on_text(self, text: str) -> None:
        raise AssertionError(text)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def join(self, **fields: object) -> None:
        told = {"pingInterval": 5, "pingTimeout": 15, **fields}
        self.socket.send_bytes(response(join=told))

    @property
    def pings(self) -> list[float]:
        return [at for at, request in self.requests if "pingReq" in request]


async def over(server: Server, words: str, code: int) -> None:
    await asyncio.sleep(0.1)
    assert len(server.over) == 1
    assert words in server.over[0]
    assert server.closed is not None
    assert server.closed[0] == code
    n_requests = len(server.requests)
    await asyncio.sleep(60)
    assert len(server.over) == 1
    assert len(server.requests) == n_requests


def test_it_pings_as_often_as_the_server_wants_and_lives_on(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join()
        await asyncio.sleep(60)

        assert server.over == []
        assert 12 <= len(server.pings) <= 13
        assert isinstance(server.events[0], Joined)
        server.link.close()
        await asyncio.sleep(0.1)
        assert server.requests[-1][1] == {"leave": {"reason": "CLIENT_INITIATED"}}
        assert server.closed == (1000, "")
        assert server.over == []

    virtual(talk())


def test_it_pings_three_times_within_any_timeout(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join(pingInterval=2**31 - 1, pingTimeout=6)
        await asyncio.sleep(20)

        assert server.over == []
        assert len(server.pings) >= 10
        server.link.close()
        await asyncio.sleep(0.1)

    virtual(talk())


@pytest.mark.parametrize("stamp", [-(2**63), 2**63 - 1, 0])
def test_a_server_that_answers_pings_with_nonsense_is_pinged_on(
    virtual: Virtual, stamp: int
) -> None:
    async def talk() -> None:
        server = Server()
        server.join()
        await asyncio.sleep(1)
        server.socket.send_bytes(response(pongResp={"lastPingTimestamp": str(stamp)}))
        server.deaf = True
        await asyncio.sleep(10)

        assert len(server.pings) >= 3
        told = [request["pingReq"] for _, request in server.requests if "pingReq" in request]
        assert all(0 <= int(ping.get("rtt", "0")) <= LONGEST_SILENCE_S * 1000 for ping in told)
        server.link.close()
        await asyncio.sleep(0.1)

    virtual(talk())


def test_a_server_that_falls_silent_is_gone_after_its_own_timeout(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join()
        await asyncio.sleep(1)
        server.deaf = True
        await asyncio.sleep(13.9)
        assert server.over == []

        await asyncio.sleep(0.2)
        await over(server, "said nothing for 15 s", 1000)

    virtual(talk())


def test_a_server_that_never_says_anything_is_given_up(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        await asyncio.sleep(15)
        await over(server, "said nothing for 15 s", 1000)

    virtual(talk())


def test_a_server_that_wants_no_pings_may_be_silent(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join(pingInterval=0)
        await asyncio.sleep(600)

        assert (server.over, server.pings) == ([], [])
        server.link.close()
        await asyncio.sleep(0.1)

    virtual(talk())


def test_a_socket_that_closes_is_told_with_its_code_and_without_its_words(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join()
        await asyncio.sleep(1)
        server.socket.close(1011, "a token, perhaps")
        await over(server, "the signalling connection closed with code 1011", 1011)

    virtual(talk())


@pytest.mark.parametrize(
    ("frames", "code"), [([b"\xff"] * 10, 1008), ([b"\xff" * 600_000], 1009), (["text"] * 10, 1008)]
)
def test_a_server_that_sends_garbage_ends_its_connection(
    virtual: Virtual, frames: list[bytes | str], code: int
) -> None:
    async def talk() -> None:
        server = Server()
        for frame in frames:
            send(server.socket, frame)
        await over(server, "the room broke the protocol: ", code)

    virtual(talk())


def send(socket: MediaSocket, frame: bytes | str) -> None:
    if isinstance(frame, str):
        socket.send_text(frame)
    else:
        socket.send_bytes(frame)


def test_a_socket_that_closes_after_a_leave_is_no_news(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join()
        await asyncio.sleep(1)
        server.socket.send_bytes(response(leave={"reason": "ROOM_DELETED"}))
        await asyncio.sleep(30)
        assert server.events[-1] == Left("room_deleted", "disconnect")
        server.socket.close(1000)
        await asyncio.sleep(1)

        assert server.over == []
        assert len(server.pings) == 1

    virtual(talk())


def test_nothing_is_sent_and_nothing_told_after_the_end(virtual: Virtual) -> None:
    async def talk() -> None:
        server = Server()
        server.join()
        await asyncio.sleep(1)
        server.link.close()
        server.link.close()
        server.link.send(b"late")
        server.socket.send_bytes(response(refreshToken="t"))
        await asyncio.sleep(1)

        assert [type(event) for event in server.events] == [Joined, PongReceived]
        assert [request for _, request in server.requests if "leave" in request] == [
            {"leave": {"reason": "CLIENT_INITIATED"}}
        ]

    virtual(talk())
