"""What a telephone makes of an acoustic model for wide-band speech: a transform of its means.

The model was trained on 130 to 6,800 Hz; a telephone ends at 3,400. Its features are cepstra: 25 logarithmic mel bands
under a cosine transform. Where a band carries nothing but a steady floor, cepstral mean normalisation takes it away, so
a telephone's cepstra are those of the model with the bands above its own set to zero: a linear map, the same for every
speaker, which can be written down without a single recording. The first band (130 to 283 Hz) is half there.

The text is that of an MLLR file: classes, streams, and for each stream (cepstra, their first and second differences)
its length, the matrix, the offsets and the factors of the variances.
"""

from collections.abc import Iterable
from math import cos, pi, sin, sqrt
from typing import Final

_N_BANDS: Final = 25
_BANDS: Final = (0.5,) + 18 * (1.0,) + 6 * (0.0,)  # the 19th ends at 3,813 Hz, the next are above
_N_CEPSTRA: Final = 13
_LIFTER: Final = 22  # the model's feat.params
_N_STREAMS: Final = 3


def telephone_mllr() -> str:
    """The transform as the text of an MLLR file."""
    lines = ["1", str(_N_STREAMS)]
    for _ in range(_N_STREAMS):
        lines.append(str(_N_CEPSTRA))
        lines.extend(_row(_entry(i, j) for j in range(_N_CEPSTRA)) for i in range(_N_CEPSTRA))
        lines.append(_row(_N_CEPSTRA * [0.0]))
        lines.append(_row(_N_CEPSTRA * [1.0]))
    return "\n".join(lines) + "\n"


def _entry(i: int, j: int) -> float:
    """How much of cepstrum `j` of the wide band goes into cepstrum `i` of the telephone's."""
    kept = sum(_BANDS[band] * _cosine(i, band) * _cosine(j, band) for band in range(_N_BANDS))
    return kept * _lift(i) / _lift(j)


def _cosine(cepstrum: int, band: int) -> float:
    scale = sqrt((1 if cepstrum == 0 else 2) / _N_BANDS)
    return scale * cos(pi * cepstrum * (band + 0.5) / _N_BANDS)


def _lift(cepstrum: int) -> float:
    return 1 + _LIFTER / 2 * sin(pi * cepstrum / _LIFTER)


def _row(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.6f}" for number in numbers)
