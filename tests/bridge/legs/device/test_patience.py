"""Patience: more of it after each hole, less after half a minute without."""

import pytest

from bridge.legs.device.patience import EXTRA_MAX_S, EXTRA_S, FORGET_S, Patience


def test_each_hole_makes_it_longer_up_to_a_bound() -> None:
    patience = Patience()
    patience.look(1, 10.0)
    assert patience.extra_s == EXTRA_S
    patience.look(1, 10.1)
    assert patience.extra_s == EXTRA_S
    for holes in range(2, 40):
        patience.look(holes, 11.0)
    assert patience.extra_s == pytest.approx(EXTRA_MAX_S)


def test_it_is_forgotten_in_steps_and_not_before_its_time() -> None:
    patience = Patience()
    patience.look(1, 10.0)
    patience.look(2, 11.0)
    patience.look(2, 11.0 + FORGET_S)
    assert patience.extra_s == 2 * EXTRA_S
    patience.look(2, 11.1 + FORGET_S)
    assert patience.extra_s == EXTRA_S
    patience.look(2, 11.2 + FORGET_S)
    assert patience.extra_s == EXTRA_S
    patience.look(2, 11.3 + 2 * FORGET_S)
    patience.look(2, 11.4 + 3 * FORGET_S)
    assert patience.extra_s == 0.0
