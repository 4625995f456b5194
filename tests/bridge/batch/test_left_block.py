import warnings

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from bridge.batch.left_block import from_floats

ANY_FLOATS = arrays.arrays(
    arrays.floating_dtypes(endianness="<", sizes=(32, 64)), arrays.array_shapes(max_dims=1)
)


@given(ANY_FLOATS)
def test_any_floats_become_samples_that_never_wrap(numbers: NDArray[np.floating]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        block = from_floats(numbers)

    finite = np.isfinite(numbers)
    assert block.samples.dtype == np.int16
    assert block.n_strange == np.count_nonzero(~finite)
    assert not block.samples[~finite].any()
    assert (np.sign(block.samples[finite]) * np.sign(numbers[finite]) >= 0).all()
    assert (block.samples[finite & (numbers >= 1)] == 32_767).all()
    assert (block.samples[finite & (numbers <= -1)] == -32_768).all()
