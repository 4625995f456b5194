"""The program in which espeak-ng speaks, over its own pipes."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.brains.speech.helper import Helper, HelperDied, program
from bridge.errors import BrainError

MODULE = "bridge.brains.speech.espeak_helper"
SETTINGS = {"voice": "en-us", "words_per_minute": 165, "pitch": 50}


@contextmanager
def started(**settings: object) -> Iterator[Helper]:
    helper = Helper("espeak-ng", program(MODULE, json.dumps({**SETTINGS, **settings})), 30.0)
    try:
        yield helper
    finally:
        helper.stop()


@pytest.fixture
def helper() -> Iterator[Helper]:
    with started() as helper:
        helper.greet()
        yield helper


def test_greeting_tells_rate_and_version(helper: Helper) -> None:
    assert helper._greeting["rate_hz"] == 22_050
    assert "1.52" in str(helper._greeting["version"])
    assert helper.reusable


def test_each_word_has_a_mark_with_its_character_and_sample(helper: Helper) -> None:
    fields, audio = helper.request({"text": "Ça va — très bien"})

    marks = fields["marks"]
    assert isinstance(marks, list)
    # Characters, not bytes: some here have two or three.
    assert [place for place, _ in marks] == [0, 3, 8, 13]
    samples = [sample for _, sample in marks]
    assert samples == sorted(samples)
    assert 2 * samples[-1] < len(audio)


def test_text_without_a_word_has_no_marks(helper: Helper) -> None:
    assert helper.request({"text": ""})[0]["marks"] == []


def test_endless_speech_ends_after_three_minutes(helper: Helper) -> None:
    fields, audio = helper.request({"text": "hippopotamus " * 400})

    assert len(audio) == 2 * 180 * 22_050
    assert fields["marks"]


def test_unknown_voice_is_answered_instead_of_a_greeting() -> None:
    with (
        started(voice="nobody") as helper,
        pytest.raises(BrainError, match="espeak-ng has no voice named 'nobody'") as raised,
    ):
        helper.greet()

    assert not isinstance(raised.value, HelperDied)


def test_ctrl_c_does_not_end_it(helper: Helper) -> None:
    os.killpg(helper._process.pid, signal.SIGINT)

    assert helper.request({"text": "hello"})[1]


def test_it_ends_when_nobody_is_there_any_more(helper: Helper) -> None:
    assert helper._process.stdin is not None
    helper._process.stdin.close()

    assert helper._process.wait(30) == 0
