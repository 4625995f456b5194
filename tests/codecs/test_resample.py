"""The streaming resampler as a stream: counts, chunks, delay, ends of the range, bad input."""

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ, filter_bank
from bridge_codecs.pcm import Float32, Int16, to_float32, to_int16
from bridge_codecs.resample import Resampler

PAIRS = list(itertools.permutations(RATES_HZ, 2))
# Whole blocks, blocks of several inputs, one long period, a period in several cells.
TYPICAL = [(8_000, 48_000), (48_000, 8_000), (44_100, 48_000), (44_100, 16_000), (11_025, 32_000)]

pairs = st.sampled_from(PAIRS)
chunk_sizes = st.lists(st.integers(0, 1_500), max_size=12)


def noise(n_samples: int, level: int = 9_000) -> Int16:
    return (np.random.default_rng(7).standard_normal(n_samples) * level).astype(np.int16)


def cut(samples: NDArray[Any], sizes: list[int]) -> list[NDArray[Any]]:
    return np.split(samples, np.cumsum(sizes)[:-1]) if sizes else []


def pushed(resampler: Resampler, chunks: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, np.int16), *(resampler.push(chunk) for chunk in chunks)])


# Counts and chunks


@settings(deadline=None)
@given(pair=pairs, sizes=chunk_sizes)
def test_after_n_samples_exactly_floor_n_times_ratio_have_come_out(
    pair: tuple[int, int], sizes: list[int]
) -> None:
    resampler, n_in, n_out = Resampler(*pair), 0, 0

    for size in sizes:
        n_in += size
        n_out += resampler.push(np.zeros(size, np.int16)).size

        assert n_out == n_in * pair[1] // pair[0]


@settings(deadline=None)
@given(pair=pairs, sizes=chunk_sizes)
def test_any_chunking_agrees_with_one_push_to_one_unit(
    pair: tuple[int, int], sizes: list[int]
) -> None:
    samples = noise(sum(sizes))

    chunked = pushed(Resampler(*pair), cut(samples, sizes))
    whole = Resampler(*pair).push(samples)

    difference = chunked.astype(np.int32) - whole
    assert np.abs(difference).max(initial=0) <= 1


@pytest.mark.parametrize("pair", PAIRS)
def test_samples_one_by_one_agree_with_one_push_to_one_unit(pair: tuple[int, int]) -> None:
    samples = noise(700)

    single = pushed(Resampler(*pair), cut(samples, [1] * 700))

    difference = single.astype(np.int32) - Resampler(*pair).push(samples)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("pair", TYPICAL)
