import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.stats import DURATION_S, LATENESS_S, Histogram

FIGURES = st.lists(st.floats(0, 10), min_size=1, max_size=100)


def filled(*figures: float, bounds: tuple[float, ...] = (1, 2, 5)) -> Histogram:
    histogram = Histogram(bounds)
    for figure in figures:
        histogram.observe(figure)
    return histogram


def test_a_figure_on_a_bound_belongs_below_it() -> None:
    histogram = filled(0, 1, 1.5, 2, 5, 5.1, 100)

    assert histogram.counts == [2, 2, 1, 2]
    assert (histogram.n, histogram.total, histogram.largest) == (7, 114.6, 100)


@pytest.mark.parametrize("bounds", [(), (1, 1), (2, 1), (1, math.nan), (1, math.inf), (math.nan,)])
def test_bounds_that_do_not_rise_are_refused(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        Histogram(bounds)


def test_nothing_seen_has_quantile_zero() -> None:
    assert filled().quantile(0.99) == 0.0


def test_a_quantile_is_interpolated_within_its_range() -> None:
    histogram = filled(*[1.5] * 50, *[4.9] * 50)

    assert histogram.quantile(0.25) == 1.5
    assert histogram.quantile(0.5) == 2.0
    assert histogram.quantile(0.75) == pytest.approx((2 + 4.9) / 2)
    assert histogram.quantile(1.0) == 4.9


def test_above_the_last_bound_the_largest_counts() -> None:
    assert filled(7, 9).quantile(1.0) == 9
    assert 5 < filled(7, 9).quantile(0.5) <= 9


@given(FIGURES, st.floats(0, 1))
def test_a_quantile_is_never_off_by_more_than_its_range(figures: list[float], q: float) -> None:
    bounds = tuple(range(1, 10))
    exact = sorted(figures)[max(0, math.ceil(q * len(figures)) - 1)]

    assert abs(filled(*figures, bounds=bounds).quantile(q) - exact) <= 1.0 + 1e-9


@given(FIGURES, FIGURES)
def test_adding_is_as_if_one_had_seen_all(a: list[float], b: list[float]) -> None:
    both = filled(*a)
    both.add(filled(*b))

    together = filled(*a, *b)
    assert both.counts == together.counts
    assert both.largest == together.largest
    assert both.total == pytest.approx(together.total)


def test_other_bounds_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="different bounds"):
        filled().add(Histogram([1]))


def test_the_bounds_that_ship_rise() -> None:
    for bounds in (LATENESS_S, DURATION_S):
        assert Histogram(bounds).bounds == bounds
