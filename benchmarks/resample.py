"""Our resampler beside soxr, PyAV and libsamplerate: what it costs, holds back and lets through.

    python -m benchmarks.resample [--json] [--rounds 60]

Four figures for each pair of rates. *us*: microseconds for a frame of 20 ms, int16 in and int16 out,
best of many short rounds in which all take turns. *buffering*: how far the newest output is behind
the input at its worst, the delay of the filter included. *images*, *aliases*: the strongest thing
that should not be there, in decibels below full scale, over tones in the band that must pass (to
0.4125 of the lower rate) and in the band that must not (from 0.5875 of it). The other resamplers come
with the extra `bench`.
"""

import itertools
import json
import os
import statistics
import sys
import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

# Counts only before numpy is loaded: hence the place of the imports below.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.rounds import read_options
from bridge_codecs.pcm import to_float32, to_int16
from bridge_codecs.resample import Resampler

try:
    import samplerate
    import soxr
except ImportError:
    sys.exit("the resamplers to compare with are missing: pip install 'tipring[bench]'")

PAIRS = [
    (8_000, 16_000),
    (16_000, 8_000),
    (8_000, 48_000),
    (48_000, 8_000),
    (8_000, 24_000),
    (44_100, 16_000),
]
FRAMES_PER_ROUND = 200
FRAMES_PER_S = 50
PASS_END, STOP_START = 0.4125, 0.5875  # of the lower rate
N_TONES = 15
LOOK_S = 0.2  # whole cycles of every tone on a grid of 5 Hz, so that FFT bins are exact

Samples = NDArray[Any]


class Stream(Protocol):
    """What is compared: chunks in, chunks out, and a tail."""

    def push(self, samples: Samples) -> Samples:
        """Take a chunk, return what is ready."""

    def flush(self) -> Samples:
        """Return what was held back."""


class Soxr:
    """python-soxr at a given quality."""

    def __init__(self, pair: tuple[int, int], dtype: str, quality: str) -> None:
        self._stream = soxr.ResampleStream(*pair, 1, dtype=dtype, quality=quality)
        self._dtype = dtype
        self.push: Callable[[Samples], Samples] = self._stream.resample_chunk

    def flush(self) -> Samples:
        """Return what was held back."""
        return np.asarray(self._stream.resample_chunk(np.zeros(0, self._dtype), last=True))


class PyAv:
    """FFmpeg's resampler through PyAV, frames made and unmade as one must."""

    def __init__(self, pair: tuple[int, int], dtype: str) -> None:
        self._from_hz, self._dtype = pair[0], dtype
        self._format = "s16" if dtype == "int16" else "flt"
        self._resampler = av.AudioResampler(self._format, "mono", pair[1])

    def push(self, samples: Samples) -> Samples:
        """Take a chunk, return what is ready."""
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], self._format, "mono")
        frame.sample_rate = self._from_hz
        return self._joined(frame)

    def flush(self) -> Samples:
        """Return what was held back."""
        return self._joined(None)

    def _joined(self, frame: av.AudioFrame | None) -> Samples:
        made = [out.to_ndarray()[0] for out in self._resampler.resample(frame)]
        return np.concatenate(made) if made else np.zeros(0, self._dtype)


class LibSampleRate:
    """libsamplerate's fastest sinc; it knows floats only."""

    def __init__(self, pair: tuple[int, int], dtype: str) -> None:
        self._ratio, self._dtype = pair[1] / pair[0], dtype
        self._resampler = samplerate.Resampler("sinc_fastest", channels=1)

    def push(self, samples: Samples, *, last: bool = False) -> Samples:
        """Take a chunk, return what is ready."""
        floats = to_float32(samples) if self._dtype == "int16" else samples
        made = np.asarray(self._resampler.process(floats, self._ratio, end_of_input=last))
        return to_int16(made) if self._dtype == "int16" else made

    def flush(self) -> Samples:
        """Return what was held back."""
        return self.push(np.zeros(0, self._dtype), last=True)


