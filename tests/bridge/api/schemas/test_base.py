import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.api.schemas.base import (
    ApiModel,
    Duration,
    Int32,
    Offset,
    PositiveDuration,
    duration_text,
    seconds,
)


class Sample(ApiModel):
    any_offset: Offset | None = None
    some_delay: Duration | None = None
    long_enough: PositiveDuration | None = None
    n_items: Int32 | None = None


def test_null_is_unset() -> None:
    sample = Sample.model_validate({"anyOffset": None, "nItems": 3})

    assert sample.model_fields_set == {"n_items"}


def test_unknown_names_pass_and_snake_case_is_read() -> None:
    sample = Sample.model_validate({"some_delay": "1s", "colour": "red"})

    assert sample.some_delay == "1s"


@pytest.mark.parametrize(
    ("text", "expected_s"), [("0s", 0.0), ("30s", 30.0), ("0.384s", 0.384), ("86400s", 86_400.0)]
)
def test_durations_are_read_as_seconds(text: str, expected_s: float) -> None:
    assert Sample(some_delay=text).some_delay == text
    assert seconds(text) == expected_s


@pytest.mark.parametrize(
    "text", ["", "30", "30 s", "s", "01s", "1.s", ".5s", "1.1234567890s", "1e3s", "٣s", "1s\n"]
)
def test_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="Not a duration"):
        Sample(any_offset=text)


@pytest.mark.parametrize("text", ["-1s", "-0.000000001s", "86400.1s", "999999999999s"])
def test_a_delay_outside_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="from 0s to 86400s"):
        Sample(some_delay=text)


def test_an_offset_may_be_negative() -> None:
    assert Sample(any_offset="-1.5s").any_offset == "-1.5s"


def test_zero_is_too_short_only_where_something_must_last() -> None:
    assert Sample(some_delay="0s", long_enough="0.000000001s").some_delay == "0s"
    with pytest.raises(ValidationError, match="longer than 0s"):
        Sample(long_enough="0.0s")


@pytest.mark.parametrize("value", [-(2**31), 2**31 - 1, 16_000.0])
def test_whole_numbers_of_32_bits_are_taken(value: float) -> None:
    assert Sample.model_validate({"nItems": value}).n_items == value


@pytest.mark.parametrize("value", [-(2**31) - 1, 2**31, 0.5, True, "1", [1]])
def test_what_is_no_whole_number_of_32_bits_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"nItems": value})


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [(30.0, "30s"), (0.384, "0.384s"), (0.0, "0s"), (-0.0000001, "0s"), (1200.0, "1200s")],
)
def test_seconds_are_written_without_trailing_zeros(duration_s: float, expected: str) -> None:
    assert duration_text(duration_s) == expected


@given(st.integers(0, 10**11))
def test_written_durations_are_read_back_to_the_microsecond(microseconds: int) -> None:
    text = duration_text(microseconds / 1e6)

    assert Sample(any_offset=text).any_offset == text
    assert seconds(text) == pytest.approx(microseconds / 1e6, abs=5e-7)
