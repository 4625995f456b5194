"""A caller's audio put in order by the numbers that the carrier gives its chunks.

Telnyx says that the order of its frames is not guaranteed; the others do not say, and are taken to keep it
(reference telephony sections 1 to 4). A chunk that is missing becomes silence of its length, one that comes again or
too late is dropped, and pieces that are longer or shorter than their timestamps say are told of, once.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from bridge.wire.carriers.base import AudioIn, AudioMissing, CarrierEvent, CarrierWarning, Ignored

MAX_MISSING_MS: Final = 2_000.0
"""At most so much silence stands for one gap: the caller's lane holds no more."""
WAIT_MS: Final = 100.0
"""No missing chunk is waited for longer than this, in audio that came after it."""
RESTART_CHUNKS: Final = 50
"""So many late chunks in a row and in order are no stragglers: the carrier counts anew."""
MISFITS: Final = 3

_UNKNOWN: Final = -1.0
_NOT_TOLD: Final = (1, 2, -1, -2)  # misfits in a row; with three they are told of, and stay so


class _Held(NamedTuple):
    timestamp_ms: int | None
    payload: bytes
    dropped: bool


class ChunkOrder:
    """Takes chunks as they come, gives events in order; nothing is delayed while the numbers follow each other.

    `ms_of` says how long a payload sounds. A missing chunk is given up when `patience` chunks after it have come,
    or WAIT_MS of audio: with 1, at once.
    """

    __slots__ = (
        "_end_ms",
        "_held",
        "_late_next",
        "_late_run",
        "_misfits",
        "_ms",
        "_ms_of",
        "_n_bytes",
        "_next",
        "_patience",
    )

    def __init__(self, ms_of: Callable[[bytes], float], patience: int = 1) -> None:
        self._ms_of = ms_of
        self._patience = patience
        self._next: int | None = None  # the number that comes next
        self._held: dict[int, _Held] = {}  # came too early; no more than `patience`
        self._end_ms = _UNKNOWN  # the timestamp at which the last payload ends
        self._ms = 0.0  # how long it sounds
        self._n_bytes = 0
        self._misfits = 0  # in a row: above 0 too short for their time, below too long
        self._late_run = 0
        self._late_next = 0

    def put(
        self, number: int | None, timestamp_ms: int | None, payload: bytes, *, dropped: bool = False
    ) -> list[CarrierEvent]:
        """Take a chunk; `dropped` is one that counts but is not to be heard.

        A chunk without a number is taken to be in order.
        """
        if number != self._next or self._held:
            return self._out_of_order(number, _Held(timestamp_ms, payload, dropped))
        if number is not None:
            self._next = number + 1
        if timestamp_ms == self._end_ms and len(payload) == self._n_bytes and not dropped:
            # As `_deliver` does, without another call: this is every frame of a usual call.
            self._end_ms += self._ms
            self._late_run = 0
            if self._misfits in _NOT_TOLD:
                self._misfits = 0
            return [AudioIn(payload)]
        return self._deliver(timestamp_ms, payload, dropped)

    def flush(self) -> list[CarrierEvent]:
        """The end: give what is held, and nothing is waited for any more."""
        return self._settle(patience=1)

    def _deliver(
        self, timestamp_ms: int | None, payload: bytes, dropped: bool
    ) -> list[CarrierEvent]:
        events: list[CarrierEvent] = [] if dropped else [AudioIn(payload)]
        if timestamp_ms == self._end_ms:
            if self._misfits in _NOT_TOLD:
                self._misfits = 0
        elif timestamp_ms is not None and self._is_misfit(timestamp_ms):
            events.append(CarrierWarning("pieces of audio are not as long as their timestamps say"))
        if len(payload) != self._n_bytes:
            self._n_bytes = len(payload)
            self._ms = self._ms_of(payload)
        self._end_ms = _UNKNOWN if timestamp_ms is None else timestamp_ms + self._ms
        self._late_run = 0
        return events

    def _is_misfit(self, timestamp_ms: int) -> bool:
        """Whether this is the third payload in a row that is too short, or too long, for its time."""
        if self._end_ms == _UNKNOWN or not self._ms or abs(self._misfits) == MISFITS:
            return False
        short_ms = timestamp_ms - self._end_ms
        if -self._ms / 3 <= short_ms <= self._ms / 2:
            self._misfits = 0
            return False
        sign = 1 if short_ms > 0 else -1
        self._misfits = self._misfits + sign if self._misfits * sign > 0 else sign
        return abs(self._misfits) == MISFITS

    def _out_of_order(self, number: int | None, chunk: _Held) -> list[CarrierEvent]:
        if number is None:
            return self._deliver(*chunk)
        if self._next is None:
            self._next = number + 1
            return self._deliver(*chunk)
        if number < self._next or number in self._held:
            return self._late(number, chunk)
        self._held[number] = chunk
        return self._settle(self._patience)

    def _late(self, number: int, chunk: _Held) -> list[CarrierEvent]:
        self._late_run = self._late_run + 1 if number == self._late_next else 1
        self._late_next = number + 1
        if self._late_run <= RESTART_CHUNKS:
            return [Ignored("late", "a chunk came again, or too late")]
        self._held.clear()
        self._next = number + 1
        return self._deliver(*chunk)

    def _settle(self, patience: int) -> list[CarrierEvent]:
        events: list[CarrierEvent] = []
        while self._held:
            first = min(self._held)
            if first != self._next:
                if len(self._held) < patience and self._held_ms() < WAIT_MS:
                    break
                events += self._missing(first)
            self._next = first + 1
            events += self._deliver(*self._held.pop(first))
        return events

    def _held_ms(self) -> float:
        return sum(self._ms_of(chunk.payload) for chunk in self._held.values())

    def _missing(self, first: int) -> list[CarrierEvent]:
        """Silence for the chunks before `first`: as long as the timestamps say, if they make sense."""
        chunk = self._held[first]
        by_count = (first - (self._next or 0)) * (self._ms or self._ms_of(chunk.payload))
        ms = by_count
        if self._end_ms != _UNKNOWN and chunk.timestamp_ms is not None:
            by_clock = chunk.timestamp_ms - self._end_ms
            ms = by_clock if by_count / 2 <= by_clock <= by_count * 2 else by_count
            self._end_ms = chunk.timestamp_ms  # a gap is no misfit
        return [AudioMissing(min(ms, MAX_MISSING_MS))] if ms > 0 else []
