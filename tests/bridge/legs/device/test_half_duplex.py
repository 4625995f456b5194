"""Half duplex: no microphone while the loudspeaker sounds and 0.3 s longer."""

import numpy as np
import pytest

from bridge.legs.device.half_duplex import HANGOVER_MS, HalfDuplex
from bridge_codecs.pcm import Int16

VOICE: Int16 = np.full(160, 5_000, np.int16)
SILENCE: Int16 = np.zeros(160, np.int16)


def test_the_microphone_passes_while_the_loudspeaker_is_silent() -> None:
    gate = HalfDuplex()
    gate.played(SILENCE)
    assert gate.heard(VOICE, 40) is VOICE


@pytest.mark.parametrize("delay_ms", [0, 40, 200])
def test_it_is_muted_for_the_delay_and_the_hangover_after_the_last_sound(delay_ms: int) -> None:
    gate = HalfDuplex()
    gate.played(VOICE)
    muted = [not gate.heard(VOICE, delay_ms).any() for _ in range(80)]
    n_muted = (delay_ms + HANGOVER_MS) // 10
    assert muted == [True] * n_muted + [False] * (80 - n_muted)
    assert gate.muted_frames == n_muted


def test_each_sound_of_the_loudspeaker_begins_the_time_anew() -> None:
    gate = HalfDuplex()
    for _ in range(500):
        gate.played(VOICE)
        assert not gate.heard(VOICE, 40).any()


def test_sounds_that_nobody_hears_mute_nothing() -> None:
    gate = HalfDuplex()
    gate.played(np.full(160, 20, np.int16))  # -64 dBFS
    assert gate.heard(VOICE, 40) is VOICE
    gate.played(np.full(160, 40, np.int16))  # -58 dBFS
    assert not gate.heard(VOICE, 40).any()


def test_a_delay_below_nought_shortens_nothing() -> None:
    gate = HalfDuplex()
    gate.played(VOICE)
    assert sum(not gate.heard(VOICE, -500).any() for _ in range(80)) == HANGOVER_MS // 10
