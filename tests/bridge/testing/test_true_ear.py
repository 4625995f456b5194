import numpy as np
import pytest

from bridge.testing.true_ear import Hole, Stretch, TrueEar
from bridge_codecs.pcm import silence


def loud(n: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.full(n, 1_000, np.int16)


def ear_with(*n_real: int) -> TrueEar:
    """Packets of 160 samples, so many of each the application's own."""
    ear = TrueEar(8_000)
    ear.start(10.0)
    for n in n_real:
        ear.packet(silence(160), np.pad(loud(n), (0, 160 - n)), n)
    return ear


def test_packets_without_a_break_are_one_stretch() -> None:
    assert ear_with(160, 160, 40, 0, 160).stretches == [Stretch(0, 360), Stretch(640, 800)]


def test_both_sides_have_the_same_samples_and_the_same_clock() -> None:
    ear = ear_with(160, 0)

    assert ear.heard().size == ear.said().size == 320
    assert ear.time_of(160) == pytest.approx(10.02)
    assert ear.n_heard == 160


def test_a_short_silence_inside_speech_is_a_hole_a_long_one_is_none() -> None:
    ear = ear_with(160, 0, 160, *[0] * 25, 160)

    assert ear.holes() == [Hole(160, 320)]


def test_the_silence_that_a_clear_made_is_no_hole() -> None:
    ear = ear_with(160)
    ear.cleared(10.015, dropped=800, marks=1)
    ear.packet(silence(160), silence(160), 0)
    ear.packet(silence(160), loud(160), 160)

    assert ear.holes() == []


@pytest.mark.parametrize(("at_s", "silence_ms"), [(10.005, 15.0), (10.02, 0.0), (11.0, 0.0)])
def test_silence_after_a_clear_counts_from_when_it_came(at_s: float, silence_ms: float) -> None:
    ear = ear_with(160)
    cleared = ear.cleared(at_s, dropped=0, marks=0)

    assert cleared.silent_from == 160
    assert ear.silence_after_ms(cleared) == pytest.approx(silence_ms)


def test_an_ear_that_heard_nothing_says_so() -> None:
    ear = ear_with()

    assert ear.heard().size == 0
    assert ear.silence_after_ms(ear.cleared(10.0, dropped=0, marks=0)) == 0