def test_the_same_chunks_give_the_same_bytes(pair: tuple[int, int]) -> None:
    sizes = [pair[0] // 50, 1, 333, pair[0] // 50, 2_000, 7]
    chunks = cut(noise(sum(sizes)), sizes)

    first, second = pushed(Resampler(*pair), chunks), pushed(Resampler(*pair), chunks)

    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("pair", [*TYPICAL, (16_000, 16_000)])
def test_an_empty_push_gives_nothing_and_changes_nothing(pair: tuple[int, int]) -> None:
    samples, resampler = noise(960), Resampler(*pair)

    assert resampler.push(np.zeros(0, np.int16)).size == 0
    first = resampler.push(samples)
    assert resampler.push(np.zeros(0, np.float32)).size == 0
    second = resampler.push(samples)

    whole = Resampler(*pair).push(np.concatenate([samples, samples]))
    difference = np.concatenate([first, second]).astype(np.int32) - whole
    assert np.abs(difference).max() <= 1


def test_earlier_output_and_the_input_stay_as_they_are() -> None:
    resampler, samples = Resampler(8_000, 48_000), noise(160)
    before = samples.copy()
    first = resampler.push(samples)
    kept = first.copy()

    resampler.push(-samples)

    assert np.array_equal(first, kept)
    assert np.array_equal(samples, before)


def test_strided_and_read_only_samples_are_taken_in_order() -> None:
    wide = noise(320)
    wide.setflags(write=False)

    strided = Resampler(8_000, 16_000).push(wide[::2])

    assert np.array_equal(strided, Resampler(8_000, 16_000).push(wide[::2].copy()))


# Delay and ends


@pytest.mark.parametrize("pair", PAIRS)
def test_an_impulse_comes_out_delay_samples_later_with_equal_sides(pair: tuple[int, int]) -> None:
    bank, resampler = filter_bank(*pair), Resampler(*pair)
    at = bank.down * -(-200 // bank.down)  # an input that falls on an output
    impulse = np.zeros(at + 8 * bank.down + 400, np.float32)
    impulse[at] = 1.0

    heard = resampler.push(impulse)

    middle = bank.n_outputs(at) + resampler.delay_samples
    side = min(bank.delay, heard.size - middle - 1)
    assert np.argmax(np.abs(heard)) == middle
    assert heard[middle - side : middle] == pytest.approx(
        heard[middle + 1 : middle + side + 1][::-1], abs=1e-6
    )
    assert not heard[: middle - bank.delay].any()


@settings(deadline=None)
@given(pair=pairs, size=st.integers(1, 3_000))
def test_flush_returns_exactly_the_delay(pair: tuple[int, int], size: int) -> None:
    resampler = Resampler(*pair)
    resampler.push(noise(size))

    assert resampler.flush().size == resampler.delay_samples


@pytest.mark.parametrize("pair", PAIRS)
def test_flush_returns_what_silence_would_have_pushed_out(pair: tuple[int, int]) -> None:
    flushed, pushed_on, samples = Resampler(*pair), Resampler(*pair), noise(1_234)
    flushed.push(samples)
    pushed_on.push(samples)

    tail = flushed.flush().astype(np.int32)

    assert np.abs(tail).max() > 1_000
    assert np.abs(tail - pushed_on.push(np.zeros(500, np.int16))[: tail.size]).max() <= 1


@pytest.mark.parametrize("pair", PAIRS)
def test_a_steady_level_is_kept_between_its_slopes(pair: tuple[int, int]) -> None:
    resampler = Resampler(*pair)
    steady = np.full(pair[0] // 20, 10_000, np.int16)

    whole = np.concatenate([resampler.push(steady), resampler.flush()])
    aligned = whole[resampler.delay_samples :]

    assert aligned.size == steady.size * pair[1] // pair[0]
    slope = resampler.delay_samples + 1
    assert np.abs(aligned[slope : -slope - pair[1] // pair[0]].astype(np.int32) - 10_000).max() <= 1


@pytest.mark.parametrize("pair", TYPICAL)
def test_a_flushed_resampler_is_as_good_as_new(pair: tuple[int, int]) -> None:
    samples, used = noise(1_111), Resampler(*pair)
    used.push(noise(777))
    used.flush()

    assert np.array_equal(used.push(samples), Resampler(*pair).push(samples))


@pytest.mark.parametrize("pair", TYPICAL)
def test_a_reset_resampler_is_as_good_as_new(pair: tuple[int, int]) -> None:
    samples, used = noise(1_111), Resampler(*pair)
    used.push(noise(777))
    used.reset()

    assert np.array_equal(used.push(samples), Resampler(*pair).push(samples))


@pytest.mark.parametrize("n_resets", [0, 1])
def test_flush_of_a_stream_without_samples_gives_nothing(n_resets: int) -> None:
    resampler = Resampler(8_000, 48_000)
    for _ in range(n_resets):
        resampler.push(noise(160))
        resampler.push(noise(160))
        resampler.reset()

    resampler.push(np.zeros(0, np.int16))

    assert resampler.flush().size == 0


def test_flush_answers_in_the_type_of_the_last_push() -> None:
    resampler = Resampler(8_000, 16_000)
    resampler.push(np.zeros(10, np.float32))

    assert resampler.flush().dtype == np.float32
    assert Resampler(8_000, 16_000).flush().dtype == np.int16


# Levels


def square(rate_hz: int, high: int, low: int) -> Int16:
    return np.where(np.arange(rate_hz // 5) // 40 % 2, high, low).astype(np.int16)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_full_scale_square_wave_is_limited_and_never_wraps(pair: tuple[int, int]) -> None:
    samples = square(pair[0], 32_767, -32_768)

    limited = Resampler(*pair).push(samples)
    free = Resampler(*pair).push(to_float32(samples))

    assert np.abs(free).max() > 1.02  # the filter overshoots: there is something to limit
    difference = limited.astype(np.int32) - to_int16(free)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("pair", TYPICAL)
def test_int16_and_float32_give_the_same_audio(pair: tuple[int, int]) -> None:
    samples = noise(3_000)

    whole = Resampler(*pair).push(samples)
    floats = Resampler(*pair).push(to_float32(samples))

    assert floats.dtype == np.float32
    difference = whole.astype(np.int32) - to_int16(floats)
    assert np.abs(difference).max() <= 1


def test_a_stream_may_change_its_type() -> None:
    samples, resampler = noise(640), Resampler(8_000, 16_000)

    first = resampler.push(samples[:320])
    second = resampler.push(to_float32(samples[320:]))

    whole = Resampler(8_000, 16_000).push(samples)
    joined = np.concatenate([first, to_int16(second)]).astype(np.int32)
    assert np.abs(joined - whole).max() <= 1


@pytest.mark.parametrize("pair", [*TYPICAL, (16_000, 16_000)])
def test_nan_counts_as_silence_and_harms_nothing_after_it(pair: tuple[int, int]) -> None:
    clean = to_float32(noise(2_000))
    clean[500:503] = 0.0
    broken = clean.copy()
    broken[500:503] = np.nan

    heard = Resampler(*pair).push(broken)

    assert np.isfinite(heard).all()
    assert np.array_equal(heard, Resampler(*pair).push(clean))


@pytest.mark.parametrize("pair", TYPICAL)
@pytest.mark.parametrize("value", [np.inf, -np.inf, 3e38])
def test_an_absurd_float_harms_only_what_the_filter_spans(
    pair: tuple[int, int], value: float
) -> None:
    clean: Float32 = to_float32(noise(4_000))
    broken = clean.copy()
    broken[500] = value

    heard, wanted = Resampler(*pair).push(broken), Resampler(*pair).push(clean)

    after = (500 + filter_bank(*pair).history + 1) * pair[1] // pair[0] + 1
    assert np.isfinite(heard).all()
    assert heard[after:] == pytest.approx(wanted[after:], abs=1e-6)


# Settings and misuse


def test_equal_rates_pass_through() -> None:
    resampler, samples = Resampler(16_000, 16_000), noise(320)

    assert resampler.push(samples) is samples
    assert resampler.delay_samples == 0
    assert resampler.flush().size == 0
    resampler.reset()


def test_a_resampler_prints_its_rates() -> None:
    assert str(Resampler(8_000, 48_000)) == "pcm 8000 -> pcm 48000"


@pytest.mark.parametrize("rate", [0, -8_000, 44_000, 8_000.0, "8000", True, None])
def test_a_wrong_rate_on_either_side_raises_codec_error(rate: Any) -> None:
    with pytest.raises(CodecError, match="cannot resample at a rate of"):
        Resampler(rate, 8_000)
    with pytest.raises(CodecError, match="cannot resample at a rate of"):
        Resampler(8_000, rate)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 2), np.int16), np.zeros(4, ">i2")])
@pytest.mark.parametrize("to_hz", [8_000, 16_000])
def test_what_is_not_one_row_of_int16_or_float32_raises_codec_error(
    wrong: NDArray[Any], to_hz: int
) -> None:
    with pytest.raises(CodecError, match="one row of int16 or float32"):
        Resampler(8_000, to_hz).push(wrong)


@pytest.mark.parametrize("pair", [(8_000, 48_000), (48_000, 8_000), (11_025, 32_000)])
def test_an_instance_takes_less_than_twelve_kilobytes(pair: tuple[int, int]) -> None:
    frame = noise(pair[0] // 50)
    Resampler(*pair).push(frame)  # the shared filters are there from now on
    tracemalloc.start()

    many = [Resampler(*pair) for _ in range(50)]
    for resampler in many:
        resampler.push(frame)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken / len(many) < 12_000
