"""What it means that a client is gone from here and from there, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.legs.base import Ended, LegEvent, Warned
from bridge.legs.webrtc.absence import GRACE_S
from bridge.legs.webrtc.departure import LEAVING_S, Departure
from bridge.wire.agent_socket import Closed

Virtual = Callable[[Coroutine[Any, Any, None]], None]
BROKEN = Closed(1006, False, "the connection broke")
IN_ORDER = Closed(1000, True, "the call ended in order")
IN_ERROR = Closed(1011, False, "the far end failed inside")


class Client:
    """A client that was let in, and what became of its call."""

    def __init__(self, *, has_socket: bool = True, joined: bool = True) -> None:
        self.ends: list[Ended] = []
        self.told: list[LegEvent] = []
        self.departure = Departure(
            has_socket=has_socket, end=self.ends.append, tell=self.told.append
        )
        self.departure.begin()
        if joined:
            self.departure.there()
            self.departure.ready()

    @property
    def reasons(self) -> list[str]:
        return [end.reason for end in self.ends]

    @property
    def warned(self) -> list[str]:
        return [event.type for event in self.told if isinstance(event, Warned)]


@pytest.mark.parametrize("joined", [True, False])
def test_a_join_socket_closed_in_order_is_a_hang_up(virtual: Virtual, joined: bool) -> None:
    async def call() -> None:
        client = Client(joined=joined)
        client.departure.socket_closed(IN_ORDER, ours=False)
        assert client.reasons == ["hangup"]
        client.departure.stop()

    virtual(call())


@pytest.mark.parametrize(
    ("where", "closed", "ours", "ends"),
    [
        ("in its room", BROKEN, False, False),
        ("away", BROKEN, False, False),
        ("never there", BROKEN, False, True),  # nobody comes back to a room it was never in
        ("in its room", IN_ERROR, False, False),
        ("away", IN_ERROR, False, True),
        ("in its room", BROKEN, True, True),
        ("in its room", IN_ERROR, True, True),
    ],
)
def test_a_join_socket_that_goes_otherwise_ends_the_call_of_who_cannot_be_back(
    virtual: Virtual, where: str, closed: Closed, ours: bool, ends: bool
) -> None:
    async def call() -> None:
        client = Client(joined=where != "never there")
        if where == "away":
            client.departure.lost("x")
        client.departure.socket_closed(closed, ours=ours)
        assert client.ends == ([Ended("connection_error", closed.detail)] if ends else [])
        assert ("join_socket_lost" in client.warned) is not ends
        client.departure.stop()

    virtual(call())


def test_who_lost_both_has_as_long_as_who_lost_one(virtual: Virtual) -> None:
    async def call() -> None:
        client = Client()
        client.departure.lost("no sign of life")
        await asyncio.sleep(6)
        client.departure.socket_closed(BROKEN, ours=False)
        await asyncio.sleep(GRACE_S - 6 - 0.1)
        assert client.ends == []
        assert client.departure.away
        await asyncio.sleep(0.2)
        assert client.reasons == ["connection_error"]

    virtual(call())


@pytest.mark.parametrize("has_socket", [True, False])
def test_a_client_that_leaves_its_room_has_hung_up_when_nothing_else_holds_it(
    virtual: Virtual, has_socket: bool
) -> None:
    async def call() -> None:
        client = Client(has_socket=has_socket)
        client.departure.left("it left")
        assert client.reasons == ([] if has_socket else ["hangup"])
        if has_socket:
            client.departure.socket_closed(BROKEN, ours=False)
        assert client.reasons == ["hangup"]
        client.departure.stop()
        await asyncio.sleep(LEAVING_S + 1)
        assert client.warned == []

    virtual(call())


@pytest.mark.parametrize("back_s", [LEAVING_S - 0.1, LEAVING_S + 0.1])
def test_a_client_that_left_its_room_and_stays_on_the_line_is_told_of_and_may_be_back(
    virtual: Virtual, back_s: float
) -> None:
    async def call() -> None:
        client = Client()
        client.departure.left("it left")
        await asyncio.sleep(back_s)
        client.departure.there()
        await asyncio.sleep(GRACE_S + 1)
        assert client.ends == []
        assert client.warned == (["connection_lost"] if back_s > LEAVING_S else [])
        client.departure.socket_closed(BROKEN, ours=False)
        assert client.ends == []  # that it left is forgotten
        client.departure.stop()

    virtual(call())
