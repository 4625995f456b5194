"""Puts the packets of one audio stream in order, and says what to do where one is missing.

A packet that comes in order goes out at once: no delay is kept in store. Only behind a hole packets wait, until the
missing one comes or its time is over. Its time is over when it is later than nearly all packets of late: how late they
come, compared with the fastest of them, is measured all along, so patience grows to 200 ms and shrinks again. Time goes
on where nothing comes; whoever asks at `JitterBuffer.due_at` is told to conceal, and after a while to be silent. So
what goes out is always as long as the time that has passed, whatever was lost.

Sources: RFC 3550 (RTP), RFC 7587 (Opus: a clock of 48 kHz), reference webrtc 5. Time is an argument: seconds of any
monotonic clock. Lengths are samples of the stream's clock.
"""

from bisect import insort
from collections import deque
from typing import Final, NamedTuple

from bridge.audio.anchor import LEAP_S, Anchor
from bridge.audio.jitter_out import JitterFigures, Lost, Packet, Release, Silence
from bridge.audio.lagging import LAGGING_S, Lagging
from bridge.audio.lateness import Lateness
from bridge_codecs.opus_packet import CLOCK_HZ, packet_samples

CONCEALED_FRAMES: Final = 5
"""In a row; what is missing after them is silence."""
MAX_HELD: Final = 100
MAX_MISSING: Final = 3_000
"""A leap of the sequence over more than a minute is no loss: the sender counts anew."""

_WRAP: Final = 1 << 32
_GIVEN_UP: Final = 64
_LONGEST: Final = CLOCK_HZ
"""Silence is said in pieces of at most a second."""


class _Held(NamedTuple):
    timestamp: int
    sequence: int
    payload: bytes
    n_samples: int
    came_s: float


