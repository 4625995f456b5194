"""The way to the application: HTTP and media sockets in virtual time, its delays and its breaks, bounded webhooks."""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from bridge.errors import JoinRefused
from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.testing.network import Site, VirtualNetwork
from bridge.testing.profiles import Path, Profile
from bridge.testing.shaped_socket import ShapedSocket
from bridge.testing.webhook import MAX_ANSWER_BYTES, Webhook, WebhookFailed, ask
from bridge.virtual import run_virtual
from tests.fakes.socket_log import SocketLog

BASE = "https://app.example"


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


class App:
    """Takes sockets, answers requests in odd ways."""

    def __init__(self) -> None:
        self.knocks: list[Knock] = []
        self.log = SocketLog()

    async def admit(self, knock: Knock) -> Admission:
        self.knocks.append(knock)
        if "no" in knock.target:
            raise UpgradeRefused(403, "Not you.")
        return Admission(self.take)

    def take(self, socket: MediaSocket) -> None:
        socket.start(self.log)

    @property
    def site(self) -> Site:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST"])
        async def answer(path: str, request: Request) -> Response:
            if path == "slow":
                await asyncio.sleep(60)
            if path == "endless":
                return Response(b"x" * (MAX_ANSWER_BYTES + 1))
            client = request.client.host if request.client else ""
            return Response(f"{path} {client}", media_type="Text/XML; charset=utf-8")

        return Site(app, [MediaRoute(re.compile(r"/media/\w+"), self.admit)])


@asynccontextmanager
async def network_to(app: App) -> AsyncIterator[VirtualNetwork]:
    network = VirtualNetwork({BASE: app.site, "tcp://app.example:9": Site(take=app.take)})
    try:
        yield network
    finally:
        await network.close()


def test_a_socket_comes_with_its_headers_target_and_address() -> None:
    async def test() -> None:
        app = App()
        async with network_to(app) as network:
            url = "wss://app.example/media/a?b=c"
            socket = await network.connect(url, {"X-Sign": "s"}, ("one", "two"))
            socket.send_text("hello")
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        [knock] = app.knocks
        assert (knock.target, knock.secure) == ("/media/a?b=c", True)
        assert knock.headers["x-sign"] == "s"
        assert knock.headers["host"] == "app.example"
        assert knock.subprotocols == ("one", "two")
        assert knock.source == "198.51.100.7"
        assert app.log.heard == ["hello"]

    play(test())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("wss://app.example/media/no", "403: Not you."),
        ("wss://app.example/elsewhere", "404"),
        ("wss://other.example/media/a", "nobody at https://other.example"),
        ("ws://app.example/media/a", "nobody at http://app.example"),
        ("tcp://app.example:10", "nobody"),
        ("tcp://other.example:9", "nobody"),
    ],
)
def test_who_is_not_there_or_refuses_is_said(url: str, words: str) -> None:
    async def test() -> None:
        async with network_to(App()) as network:
            with pytest.raises(JoinRefused, match=re.escape(words)):
                await network.connect(url, {})

    play(test())


def test_bare_connections_are_taken_too() -> None:
    async def test() -> None:
        app = App()
        async with network_to(app) as network:
            socket = await network.connect("tcp://app.example:9", {})
            socket.send_bytes(b"\x01")
            await asyncio.sleep(0.01)

        assert app.log.heard == [b"\x01"]

    play(test())


def test_a_webhook_is_answered_with_its_type_in_lower_case() -> None:
    async def test() -> None:
        async with network_to(App()) as network:
            answer = await ask(network, Webhook(BASE + "/a", "GET"), 15)

        assert (answer.status, answer.content_type) == (200, "text/xml")
        assert answer.body == b"a 198.51.100.7"

    play(test())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (BASE + "/slow", "did not answer within 15 s"),
        (BASE + "/endless", "larger than"),
        ("https://other.example/", "cannot be reached"),
        ("ftp://app.example/", "no http address"),
        ("/answer", "no http address"),
    ],
)
def test_a_webhook_that_fails_says_why(url: str, words: str) -> None:
    async def test() -> None:
        async with network_to(App()) as network:
            with pytest.raises(WebhookFailed, match=words):
                await ask(network, Webhook(url), 15)

    play(test())


# The network in front of a socket


async def shaped(profile: Profile) -> tuple[ShapedSocket, SocketLog, MediaSocket, SocketLog]:
    """The carrier's end behind a network, and the application's."""
    ours, theirs = memory_pair(asyncio.get_running_loop())
    socket = ShapedSocket(ours, Path(profile, "out"), Path(profile, "back"))
    carrier, application = SocketLog(), SocketLog()
    socket.start(carrier)
    theirs.start(application)
    await asyncio.sleep(0.001)
    return socket, carrier, theirs, application


def test_messages_take_their_time_both_ways_and_the_close_comes_behind_them() -> None:
    async def test() -> None:
        socket, carrier, theirs, application = await shaped(Profile(name="p", delay_ms=100))
        socket.send_text("a")
        socket.send_bytes(b"b")
        theirs.send_text("c")
        await asyncio.sleep(0.099)
        assert application.heard == carrier.heard == []
        assert socket.buffered_bytes == 2
        socket.close()
        await asyncio.sleep(0.01)
        assert application.heard == ["a", b"b"]
        assert carrier.heard == ["c"]
        assert application.closes == []
        await asyncio.sleep(0.2)
        assert application.closes == [(1000, "")]

    play(test())


def test_jitter_never_changes_the_order() -> None:
    async def test() -> None:
        profile = Profile(name="p", delay_ms=20, jitter_ms=50)
        socket, _, _, application = await shaped(profile)
        for n in range(200):
            socket.send_text(str(n))
            await asyncio.sleep(0.002)
        await asyncio.sleep(1)
        assert application.heard == [str(n) for n in range(200)]
        socket.close()
        await asyncio.sleep(1)

    play(test())


def test_a_connection_that_breaks_loses_what_is_on_the_way_and_says_1006_at_both_ends() -> None:
    async def test() -> None:
        socket, carrier, theirs, application = await shaped(Profile(name="p", delay_ms=100))
        socket.send_text("a")
        theirs.send_text("b")
        await asyncio.sleep(0.05)
        socket.break_off()
        socket.break_off()
        socket.send_text("late")
        await asyncio.sleep(1)
        assert application.heard == carrier.heard == []
        assert [code for code, _ in application.closes + carrier.closes] == [1006, 1006]

    play(test())
