"""The needle of a level meter."""

import numpy as np
import pytest

from bridge.legs.device.meter import FALL_DB_PER_S, HOLD_S, Meter

LOUD = np.full(160, 16_384, np.int16)
SOFT = np.full(160, 164, np.int16)


def test_the_needle_rises_at_once_stays_and_falls_slowly() -> None:
    meter = Meter()
    assert meter.dbfs(0.0) == -120
    meter.saw(LOUD, 1.0)
    assert meter.dbfs(1.0) == pytest.approx(-6.02, abs=0.01)
    assert meter.dbfs(1.0 + HOLD_S) == pytest.approx(-6.02, abs=0.01)
    meter.saw(SOFT, 1.1 + HOLD_S)
    assert meter.dbfs(1.1 + HOLD_S) == pytest.approx(-6.02 - FALL_DB_PER_S / 10, abs=0.01)
    meter.saw(SOFT, 2.0)
    assert meter.dbfs(2.0) == pytest.approx(-46.0, abs=0.1)
    assert meter.dbfs(60.0) == -120


def test_soft_sound_does_not_hold_the_needle_up() -> None:
    meter = Meter()
    meter.saw(LOUD, 1.0)
    for k in range(50):
        meter.saw(SOFT, 1.0 + HOLD_S * k / 2)
    assert meter.dbfs(1.0 + 25 * HOLD_S) == pytest.approx(-46.0, abs=0.1)
