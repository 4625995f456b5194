"""One block of a recording's left channel, whatever it was before."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.pcm import Int16, to_int16


@dataclass(frozen=True, slots=True)
class LeftBlock:
    """Samples of the left channel; `n_strange` of them were no numbers and are silence now."""

    samples: Int16
    n_strange: int = 0


def from_floats(numbers: NDArray[np.floating[Any]]) -> LeftBlock:
    """Floats of any width, full scale 1.0: NaN and infinities become 0, the rest is clamped."""
    finite = np.isfinite(numbers)
    n_strange = int(numbers.size - np.count_nonzero(finite))
    if n_strange:
        numbers = np.where(finite, numbers, 0)
    # Clamped before it is narrowed: 1e300 has no float32.
    return LeftBlock(to_int16(np.clip(numbers, -1.0, 1.0).astype(np.float32)), n_strange)
