"""From a recording of the chirps to figures: round trip, drift, clipping, echo. Pure.

The recording is put beside the sound that was played by a matched filter. One delay that fits all chirps is looked for
first, then each chirp near it, to a fraction of a sample: the line through their arrivals gives the delay at the
beginning and, by its slope, how much faster one device's clock runs than the other's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.audio.level import peak_dbfs, rms_dbfs
from bridge.talk.doctor.chirps import (
    CHIRP_S,
    DELAY_MAX_S,
    FROM_HZ,
    PEAK_DBFS,
    QUIET_S,
    TO_HZ,
    ChirpTrain,
    Float64,
    chirp,
)
from bridge_codecs.pcm import FULL_SCALE, Int16

HEARD: Final = 0.25
"""A chirp is heard where the recording is this much like it (1: nothing else); speech and noise reach 0.2."""
BAND_HZ: Final = (FROM_HZ - 100, TO_HZ + 100)
"""Hum, and hiss above, hide no chirp."""
SPREAD_MS: Final = 5
"""How far drift may part the chirps from each other before it is known, to either side."""
ENOUGH: Final = 5
"""So many chirps at least are needed for a drift."""
NEAR_S: Final = 0.025
"""Arrivals are looked for this far around the common delay: 1,000 ppm over eight seconds, and a room's echoes."""
FIRST: Final = 0.5
"""The first peak of at least this part of the highest is the sound itself; a later one came from a wall."""
STRAY_S: Final = 0.000_5
"""A chirp that arrives this far off the line was moved: a device lost or repeated samples."""
RAIL: Final = FULL_SCALE - 40
FLAT_RUN: Final = 3
"""So many samples in a row at the very top are a clipped wave, not a peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the recording of one pair shows.

    Attributes:
        heard: Chirps found, of `played`.
        delay_ms: From the first sample played to its arrival, both by their device's own sample count; None when
            too few chirps were heard.
        drift_ppm: How much faster the microphone's clock runs than the loudspeaker's.
        jumps: Chirps that arrived off the line by more than half a millisecond.
        echo_db: Level of the chirps in the microphone, beside what was played: -10 is a loud echo, -50 none that
            matters.
        peak_dbfs: The loudest sample.
        clipped: Samples in clipped waves.
        noise_dbfs: Level of the microphone while nothing is played.
    """

    heard: int
    played: int
    delay_ms: float | None
    drift_ppm: float | None
    jumps: int
    echo_db: float | None
    peak_dbfs: float
    clipped: int
    noise_dbfs: float


def measure(recorded: Int16, train: ChirpTrain, rate_hz: int) -> Measured:
    """Figures of a recording that began with the first sample played.

    Args:
        recorded: the microphone's, shape (n,), at its own rate; may be short or empty.
        train: what was played.
        rate_hz: of the recording, Hz.
    """
    likeness = _likeness(recorded, rate_hz)
    starts = np.array(train.starts_s) * rate_hz
    delay = _common_delay(likeness, np.array(train.starts_s), rate_hz)
    found = _arrivals(likeness, starts, delay or 0, rate_hz)
    heard = np.isfinite(found)
    line = _line(starts[heard], found[heard]) if np.count_nonzero(heard) >= ENOUGH else None
    return Measured(
        heard=int(np.count_nonzero(heard)),
        played=starts.size,
        delay_ms=None if line is None else 1000 * line.offset / rate_hz,
        drift_ppm=None if line is None else line.slope_ppm,
        jumps=0 if line is None else line.strays(STRAY_S * rate_hz),
        echo_db=_echo_db(recorded, found[heard], rate_hz) if line is not None else None,
        peak_dbfs=peak_dbfs(recorded),
        clipped=clipped_samples(recorded),
        noise_dbfs=_noise_dbfs(recorded, rate_hz),
    )


def clipped_samples(recorded: Int16) -> int:
    """Samples of waves whose top is cut off: at the rails, or flat at the recording's own highest or lowest value."""
    return _flat_top(recorded) + _flat_top(np.invert(recorded))


def _flat_top(samples: Int16) -> int:
    if not samples.size or int(samples.max()) < FULL_SCALE // 8:
        return 0
    top = min(int(samples.max()), RAIL)
    at_top = np.concatenate(([False], samples >= top, [False]))
    edges = np.flatnonzero(np.diff(at_top.astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= FLAT_RUN].sum())


