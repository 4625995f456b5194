"""The filters of the resampler as matrices: built once per pair of rates, shared, read-only.

A rate change by L/M is one low-pass at the common tick rate (L ticks per input sample, M per output
sample) of which each output needs every L-th tap. Laid out as a Toeplitz block, the taps that turn
(history + B) input samples into B*L/M output samples are one matrix, and a frame is one product of
matrices. The low-pass is a sinc under a Kaiser window that spans 32 samples of the lower rate: flat
within 0.05 dB to 0.425 of the lower rate, 85 dB down from 0.5875 of it on.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Float32

RATES_HZ: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

_HALF_SPAN: Final = 16  # samples of the lower rate on each side of the middle
_MAX_DELAY_S: Final = 0.002
_KAISER_BETA: Final = 9.0  # 8.5 leaves images of low tones 5 dB higher
_CUTOFF: Final = 0.495  # of the lower rate: as low as 0.1 dB at 0.425 allows with a margin
_MAX_BLOCK_FLOATS: Final = 32_768  # 128 KiB: stays in the second-level cache beside other work
_MAX_CELL_INPUTS: Final = 160


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of the period: `n_inputs` samples from `start` on, and the outputs they complete."""

    start: int
    n_inputs: int
    taps: Float32  # (history + n_inputs, n_outputs)


@dataclass(frozen=True, slots=True)
class FilterBank:
    """All that a resampler of one pair of rates can share with others of the same pair.

    `up` outputs come of `down` inputs. One cell: a block that repeats. Several: one period, cut into
    pieces, because its whole matrix would be too large.
    """

    up: int
    down: int
    history: int  # inputs before a stretch that its outputs still need
    delay: int  # group delay, output samples
    cells: tuple[Cell, ...]

    def n_outputs(self, n_inputs: int) -> int:
        """Outputs that are complete after so many inputs since the start of a period."""
        return n_inputs * self.up // self.down


def check_rate(rate_hz: object) -> None:
    """Let a supported rate pass.

    Raises: CodecError for anything else.
    """
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int) or rate_hz not in RATES_HZ:
        known = ", ".join(str(rate) for rate in RATES_HZ)
        raise CodecError(f"cannot resample at a rate of {rate_hz!r} Hz; it must be one of {known}")


@cache
def filter_bank(from_hz: int, to_hz: int) -> FilterBank:
    """Build the filters for a pair of different, supported rates, or take them from the cache.

    There are 72 pairs; the largest takes 0.9 MB, those of telephony 2 to 8 KB.
    """
    common = math.gcd(from_hz, to_hz)
    up, down = to_hz // common, from_hz // common
    delay = _delay(from_hz, to_hz)
    taps = _low_pass(up, down, delay * down)
    history = (taps.size - 1 + down - 1) // up
    cells = tuple(
        Cell(start, end - start, _block(taps, (up, down), start - history, start, end))
        for start, end in pairwise(_cell_starts(up, down, history))
    )
    return FilterBank(up, down, history, delay, cells)


def _delay(from_hz: int, to_hz: int) -> int:
    """Whole output samples that cover half the filter, but no more than 2 ms."""
    wanted = math.ceil(_HALF_SPAN * to_hz / min(from_hz, to_hz))
    return min(wanted, math.floor(to_hz * _MAX_DELAY_S))


def _low_pass(up: int, down: int, middle: int) -> NDArray[np.float64]:
    """Taps 0 … 2 * middle at the tick rate; each of the `up` phases has a gain of 1 at 0 Hz."""
    offset = np.arange(-middle, middle + 1)
    window = np.i0(_KAISER_BETA * np.sqrt(1.0 - (offset / middle) ** 2))
    taps = window * np.sinc(2 * _CUTOFF * offset / max(up, down))
    # Phase by phase, because what the phases differ by at 0 Hz is heard as images of low tones.
    for phase in range(up):
        taps[phase::up] /= taps[phase::up].sum()
    return taps


def _cell_starts(up: int, down: int, history: int) -> list[int]:
    """Where the cells start, in inputs; the last number is where the last one ends."""
    if (history + down) * up <= _MAX_BLOCK_FLOATS:
        # Long enough that a product is worth its call, short enough to waste little on zeros;
        # powers of two, because they divide frames of 10 ms.
        periods = 1
        while periods * min(up, down) < 8 or (up > down and periods * up < 24):
            periods *= 2
        return [0, periods * down]
    n_cells = math.ceil(down / _MAX_CELL_INPUTS)
    return [down * k // n_cells for k in range(n_cells + 1)]


def _block(
    taps: NDArray[np.float64], ratio: tuple[int, int], oldest: int, start: int, end: int
) -> Float32:
    """The Toeplitz block from the inputs `oldest` … `end` to the outputs of `start` … `end`."""
    up, down = ratio
    ticks_in = np.arange(oldest, end) * up
    ticks_out = np.arange(start * up // down, end * up // down) * down
    tap = ticks_out[np.newaxis, :] - ticks_in[:, np.newaxis]
    inside = (tap >= 0) & (tap < taps.size)
    block = np.where(inside, taps[tap.clip(0, taps.size - 1)], 0.0).astype(np.float32)
    block.setflags(write=False)
    return block
