"""The caller's audio on its way to the agent: decoded, kept until somebody is there, never passed on late.

What the caller says before the AI call is joined is kept, 10 s at most, and goes out at once when it is: live time is
not shifted by it. After that audio goes through as it comes. Only when the network has held more than 2 s of it up and
then delivers all at once is it too old to be of use in a conversation (reliability section 5): then the call skips to
what is said now, and what was skipped is counted as lost. A carrier that sends nothing while the caller is silent
looks the same at first; so what comes is held for a moment, and if it comes at real tempo nothing is skipped.
"""

import asyncio
import math
from collections import deque
from typing import Final

from bridge.audio.lane import Lane
from bridge.legs.carrier.codec import decoder
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.onset import RecentAudio
from bridge.legs.recorder import Recorder
from bridge.wire.carriers.base import MediaFormat
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16, silence

KEPT_MAX_S: Final = 10.0
"""Of what the caller says before somebody is there; the newest give way."""
OLD_S: Final = 2.0
"""Audio that was held up for longer is too old."""
LOOK_S: Final = 0.04
"""How long what comes after a hold-up is looked at."""
JITTER_S: Final = 0.06
"""So much more than comes live may come within a look."""
TRIM_EVERY: Final = 128
"""So many payloads more than are kept may be there."""
LOOKS_MAX: Final = 75
"""A burst that goes on for longer than these looks is no burst (3 s)."""


class Intake:
    """One caller's audio.

    Args:
        audio: how it is encoded.
        figures: counts.
        recorder: records it, in the order in which the agent gets it.
    """

    def __init__(
        self, audio: MediaFormat, figures: CarrierFigures, recorder: Recorder | None = None
    ) -> None:
        self.recorder = recorder
        self.recent = RecentAudio(audio)
        self._decode = decoder(audio)
        self._figures = figures
        self._rate_hz = audio.rate_hz
        self._kept_max = int(KEPT_MAX_S * audio.rate_hz)
        self._loop = asyncio.get_running_loop()
        self._lane: Lane | None = None
        self._kept: deque[Int16] = deque()
        self._n_kept = 0
        self._on_time_s = math.inf
        """When the end of what came so far was due, had nothing ever been held up; before the first audio none is."""
        self._burst: _Burst | None = None

    def hear(self, payload: bytes, now_s: float) -> None:
        """A payload of the carrier's; one that cannot be decoded is ignored."""
        try:
            samples = self._decode(payload)
        except CodecError:
            self._figures.ignored["bad"] += 1
            return
        figures = self._figures
        figures.frames_in += 1
        self.recent.add(payload)
        if not figures.frames_in % TRIM_EVERY:
            self.recent.trim()
        if self._burst is not None or self._kept or self._lane is None or self.recorder is not None:
            self._take(samples, now_s)
            return
        # As in `_take` and `_pass`, without the way through them: this is every frame of a usual call.
        on_time_s = self._on_time_s + len(samples) / self._rate_hz
        self._on_time_s = on_time_s if on_time_s < now_s else now_s  # noqa: FURB136 - half of min()
        if now_s - on_time_s > OLD_S:
            self._hold(samples)
        else:
            self._lane.push(samples)

    def missing(self, ms: float, now_s: float) -> None:
        """Audio was lost before it came to us: silence stands for it."""
        self._figures.caller_audio_missing_ms += ms
        self._take(silence(round(min(ms, 1000 * KEPT_MAX_S) * self._rate_hz / 1000)), now_s)

    def open(self, lane: Lane) -> None:
        """Somebody is there: what was kept goes out at once, in the order in which it was said.

        In the loop's next round, so that the other leg, which begins in this one, is there to take it.
        """
        self._lane = lane
        self._loop.call_soon(self._release, lane)

    def shut(self) -> None:
        """Nobody is there any more: what comes is kept for the next one."""
        if self._burst is not None:
            self._live(self._burst)
        self._lane = None

    def stop(self) -> None:
        """The caller is gone."""
        if self._burst is not None:
            self._burst.timer.cancel()
            self._burst = None
        self._lane = None
        self._kept.clear()

    def _take(self, samples: Int16, now_s: float) -> None:
        burst = self._burst
        if burst is not None:
            self._lose(burst.add(samples))
            return
        on_time_s = self._on_time_s + len(samples) / self._rate_hz
        self._on_time_s = on_time_s if on_time_s < now_s else now_s  # noqa: FURB136 - half of min()
        if now_s - on_time_s > OLD_S:
            self._hold(samples)
        else:
            self._pass(samples)

    def _pass(self, samples: Int16) -> None:
        if self._lane is None or self._kept:
            self._keep(samples)
            return
        if self.recorder is not None:
            self.recorder.heard(samples)
        self._lane.push(samples)

    # Before somebody is there

    def _keep(self, samples: Int16) -> None:
        fits = samples[: self._kept_max - self._n_kept]
        self._lose(samples.size - fits.size)
        if fits.size:
            self._kept.append(fits)
            self._n_kept += fits.size

    def _release(self, lane: Lane) -> None:
        if self._lane is not lane:
            return  # it has gone already
        kept, self._kept = self._kept, deque()
        self._figures.preroll_ms += 1000 * self._n_kept / self._rate_hz
        self._n_kept = 0
        for samples in kept:
            self._pass(samples)

    # After a hold-up

    def _hold(self, samples: Int16) -> None:
        frame_s = samples.size / self._rate_hz
        look_s = max(LOOK_S, frame_s)
        timer = self._loop.call_later(look_s, self._look)
        n_max = round((look_s + max(JITTER_S, frame_s)) * self._rate_hz)
        self._burst = _Burst(samples, look_s, n_max, timer)

    def _look(self) -> None:
        burst = self._burst
        assert burst is not None
        if burst.is_over():
            self._live(burst)
        else:
            burst.timer = self._loop.call_later(burst.look_s, self._look)

    def _live(self, burst: "_Burst") -> None:
        """What comes now is what is said now."""
        burst.timer.cancel()
        self._burst = None
        self._on_time_s = self._loop.time()
        for samples in burst.newest:
            self._pass(samples)

    def _lose(self, n: int) -> None:
        self._figures.caller_audio_lost_ms += 1000 * n / self._rate_hz


class _Burst:
    """What came after a hold-up: the newest of it, as much as comes live between two looks."""

    __slots__ = ("_come", "_looks", "_max", "_n", "look_s", "newest", "timer")

    def __init__(self, first: Int16, look_s: float, n_max: int, timer: asyncio.TimerHandle) -> None:
        self.look_s = look_s
        self.timer = timer
        self.newest: deque[Int16] = deque((first,))
        self._n = self._come = first.size
        self._max = n_max
        self._looks = 0

    def add(self, samples: Int16) -> int:
        """The next; returns how many old samples had to go."""
        self.newest.append(samples)
        self._n += samples.size
        self._come += samples.size
        before = self._n
        while self._n > self._max and len(self.newest) > 1:
            self._n -= self.newest.popleft().size
        return before - self._n

    def is_over(self) -> bool:
        """Whether since the last look no more came than comes live, or it has gone on for too long."""
        come, self._come = self._come, 0
        self._looks += 1
        return come <= self._max or self._looks >= LOOKS_MAX