def _likeness(recorded: Int16, rate_hz: int) -> Float64:
    """How much the recording is like a chirp that begins at each sample, whatever its phase: 0 to 1, shape (n,)."""
    template = chirp(rate_hz)
    n = recorded.size - template.size + 1
    if n < 1:
        return np.zeros(0)
    n_fft = 1 << (recorded.size + template.size - 1).bit_length()
    frequencies = np.fft.fftfreq(n_fft, 1 / rate_hz)
    spectrum = np.fft.fft(recorded, n_fft)
    # Positive frequencies only, twice: magnitudes are envelopes.
    spectrum *= 2 * ((frequencies >= BAND_HZ[0]) & (frequencies <= BAND_HZ[1]))
    power = np.abs(np.fft.ifft(spectrum)[: recorded.size]) ** 2 / 2
    sums = np.concatenate(([0.0], np.cumsum(power)))
    energy_under = sums[template.size :] - sums[:n]
    found = np.abs(np.fft.ifft(spectrum * np.conj(np.fft.fft(template, n_fft)))[:n])
    # A recording of nothing but rounding is like nothing.
    least = float(template.size)
    likeness: Float64 = found / np.sqrt(
        np.maximum(energy_under, least) * float(np.dot(template, template))
    )
    return likeness


def _common_delay(likeness: Float64, starts_s: Float64, rate_hz: int) -> int | None:
    """The delay, samples, at which most chirps are found, to some ms; None if nothing was recorded."""
    per_ms = rate_hz // 1000
    n_ms = likeness.size // per_ms
    if not n_ms:
        return None
    n_delays = round(1000 * DELAY_MAX_S)
    starts = np.rint(1000 * starts_s).astype(int)
    coarse = np.zeros(n_delays + int(starts[-1]) + 2 * SPREAD_MS + 1)
    by_ms = likeness[: n_ms * per_ms].reshape(n_ms, per_ms).max(axis=1)
    n_ms = min(n_ms, coarse.size - SPREAD_MS)
    coarse[SPREAD_MS : SPREAD_MS + n_ms] = by_ms[:n_ms]
    spread = np.lib.stride_tricks.sliding_window_view(coarse, 2 * SPREAD_MS + 1).max(axis=1)
    total = sum(spread[start : start + n_delays] for start in starts)
    return int(np.argmax(total)) * rate_hz // 1000


def _arrivals(likeness: Float64, starts: Float64, delay: int, rate_hz: int) -> Float64:
    """Where each chirp begins, in samples and fractions; NaN for one that is not heard."""
    near = round(NEAR_S * rate_hz)
    found = np.full(starts.size, np.nan)
    for number, start in enumerate(np.rint(starts).astype(int)):
        begin = max(0, start + delay - near)
        window = likeness[begin : start + delay + near + 1]
        if window.size < 3 or window.max() < HEARD:
            continue
        found[number] = begin + _peak(window)
    return found


def _peak(window: Float64) -> float:
    """Place of the first high peak, between samples by the parabola through its neighbours."""
    inner = window[1:-1]
    is_peak = (inner >= window[:-2]) & (inner >= window[2:]) & (inner >= FIRST * window.max())
    if not is_peak.any():
        return float(np.argmax(window))
    at = 1 + int(np.argmax(is_peak))
    before, top, after = map(float, window[at - 1 : at + 2])
    bend = before - 2 * top + after
    return at + (0.5 * (before - after) / bend if bend else 0.0)


@dataclass(frozen=True, slots=True)
class _Line:
    """Arrivals over starts: ``arrival = start · (1 + slope) + offset``, samples."""

    offset: float
    slope_ppm: float
    misses: Float64

    def strays(self, limit: float) -> int:
        return int(np.count_nonzero(np.abs(self.misses) > limit))


def _line(starts: Float64, found: Float64) -> _Line:
    """The line most arrivals lie on; a device that jumped once does not turn it.

    By the median of the slopes of all pairs (Theil and Sen).
    """
    late = found - starts
    first, second = np.triu_indices(starts.size, 1)
    slope = float(np.median((late[second] - late[first]) / (starts[second] - starts[first])))
    offset = float(np.median(late - slope * starts))
    return _Line(offset, 1e6 * slope, late - slope * starts - offset)


def _echo_db(recorded: Int16, found: Float64, rate_hz: int) -> float:
    """Level of the chirps as heard, beside their level as played."""
    n = round(CHIRP_S * rate_hz)
    heard = np.concatenate([recorded[round(at) : round(at) + n] for at in found])
    played = (FULL_SCALE * 10 ** (PEAK_DBFS / 20) * chirp(rate_hz)).astype(np.int16)
    return rms_dbfs(heard) - rms_dbfs(played)


def _noise_dbfs(recorded: Int16, rate_hz: int) -> float:
    """Level while nothing is played yet; the first tenth of a second is the device waking up."""
    return rms_dbfs(recorded[rate_hz // 10 : round(QUIET_S * rate_hz)])
