"""The shared filters of the resampler: cache, size, delay."""

import itertools

import numpy as np
import pytest

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ, FilterBank, check_rate, filter_bank

PAIRS = list(itertools.permutations(RATES_HZ, 2))


def n_bytes(bank: FilterBank) -> int:
    return sum(cell.taps.nbytes for cell in bank.cells)


def test_a_pair_is_built_once_and_shared() -> None:
    assert filter_bank(8_000, 48_000) is filter_bank(8_000, 48_000)


def test_shared_taps_cannot_be_changed() -> None:
    [cell] = filter_bank(8_000, 48_000).cells

    with pytest.raises(ValueError, match="read-only"):
        cell.taps[0, 0] = 1.0


def test_no_pair_takes_more_than_a_megabyte_and_telephony_takes_kilobytes() -> None:
    sizes = {pair: n_bytes(filter_bank(*pair)) for pair in PAIRS}

    assert max(sizes.values()) < 1_000_000
    assert all(sizes[pair] < 10_000 for pair in PAIRS if set(pair) <= {8_000, 16_000, 48_000})


@pytest.mark.parametrize("pair", PAIRS)
def test_the_delay_is_two_milliseconds_at_most_and_half_the_span_of_the_filter(
    pair: tuple[int, int],
) -> None:
    bank = filter_bank(*pair)
    lower_rate_samples = bank.delay * min(pair) / pair[1]

    assert bank.delay / pair[1] <= 0.002
    assert 15.9 <= lower_rate_samples < 17.0


@pytest.mark.parametrize("pair", PAIRS)
def test_the_cells_follow_each_other_through_whole_periods(pair: tuple[int, int]) -> None:
    bank = filter_bank(*pair)

    ends = [cell.start + cell.n_inputs for cell in bank.cells]
    assert [cell.start for cell in bank.cells] == [0, *ends[:-1]]
    assert ends[-1] % bank.down == 0
    assert sum(cell.taps.shape[1] for cell in bank.cells) == bank.n_outputs(ends[-1])


@pytest.mark.parametrize("pair", PAIRS)
def test_every_output_has_a_gain_of_one_at_zero_hertz(pair: tuple[int, int]) -> None:
    for cell in filter_bank(*pair).cells:
        gains = cell.taps.sum(axis=0, dtype=np.float64)

        assert np.abs(gains - 1.0).max() < 1e-6


@pytest.mark.parametrize("rate", RATES_HZ)
def test_a_supported_rate_passes(rate: int) -> None:
    check_rate(rate)


@pytest.mark.parametrize("rate", [0, -8_000, 7_999, 96_000, 8_000.0, "8000", True, None])
def test_any_other_rate_raises_codec_error_in_one_sentence(rate: object) -> None:
    with pytest.raises(CodecError) as caught:
        check_rate(rate)

    assert f"a rate of {rate!r} Hz" in str(caught.value)
    assert "\n" not in str(caught.value)