class JitterBuffer:
    """The packets of one RTP stream of Opus.

    After each `put`, and when `due_at` has come, ask `take` what goes out.
    """

    def __init__(self) -> None:
        self.figures = JitterFigures()
        self.depth_ms = 0.0
        """How long the last packet that went out had waited here, ms."""
        self._lateness = Lateness()
        self._held: list[_Held] = []
        self._next: int | None = None
        """The timestamp, without wraps, of what goes out next."""
        self._newest = 0
        self._last_sequence = -1
        self._counted_sequence = -1
        """The same, but that it outlasts a stream that is taken up anew."""
        self._frame = CLOCK_HZ // 50
        self._run = 0
        """Frames concealed in a row."""
        self._given_up: deque[int] = deque(maxlen=_GIVEN_UP)
        self._lagging = Lagging()
        self._anchor = Anchor()
        self._owed = 0
        self._anew = False

    @property
    def patience_ms(self) -> float:
        """How long after its time a packet is given up, ms."""
        return 1000 * self._lateness.patience_s

    @property
    def due_at(self) -> float | None:
        """When `take` has something to say though nothing comes; None before the first packet."""
        if self._next is None:
            return None
        return self._lateness.base_s + self._next / CLOCK_HZ + self._lateness.patience_s

    def put(self, sequence: int, timestamp: int, payload: bytes, now_s: float) -> None:
        """A packet came: 16 and 32 bits as they stand in RTP, and its payload; bad ones count as not come."""
        n_samples = packet_samples(payload)
        self.figures.received += 1
        if not n_samples:
            self.figures.bad += 1
            return
        if self._next is None or self._anew:
            self._begin(timestamp, now_s)
        timestamp = self._unwrapped(timestamp)
        transit_s = now_s - timestamp / CLOCK_HZ
        if self._anchor.is_leap(transit_s, self._lateness.base_s, now_s):
            if now_s - self._anchor.began_s < LAGGING_S:
                self.figures.early += 1
                return
            self._begin(timestamp, now_s)
        assert self._next is not None
        if timestamp < self._next and not self._is_behind_for_good(timestamp, now_s):
            return
        self._newest = max(self._newest, timestamp)
        self._lagging.clear()
        self._lateness.add(transit_s)
        self._hold(_Held(timestamp, sequence, payload, n_samples, now_s))

    def other_stream(self) -> None:
        """What comes next belongs to another stream, with a clock of its own; it goes on in one piece."""
        self._anew = True
        self._counted_sequence = -1

    def take(self, now_s: float) -> list[Release]:
        """What goes out by now, in order."""
        out: list[Release] = []
        if self._owed:
            self._quiet(out, self._owed)
            self._owed = 0
        held = self._held
        while self._next is not None:
            if held and held[0].timestamp <= self._next:
                self._release(out, held.pop(0), now_s)
            elif held and held[0].sequence == (self._last_sequence + 1) & 0xFFFF and self._run == 0:
                self._pass_over(out, held[0].timestamp - self._next)  # the sender was silent
            elif (due_s := self.due_at) is not None and (now_s >= due_s or len(held) >= MAX_HELD):
                self._fill(out, now_s - due_s)
            else:
                break
        return out

    def _begin(self, timestamp: int, now_s: float) -> None:
        """The stream begins here, or goes on here, in one piece with what went out."""
        if self._next is not None:
            self.figures.resets += 1
            went_s = self._lateness.base_s + self._next / CLOCK_HZ
            self._owed = max(0, min(round((now_s - went_s) * CLOCK_HZ), _LONGEST))
        self._held.clear()
        self._given_up.clear()
        self._lagging.clear()
        self._next = self._newest = timestamp
        self._last_sequence = -1
        self._anew = False
        transit_s = now_s - timestamp / CLOCK_HZ
        self._anchor.restart(transit_s, now_s)
        self._lateness.restart(transit_s)

    def _unwrapped(self, timestamp: int) -> int:
        ahead = (timestamp - self._newest) % _WRAP
        return self._newest + (ahead if ahead < _WRAP // 2 else ahead - _WRAP)

    def _is_behind_for_good(self, timestamp: int, now_s: float) -> bool:
        """A packet came whose time is over; true if it is taken all the same, because all are like it."""
        if timestamp in self._given_up:
            self._given_up.remove(timestamp)
            self.figures.late += 1
            self._lateness.add(now_s - timestamp / CLOCK_HZ)
        elif timestamp <= self._newest and timestamp > self._newest - LEAP_S * CLOCK_HZ:
            self.figures.repeated += 1
            return False
        else:
            self.figures.late += 1
        if not self._lagging.for_good(timestamp, now_s):
            return False
        self._begin(timestamp, now_s)
        return True

    def _hold(self, packet: _Held) -> None:
        held = self._held
        if not held or held[-1].timestamp < packet.timestamp:
            held.append(packet)
        elif any(other.timestamp == packet.timestamp for other in held):
            self.figures.repeated += 1
        else:
            insort(held, packet)

    def _release(self, out: list[Release], packet: _Held, now_s: float) -> None:
        assert self._next is not None
        if packet.timestamp < self._next:
            self.figures.late += 1  # in part: packets of other lengths came before it
            return
        self._count_missing(packet)
        out.append(Packet(packet.payload, packet.n_samples))
        self._next += packet.n_samples
        self._last_sequence = packet.sequence
        self._frame = packet.n_samples
        self._run = 0
        self.depth_ms = 1000 * (now_s - packet.came_s)
        self.figures.depth_max_ms = max(self.figures.depth_max_ms, self.depth_ms)

    def _count_missing(self, packet: _Held) -> None:
        if self._counted_sequence >= 0:
            n = (packet.sequence - self._counted_sequence - 1) & 0xFFFF
            if n <= MAX_MISSING:
                self.figures.missing += n
                self.figures.missing_samples += n * packet.n_samples
        self._counted_sequence = packet.sequence

    def _fill(self, out: list[Release], overdue_s: float) -> None:
        """The time of what comes next is over."""
        assert self._next is not None
        first = self._held[0] if self._held else None
        gap = first.timestamp - self._next if first else self._frame
        n_samples = min(gap, self._frame)
        if self._run < CONCEALED_FRAMES:
            self._given_up.append(self._next)
            self._run += 1
            self.figures.lost_samples += n_samples
            out.append(Lost(n_samples, first.payload if first and gap <= self._frame else None))
            self._next += n_samples
            return
        overdue = max(self._frame, int(overdue_s * CLOCK_HZ) // self._frame * self._frame)
        self._pass_over(out, min(gap, overdue) if first else overdue)

    def _pass_over(self, out: list[Release], n_samples: int) -> None:
        assert self._next is not None
        self._next += n_samples
        self._quiet(out, n_samples)

    def _quiet(self, out: list[Release], n_samples: int) -> None:
        self.figures.silent_samples += n_samples
        while n_samples > 0:
            out.append(Silence(min(n_samples, _LONGEST)))
            n_samples -= _LONGEST
