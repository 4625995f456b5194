"""A key's tone over what the call plays."""

import numpy as np

from bridge.legs.device.key_tone import TONE_MAX_S, KeyTone

RATE_HZ = 8_000


def test_it_is_added_and_limited_and_used_up_in_pieces() -> None:
    tone = KeyTone(RATE_HZ)
    tone.play(np.array([100, 200, 30_000], np.int16))
    first = tone.mixed(np.array([1, 2], np.int16), 2)
    assert first.tolist() == [101, 202]
    assert tone.size == 1
    assert tone.mixed(np.array([30_000, 7], np.int16), 2).tolist() == [32_767, 7]
    assert tone.size == 0


def test_it_is_heard_where_the_call_says_nothing() -> None:
    tone = KeyTone(RATE_HZ)
    tone.play(np.array([5, 6, 7], np.int16))
    assert tone.mixed(np.empty(0, np.int16), 2).tolist() == [5, 6]


def test_without_one_the_samples_are_what_they_were() -> None:
    samples = np.array([1, 2], np.int16)
    assert KeyTone(RATE_HZ).mixed(samples, 2) is samples


def test_it_is_cut_and_can_be_stopped() -> None:
    tone = KeyTone(RATE_HZ)
    tone.play(np.ones(TONE_MAX_S * RATE_HZ, np.int16))
    tone.play(np.ones(1, np.int16))
    assert tone.size == TONE_MAX_S * RATE_HZ
    tone.stop()
    assert tone.size == 0
