"""What must hold of a carrier's machine in whatever order things come."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    CarrierWire,
    DigitIn,
    Flow,
    Ignored,
    MarkFlushed,
    MarkReached,
    Reply,
    Started,
    StartInfo,
    Stopped,
)
from bridge.wire.carriers.fields import ID_CHARS, NAME_CHARS, PARAMETERS, VALUE_CHARS
from tests.fakes.mutator import Fields, Mutator

Step = str | bytes | int
"""What the carrier does: a text, a binary message, or the close of its socket with this code."""

_ONLY_LIVE = (AudioIn, AudioMissing, MarkReached, MarkFlushed, DigitIn, Flow)


class Watched:
    """A machine and a check of each event that it gives."""

    def __init__(self, wire: CarrierWire) -> None:
        self.wire = wire
        self.started = self.stopped = self.refused = False
        self.events: list[CarrierEvent] = []

    def take(self, step: Step, now_s: float) -> list[CarrierEvent]:
        """Let the carrier do something, and hold every event against the rules."""
        try:
            events = self._given(step, now_s)
        except RemoteWireError:
            assert not self.refused
            assert not self.stopped
            self.refused = True
            events = []
        for event in events:
            self._check(event)
        self.events += events
        if not self.started or self.stopped or self.refused:
            assert self.wire.mark("m") == self.wire.clear() == self.wire.hang_up() == ()
        return events

    def end(self) -> None:
        """Close the socket: by then the end has come exactly once."""
        self.take(1006, 1e6)
        assert self.stopped
        assert self.take(1000, 1e6) == []

    def _given(self, step: Step, now_s: float) -> list[CarrierEvent]:
        if isinstance(step, str):
            return self.wire.receive_text(step, now_s)
        if isinstance(step, bytes):
            return self.wire.receive_bytes(step, now_s)
        return self.wire.receive_close(step, "", ours=self.refused)

    def _check(self, event: CarrierEvent) -> None:
        if self.stopped:
            assert isinstance(event, Ignored)
            assert event.reason == "after the end"
        if self.refused:
            assert isinstance(event, (Ignored, Stopped))
        if isinstance(event, Started):
            assert not self.started
            self.started = True
        if isinstance(event, _ONLY_LIVE):
            assert self.started
        if isinstance(event, AudioIn):
            assert event.payload
        self.stopped = self.stopped or isinstance(event, Stopped)


def check_all_orders(
    make: Callable[[], CarrierWire], steps: Mapping[str, Step], longest: int
) -> int:
    """Try every sequence of up to so many steps; returns how many there were."""
    n_tried = 0
    for length in range(1, longest + 1):
        for names in product(steps, repeat=length):
            try_order(make(), [steps[name] for name in names])
            n_tried += 1
    return n_tried


def try_order(wire: CarrierWire, steps: Sequence[Step]) -> list[CarrierEvent]:
    """Let the carrier do this and then go away; the events of all that."""
    watched = Watched(wire)
    for number, step in enumerate(steps):
        watched.take(step, number * 0.02)
    watched.end()
    return watched.events


def try_mutants(
    make: Callable[[], CarrierWire], opening: Sequence[Step], messages: Sequence[Fields], seed: int
) -> None:
    """Send damaged copies of good messages, instead of the opening and after it."""
    mutator = Mutator(seed)
    for number in range(60):
        steps: list[Step] = list(opening[: number % (len(opening) + 1)])
        steps += [mutator.mutate(messages[(number + at) % len(messages)]) for at in range(4)]
        for event in try_order(make(), [*steps, bytes(320)]):
            if isinstance(event, Started):
                check_bounded(event.info)


def check_bounded(info: StartInfo) -> None:
    """What a carrier says of a call is foreign: it must not be long."""
    ids = (info.call_id, info.stream_id, info.account_id, info.from_number, info.to_number)
    assert max(map(len, ids)) <= ID_CHARS
    assert len(info.parameters) <= PARAMETERS
    assert all(len(name) <= NAME_CHARS for name in info.parameters)
    assert all(len(value) <= VALUE_CHARS for value in info.parameters.values())


def names_of(events: Sequence[CarrierEvent]) -> list[str]:
    """What kinds of events these are."""
    return [type(event).__name__ for event in events]


def reply_texts(events: Sequence[CarrierEvent]) -> list[object]:
    """What the machine wants answered."""
    return [event.message for event in events if isinstance(event, Reply)]
