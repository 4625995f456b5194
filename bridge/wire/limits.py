"""What one peer may send: sizes, rates, and how much garbage before its call ends.

Pure counting with time as an argument (seconds of any monotonic clock). A clock that steps back
gives nothing and takes nothing.
"""

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Final

from bridge.wire.strict_json import MESSAGE, JsonLimits


class TokenBucket:
    """Allows `rate_per_s` on average and `burst` at once; full at the start."""

    __slots__ = ("_burst", "_filled_s", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._filled_s = -inf

    def take(self, n: float, now_s: float) -> bool:
        """Take n tokens if they are there; False takes none."""
        self._fill(now_s)
        if n > self._tokens:
            return False
        self._tokens -= n
        return True

    def take_both(self, n: float, other: "TokenBucket", n_other: float, now_s: float) -> bool:
        """Take n tokens and `n_other` of another bucket if both have them; False takes none.

        Frames that a busy network or machine has bunched together come this way too: they must not be dearer just then.
        """
        if (  # both, being full, gave as many last and are full again: every frame that comes at its time
            self._tokens == self._burst - n
            and (now_s - self._filled_s) * self._rate_per_s >= n
            and other._tokens == other._burst - n_other  # noqa: SLF001 - same class
            and (now_s - other._filled_s) * other._rate_per_s >= n_other  # noqa: SLF001
        ):
            self._filled_s = other._filled_s = now_s  # noqa: SLF001
            return True
        self._fill(now_s)
        other._fill(now_s)  # noqa: SLF001
        if n > self._tokens or n_other > other._tokens:  # noqa: SLF001
            return False
        self._tokens -= n
        other._tokens -= n_other  # noqa: SLF001
        return True

    def _fill(self, now_s: float) -> None:
        elapsed_s = now_s - self._filled_s
        if elapsed_s > 0:
            tokens = self._tokens + elapsed_s * self._rate_per_s
            self._tokens = tokens if tokens < self._burst else self._burst  # noqa: FURB136 - twice as fast
            self._filled_s = now_s


class Strikes:
    """Counts offences: too many are `limit` of them within `window_s`."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._times_s: deque[float] = deque(maxlen=limit)

    def strike(self, now_s: float) -> bool:
        """Note one offence; True when it is one too many."""
        self._times_s.append(now_s)
        return len(self._times_s) == self._limit and now_s - self._times_s[0] <= self._window_s


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one end of a serverWebSocket takes from the other; None is no limit."""

    frame_bytes: int
    frames_per_s: float | None = None
    frames_burst: float = 0.0
    real_time_factor: float | None = None  # seconds of audio per second
    audio_burst_s: float = 0.0  # seconds of audio at once, after a stall
    messages_per_s: float | None = None
    messages_burst: float = 0.0
    bad_messages: int = 100
    bad_window_s: float = 10.0
    json: JsonLimits = MESSAGE


# After a stalled network its audio comes at once: ten seconds of it pass, so that the lane behind,
# which drops the oldest, decides what is kept. A bucket can only drop the newest.
FROM_CLIENT: Final = SocketLimits(
    frame_bytes=64 * 1024,
    frames_per_s=500.0,
    frames_burst=1_000.0,
    real_time_factor=4.0,
    audio_burst_s=10.0,
    messages_per_s=100.0,
    messages_burst=200.0,
)
# A server may send as fast as its voice is made, up to clientBufferSizeMs ahead, in any frame size.
FROM_SERVER: Final = SocketLimits(frame_bytes=1024 * 1024)


class Meter:
    """The rates of one peer, whose audio has `rate_hz`."""

    def __init__(self, limits: SocketLimits, rate_hz: int) -> None:
        self._frames = _bucket(limits.frames_per_s, limits.frames_burst)
        self._messages = _bucket(limits.messages_per_s, limits.messages_burst)
        factor = limits.real_time_factor
        samples_per_s = None if factor is None else factor * rate_hz
        self._samples = _bucket(samples_per_s, limits.audio_burst_s * rate_hz)

    @property
    def limits_audio(self) -> bool:
        """Whether `frame` or `audio` may ever say no."""
        return self._frames is not None or self._samples is not None

    def frame(self, now_s: float) -> bool:
        """Whether one more binary frame may come."""
        return self._frames is None or self._frames.take(1, now_s)

    def audio(self, n_samples: int, now_s: float) -> bool:
        """Whether so many more samples may come."""
        return self._samples is None or self._samples.take(n_samples, now_s)

    def message(self, now_s: float) -> bool:
        """Whether one more text frame may come."""
        return self._messages is None or self._messages.take(1, now_s)


def _bucket(rate_per_s: float | None, burst: float) -> TokenBucket | None:
    return None if rate_per_s is None else TokenBucket(rate_per_s, burst)
