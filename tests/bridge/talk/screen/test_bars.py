import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.talk.screen.bars import FLOOR_DBFS, Falling, bar, columns, latency_part, level_part


@given(st.floats(allow_nan=False), st.integers(0, 200), st.booleans())
def test_a_bar_is_as_wide_as_asked_for_whatever_it_shows(
    part: float, width: int, plain: bool
) -> None:
    assert len(bar(part, width, plain=plain)) == width


def test_a_bar_shows_eighths_of_a_cell() -> None:
    assert bar(1 / 16, 2) == "▏ "
    assert bar(15 / 16, 2) == "█▉"
    assert bar(1.0, 2) == "██"


def test_a_plain_bar_has_letters_of_ascii_only() -> None:
    assert bar(0.5, 4, plain=True) == "##--"


def test_a_meter_is_empty_at_the_floor_and_full_at_full_scale() -> None:
    assert level_part(FLOOR_DBFS) == 0
    assert level_part(FLOOR_DBFS + 0.1) > 0
    assert level_part(0.0) == level_part(12.0) == 1
    assert level_part(-0.1) < 1
    assert level_part(math.nan) == level_part(-math.inf) == 0


def test_a_latency_bar_is_full_at_two_seconds() -> None:
    assert latency_part(1_999) < latency_part(2_000) == latency_part(60_000) == 1
    assert latency_part(-5) == 0


def test_columns_show_the_last_latencies_only() -> None:
    assert columns([0.0, 0.0, 2_000.0], 2) == "▁█"
    assert columns([400.0, 8_600.0], 5, plain=True) == "09"
    assert columns([1.0], 0) == ""


def test_a_needle_rises_at_once_and_falls_slowly() -> None:
    needle = Falling(db_per_s=40)

    assert needle.take(-10, 0.0) == -10
    assert needle.take(-100, 0.1) == pytest.approx(-14)
    assert needle.take(-12, 0.2) == -12
    assert needle.take(-100, 60.0) == FLOOR_DBFS
