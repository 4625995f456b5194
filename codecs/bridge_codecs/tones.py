"""Tones a telephone makes: DTMF digits and what the network tells its callers.

Sources: ITU-T Q.23 (DTMF frequencies), ITU-T E.180 (special information tone), for the United States
the precise tone plan (Telcordia GR-506), for Europe the 425 Hz of ETSI TR 101 041 and the CEPT.

Levels are dBFS as elsewhere: a full-scale sine has -3.01. Every tone begins and ends softly, in 3 ms.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ
from bridge_codecs.pcm import FULL_SCALE, Int16, silence

LOW_HZ: Final = (697, 770, 852, 941)
HIGH_HZ: Final = (1_209, 1_336, 1_477, 1_633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
"""The digit of each pair of tones: a row for each low one, a column for each high one."""

LONGEST_S: Final = 60.0
"""No call here makes more at once."""

Tone: TypeAlias = Literal["dial", "ringback", "busy", "congestion", "sit"]
Region: TypeAlias = Literal["us", "eu"]

_EDGE_S: Final = 0.003  # Q.24 wants a tone to rise within 5 ms; clicks are gone at 3
_PAIRS: Final = {
    key: (low_hz, high_hz)
    for low_hz, row in zip(LOW_HZ, KEYS, strict=True)
    for high_hz, key in zip(HIGH_HZ, row, strict=True)
}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """These frequencies together for so long; none is silence."""

    hz: tuple[int, ...]
    ms: int


def _on_off(hz: tuple[int, ...], on_ms: int, off_ms: int) -> tuple[_Stretch, ...]:
    return _Stretch(hz, on_ms), _Stretch((), off_ms)


_SIT: Final = (*(_Stretch((hz,), 330) for hz in (950, 1_400, 1_800)), _Stretch((), 1_000))
# One period of each; a single stretch never ends.
_PLANS: Final[dict[str, dict[str, tuple[_Stretch, ...]]]] = {
    "us": {
        "dial": (_Stretch((350, 440), 1_000),),
        "ringback": _on_off((440, 480), 2_000, 4_000),
        "busy": _on_off((480, 620), 500, 500),
        "congestion": _on_off((480, 620), 250, 250),
        "sit": _SIT,
    },
    "eu": {
        "dial": (_Stretch((425,), 1_000),),
        "ringback": _on_off((425,), 1_000, 4_000),
        "busy": _on_off((425,), 500, 500),
        "congestion": _on_off((425,), 250, 250),
        "sit": _SIT,
    },
}


def dtmf(
    digits: str,
    rate_hz: int,
    *,
    tone_s: float = 0.2,
    space_s: float = 0.1,
    low_dbfs: float = -15.0,
    high_dbfs: float = -13.0,
) -> Int16:
    """Dial `digits` (0-9 * # A-D): int16, each tone followed by its space, the last one too.

    The high tone is sent 2 dB louder by default, as lines take more from it (ETSI ES 201 235-2).

    Raises: CodecError for another digit, a rate that is not supported, a duration that is negative
    or no number, more than 60 s in all, or levels that together pass full scale.
    """
    _check_rate(rate_hz)
    for digit in digits:
        if digit not in _PAIRS:
            raise CodecError(f"a DTMF digit is one of 0-9 * # A-D, not {digit!r}")
    _check_length(len(digits) * (_checked_s(tone_s) + _checked_s(space_s)))
    amplitudes = (_amplitude(low_dbfs), _amplitude(high_dbfs))
    _check_loudness(sum(amplitudes))
    n_tone, space = round(tone_s * rate_hz), silence(round(space_s * rate_hz))
    at = np.arange(n_tone)
    envelope = _edges(at, n_tone, rate_hz)
    made = [silence(0)]
    for digit in digits:
        made += [_rounded(envelope * _sines(_PAIRS[digit], amplitudes, at, rate_hz)), space]
    return np.concatenate(made)


def progress_tone(
    tone: Tone,
    region: Region,
    rate_hz: int,
    n_samples: int,
    *,
    start: int = 0,
    dbfs: float = -19.0,
) -> Int16:
    """Samples `start` to `start + n_samples` of an endless tone: int16, `dbfs` each frequency.

    Chunks that follow each other join without a seam.

    Raises: CodecError for an unknown tone or region, a rate that is not supported, a negative start
    or number, more than 60 s, or a level that passes full scale.
    """
    _check_rate(rate_hz)
    plan = _PLANS.get(region, {}).get(tone)
    if plan is None:
        raise CodecError(f"there is no {tone!r} tone of {region!r}")
    if start < 0 or n_samples < 0:
        raise CodecError(f"cannot make {n_samples} samples of tone from sample {start} on")
    _check_length(n_samples / rate_hz)
    amplitude = _amplitude(dbfs)
    _check_loudness(amplitude * max(len(stretch.hz) for stretch in plan))
    made = np.zeros(n_samples)
    if len(plan) == 1:
        _add(made, _Burst(plan[0].hz, 0, None), start, amplitude, rate_hz)
    else:
        for burst in _bursts(plan, rate_hz, start, start + n_samples):
            _add(made, burst, start, amplitude, rate_hz)
    return _rounded(made)


@dataclass(frozen=True, slots=True)
class _Burst:
    """One stretch with sound, at its place in the endless tone; `n_samples` None never ends."""

    hz: tuple[int, ...]
    start: int
    n_samples: int | None


def _bursts(plan: tuple[_Stretch, ...], rate_hz: int, start: int, end: int) -> list[_Burst]:
    """The bursts that touch the samples from `start` to `end`."""
    edges = np.cumsum([0, *(stretch.ms * rate_hz // 1_000 for stretch in plan)]).tolist()
    period, bursts = edges[-1], []
    for first in range(start // period * period, end, period):
        for stretch, begin, stop in zip(plan, edges, edges[1:], strict=False):
            if stretch.hz and first + begin < end and first + stop > start:
                bursts.append(_Burst(stretch.hz, first + begin, stop - begin))
    return bursts


def _add(
    made: NDArray[np.float64], burst: _Burst, start: int, amplitude: float, rate_hz: int
) -> None:
    """Add what of the burst falls into `made`, which begins at sample `start`."""
    end = start + made.size
    begin = max(burst.start, start)
    stop = end if burst.n_samples is None else min(burst.start + burst.n_samples, end)
    at = np.arange(begin - burst.start, stop - burst.start)
    sound = _sines(burst.hz, (amplitude,) * len(burst.hz), at, rate_hz)
    made[begin - start : stop - start] += sound * _edges(at, burst.n_samples, rate_hz)


def _sines(
    hz: tuple[int, ...], amplitudes: tuple[float, ...], at: NDArray[np.int64], rate_hz: int
) -> NDArray[np.float64]:
    made = np.zeros(at.size)
    for frequency, amplitude in zip(hz, amplitudes, strict=True):
        # Whole turns are taken off in integers: hours from the start the phase is still exact.
        made += amplitude * np.sin((at * frequency % rate_hz) * (2 * math.pi / rate_hz))
    return made


def _edges(at: NDArray[np.int64], n_samples: int | None, rate_hz: int) -> NDArray[np.float64]:
    """The raised-cosine rise and fall of a tone of `n_samples`, at these of its samples."""
    to_edge = at + 0.5 if n_samples is None else np.minimum(at + 0.5, n_samples - at - 0.5)
    rise = np.minimum(to_edge / (_EDGE_S * rate_hz), 1.0)
    edges: NDArray[np.float64] = 0.5 - 0.5 * np.cos(math.pi * rise)
    return edges


def _rounded(samples: NDArray[np.float64]) -> Int16:
    return np.rint(samples).astype(np.int16)


def _amplitude(dbfs: float) -> float:
    # -inf is silence, and is right so; no number is caught where the sum is checked.
    return FULL_SCALE * math.sqrt(2) * 10 ** (min(dbfs, 99.0) / 20)


def _check_rate(rate_hz: int) -> None:
    if rate_hz not in RATES_HZ:
        known = ", ".join(map(str, RATES_HZ))
        raise CodecError(f"tones are made at {known} Hz, not at {rate_hz!r}")


def _check_loudness(amplitude: float) -> None:
    if not amplitude <= FULL_SCALE:
        raise CodecError("the tones together pass full scale; one alone reaches it at -3.01 dBFS")


def _checked_s(duration_s: float) -> float:
    if not 0 <= duration_s <= LONGEST_S:
        raise CodecError(f"a tone or space lasts 0 to {LONGEST_S:.0f} s, not {duration_s!r}")
    return duration_s


def _check_length(total_s: float) -> None:
    if total_s > LONGEST_S:
        raise CodecError(f"{total_s:.1f} s of tones are more than the {LONGEST_S:.0f} s at once")
