"""A loudspeaker that is behind: when that can be told, and what is left out."""

import numpy as np
import pytest

from bridge.legs.device.arrears import ALLOWED_S, SILENT, WINDOW_S, Arrears

RATE_HZ = 24_000
FRAME = 480
PIECE = 240


def in_step(
    arrears: Arrears, seconds: float, waiting_s: float, *, from_s: float, speed: float = 1.0
) -> None:
    for k in range(round(seconds * 50) + 1):
        arrears.came(round(speed * FRAME), waiting_s, from_s + k * 0.02)


def test_what_waits_beyond_what_did_at_first_is_too_much_after_two_windows_and_no_sooner() -> None:
    arrears = Arrears(RATE_HZ)
    in_step(arrears, 2 * WINDOW_S - 0.04, 0.05, from_s=10)
    assert arrears.too_much_s(0.5) == 0
    in_step(arrears, 0.1, 0.05, from_s=10 + 2 * WINDOW_S - 0.02)
    assert arrears.too_much_s(0.5) == pytest.approx(0.45 - ALLOWED_S)
    assert arrears.too_much_s(0.049 + ALLOWED_S) == 0


@pytest.mark.parametrize("speed", [0.8, 1.2, 10.0])
def test_audio_that_comes_in_no_step_is_never_too_much(speed: float) -> None:
    arrears = Arrears(RATE_HZ)
    in_step(arrears, 10, 0.05, from_s=10, speed=speed)
    assert arrears.too_much_s(30) == 0


def test_nothing_is_too_much_after_a_new_beginning() -> None:
    arrears = Arrears(RATE_HZ)
    in_step(arrears, 5, 0.05, from_s=10)
    assert arrears.too_much_s(1) > 0
    arrears.begin_anew()
    assert arrears.too_much_s(1) == 0


def test_only_silence_is_left_out_and_no_more_than_asked() -> None:
    arrears = Arrears(RATE_HZ)
    loud = np.full(PIECE, SILENT + 1, np.int16)
    soft = np.full(PIECE, -SILENT, np.int16)
    rest = np.zeros(PIECE - 1, np.int16)
    samples = np.concatenate((loud, soft, -loud, soft, soft, loud, rest))
    left = arrears.without_silence(samples, 3 * PIECE - 1)
    assert left.tolist() == np.concatenate((loud, -loud, soft, loud, rest)).tolist()
    assert arrears.left_out == 2 * PIECE


@pytest.mark.parametrize("n", [0, 1, PIECE - 1])
def test_less_than_a_piece_stays(n: int) -> None:
    arrears = Arrears(RATE_HZ)
    samples = np.zeros(n, np.int16)
    assert arrears.without_silence(samples, 10 * PIECE) is samples
