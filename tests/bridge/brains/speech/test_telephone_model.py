import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.brains.speech.telephone_model import telephone_mllr

N_BANDS, N_CEPSTRA, LIFTER = 25, 13, 22
BAND_STARTS_HZ = 3_500


def matrices() -> list[NDArray[np.float64]]:
    """The parts of the text for each stream: matrix, offsets, factors of the variances."""
    lines = telephone_mllr().splitlines()
    assert lines[:2] == ["1", "3"]
    streams = []
    for stream in range(3):
        part = lines[2 + 16 * stream : 18 + 16 * stream]
        assert part[0] == "13"
        streams.append(np.array([[float(x) for x in line.split()] for line in part[1:]]))
    assert len(lines) == 2 + 3 * 16
    return streams


def cepstra(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """As the model's front end makes them: an orthonormal cosine transform, liftered."""
    k = np.arange(N_CEPSTRA)[:, None]
    cosines = np.cos(np.pi * k * (np.arange(N_BANDS) + 0.5) / N_BANDS) * np.sqrt(2 / N_BANDS)
    cosines[0] /= np.sqrt(2)
    lift = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(N_CEPSTRA) / LIFTER)
    lifted: NDArray[np.float64] = lift * (cosines @ bands)
    return lifted


def smooth_bands(seed: int) -> NDArray[np.float64]:
    """Bands that 13 cepstra can tell: what a mean of the model stands for."""
    k = np.arange(N_CEPSTRA)[:, None]
    weights = np.random.default_rng(seed).standard_normal(N_CEPSTRA) / (1 + np.arange(N_CEPSTRA))
    bands: NDArray[np.float64] = weights @ np.cos(np.pi * k * (np.arange(N_BANDS) + 0.5) / N_BANDS)
    return bands


@pytest.mark.parametrize("seed", range(5))
def test_bands_above_the_telephone_are_taken_out_of_the_cepstra(seed: int) -> None:
    wide = smooth_bands(seed)
    narrow = wide.copy()
    narrow[0] /= 2
    narrow[19:] = 0

    [static, *_] = matrices()

    assert static[:N_CEPSTRA] @ cepstra(wide) == pytest.approx(cepstra(narrow), abs=1e-4)


def test_differences_are_transformed_like_what_they_are_differences_of() -> None:
    static, first, second = matrices()

    assert np.array_equal(static, first)
    assert np.array_equal(static, second)


def test_nothing_is_added_and_variances_stay() -> None:
    for stream in matrices():
        assert not stream[13].any()
        assert np.all(stream[14] == 1)