Make = Callable[[tuple[int, int], str], Stream]
ENGINES: dict[str, Make] = {
    "tipring": lambda pair, _dtype: Resampler(*pair),
    "soxr VHQ": lambda pair, dtype: Soxr(pair, dtype, "VHQ"),
    "soxr HQ": lambda pair, dtype: Soxr(pair, dtype, "HQ"),
    "PyAV": PyAv,
    "libsamplerate": LibSampleRate,
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    from_hz: int
    to_hz: int
    engine: str
    us_per_frame: float
    median_over_best: float
    buffering_ms: float
    images_db: float
    aliases_db: float | None  # nothing can alias where the rate goes up


def frame_times_us(pair: tuple[int, int], rounds: int) -> dict[str, list[float]]:
    """Microseconds per frame, round by round; all engines take turns, so that noise hits all."""
    n_samples = pair[0] // FRAMES_PER_S
    frame = (np.random.default_rng(1).standard_normal(n_samples) * 6_000).astype(np.int16)
    streams = {name: make(pair, "int16") for name, make in ENGINES.items()}
    times: dict[str, list[float]] = {name: [] for name in streams}
    for stream in streams.values():
        for _ in range(FRAMES_PER_ROUND):  # past the start, where buffers fill
            stream.push(frame)
    for _, (name, stream) in itertools.product(range(rounds), streams.items()):
        seconds = timeit.timeit(partial(stream.push, frame), number=FRAMES_PER_ROUND)
        times[name].append(seconds / FRAMES_PER_ROUND * 1e6)
    return times


def buffering_ms(make: Make, pair: tuple[int, int]) -> float:
    """The most that the newest output is behind the input, after frames of 20 ms for 2 s."""
    n_samples, stream = pair[0] // FRAMES_PER_S, make(pair, "float32")
    impulse_at = 20 * n_samples
    chunks, behind_s, n_out = [], 0.0, 0
    for k in range(2 * FRAMES_PER_S):
        frame = np.zeros(n_samples, np.float32)
        frame[0] = k * n_samples == impulse_at
        chunks.append(stream.push(frame))
        n_out += chunks[-1].size
        behind_s = max(behind_s, (k + 1) / FRAMES_PER_S - n_out / pair[1])
    energy = np.concatenate([*chunks, stream.flush()]).astype(np.float64) ** 2
    middle_s = float(energy @ np.arange(energy.size) / energy.sum()) / pair[1]
    return 1e3 * (behind_s + middle_s - impulse_at / pair[0])


def worst_db(make: Make, pair: tuple[int, int], tones: NDArray[np.float64]) -> float:
    """The strongest bin that is not the tone, over all tones, in dB of the tone's level."""
    worst, look = -np.inf, round(LOOK_S * pair[1])
    time_s = np.arange(round(3 * LOOK_S * pair[0])) / pair[0]
    for bin_ in np.round(tones * LOOK_S):
        stream, tone = make(pair, "float32"), np.sin(2 * np.pi * bin_ / LOOK_S * time_s)
        heard = np.concatenate([stream.push(tone.astype(np.float32)), stream.flush()])
        levels = np.abs(np.fft.rfft(heard[look : 2 * look].astype(np.float64))) * 2 / look
        if bin_ / LOOK_S < PASS_END * min(pair) + 1:
            levels[int(bin_)] = 0.0
        worst = max(worst, float(levels.max()))
    return 20 * float(np.log10(worst))


def measure(pair: tuple[int, int], rounds: int) -> list[Row]:
    low, rows = min(pair), []
    passing = np.linspace(100, PASS_END * low, N_TONES)
    stopped = np.linspace(STOP_START * low, pair[0] / 2 - 10, N_TONES)
    for name, times in frame_times_us(pair, rounds).items():
        make, best = ENGINES[name], min(times)
        images = worst_db(make, pair, passing)
        aliases = worst_db(make, pair, stopped) if pair[0] > pair[1] else None
        spread = statistics.median(times) / best
        rows.append(Row(*pair, name, best, spread, buffering_ms(make, pair), images, aliases))
    return rows


def print_table(rows: list[Row], rounds: int) -> None:
    print(
        f"{'rates':>14}  {'engine':<14}{'us/frame':>9}{'buffering':>12}{'images':>10}{'aliases':>10}"
    )
    for row in rows:
        aliases = "-" if row.aliases_db is None else f"{row.aliases_db:.0f} dB"
        print(
            f"{row.from_hz:>6} -> {row.to_hz:<5} {row.engine:<14}{row.us_per_frame:>9.2f}"
            f"{row.buffering_ms:>9.1f} ms{row.images_db:>7.0f} dB{aliases:>10}"
        )
    print(
        f"Best of {rounds} rounds of {FRAMES_PER_ROUND} frames. Machine noise: the median round took "
        f"{noise_percent(rows):.0f} % longer than the best."
    )


def noise_percent(rows: list[Row]) -> float:
    return 100 * (statistics.median(row.median_over_best for row in rows) - 1)


def main() -> None:
    options = read_options(__doc__, rounds=60)
    rows = [row for pair in PAIRS for row in measure(pair, options.rounds)]
    if options.json:
        noise = round(noise_percent(rows), 1)
        print(json.dumps({"noise_percent": noise, "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print_table(rows, options.rounds)


if __name__ == "__main__":
    main()
