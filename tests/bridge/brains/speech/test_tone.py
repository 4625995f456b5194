import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.speech.loudness import active_dbfs
from bridge.brains.speech.tone import ToneVoice
from bridge.brains.speech.voice import Utterance, Word
from bridge.virtual import run_virtual


def say(text: str, rate_hz: int = 16_000) -> Utterance:
    return run_virtual(ToneVoice(rate_hz).say(text))


def test_words_last_sixty_milliseconds_a_character() -> None:
    utterance = say("Yes, sir.")

    assert utterance.words == (Word("Yes,", 0), Word(" sir.", 4 * 960))
    assert utterance.samples.size == 8 * 960


def test_level_is_that_of_a_telephone_voice() -> None:
    assert active_dbfs(say("aaaaaaaaaaaaaaaaaaaa").samples, 16_000) == pytest.approx(-20, abs=0.5)


def test_words_are_apart() -> None:
    utterance = say("one two")

    assert not utterance.samples[3 * 960 - 480 : 3 * 960].any()
    assert utterance.samples[3 * 960 : 3 * 960 + 480].any()


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_text_without_a_character_is_no_sound(text: str) -> None:
    utterance = say(text)

    assert utterance.samples.size == 0
    assert "".join(word.text for word in utterance.words) == text


def test_text_beyond_the_bound_is_not_sounded_but_kept() -> None:
    text = "a" * 2_000 + " b"

    utterance = say(text, 8_000)

    assert utterance.samples.size == 2_000 * 480
    assert "".join(word.text for word in utterance.words) == text


@given(text=st.text(max_size=60), rate_hz=st.sampled_from([8_000, 16_000, 22_050, 48_000]))
def test_any_text_gives_words_in_order(text: str, rate_hz: int) -> None:
    utterance = say(text, rate_hz)

    starts = [word.start for word in utterance.words]
    assert "".join(word.text for word in utterance.words) == text
    assert starts == sorted(starts)
    assert all(start <= utterance.samples.size for start in starts)
    assert utterance.samples.dtype == np.int16
    assert not utterance.samples.flags.writeable
