import asyncio

import pytest

from bridge.errors import RemoteWireError
from bridge.legs.carrier.feed import CarrierFeed
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import AudioIn, CarrierEvent, DigitIn, Started, Stopped
from tests.fakes.plain_wire import PlainWire


class Fed:
    """A feed and what came out of it."""

    def __init__(self, wire: PlainWire | None = None) -> None:
        self.events: list[CarrierEvent] = []
        self.audio: list[bytes] = []
        self.refused: list[str] = []
        self.feed = CarrierFeed(wire or PlainWire(), self._take, self._refuse)
        self.feed.hear = lambda payload, now_s: self.audio.append(payload)

    def _take(self, event: CarrierEvent, now_s: float) -> None:
        self.events.append(event)

    def _refuse(self, exc: RemoteWireError) -> None:
        self.refused.append(str(exc))


def test_audio_goes_one_way_and_all_else_the_other_each_in_order() -> None:
    async def call() -> None:
        fed = Fed()
        fed.feed.on_text("start")
        fed.feed.on_bytes(b"one!")
        fed.feed.on_text("digit 5")
        fed.feed.on_bytes(b"two!")

        assert [type(event) for event in fed.events] == [Started, DigitIn]
        assert fed.audio == [b"one!", b"two!"]

    run_virtual(call())


def test_audio_before_anybody_listens_is_dropped() -> None:
    async def call() -> None:
        feed = CarrierFeed(PlainWire(), lambda event, now_s: None, lambda exc: None)
        feed.on_bytes(b"one!")

    run_virtual(call())


@pytest.mark.parametrize("binary", [True, False])
def test_a_breach_of_the_protocol_is_refused_whatever_it_came_in(binary: bool) -> None:
    class Broken(PlainWire):
        def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
            raise RemoteWireError("no such frame")

    async def call() -> None:
        fed = Fed(Broken())
        if binary:
            fed.feed.on_bytes(b"x")
        else:
            fed.feed.on_text("break no such frame")

        assert fed.refused == ["no such frame"]
        assert fed.events == []

    run_virtual(call())


@pytest.mark.parametrize(
    ("code", "ours", "closing", "cause"),
    [
        (1000, False, False, "stopped"),
        (1006, False, False, "lost"),
        (1000, True, True, "stopped"),
        (1013, True, False, "lost"),
    ],
)
def test_a_close_of_ours_that_nobody_asked_for_is_a_lost_carrier(
    code: int, ours: bool, closing: bool, cause: str
) -> None:
    async def call() -> None:
        fed = Fed()
        fed.feed.closing = closing
        fed.feed.on_close(code, "", ours=ours)

        assert fed.events == [Stopped(cause, f"closed with {code}")]  # type: ignore[arg-type]

    run_virtual(call())


def test_audio_that_was_held_until_the_close_is_heard() -> None:
    class Holding(PlainWire):
        def receive_close(self, code: int, reason: str, *, ours: bool) -> list[CarrierEvent]:
            return [AudioIn(b"last"), *super().receive_close(code, reason, ours=ours)]

    async def call() -> None:
        fed = Fed(Holding())
        fed.feed.on_close(1000, "")

        assert fed.audio == [b"last"]
        assert isinstance(fed.events[0], Stopped)

    run_virtual(call())


def test_it_knows_when_something_came_last() -> None:
    async def call() -> None:
        fed = Fed()
        await asyncio.sleep(1)
        fed.feed.on_bytes(b"one!")
        await asyncio.sleep(1)
        assert fed.feed.heard_s == 1
        fed.feed.on_text("junk x")

        assert fed.feed.heard_s == 2

    run_virtual(call())
