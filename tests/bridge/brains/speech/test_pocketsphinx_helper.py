"""The program in which pocketsphinx hears, over its own pipes."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from bridge.brains.speech.helper import Helper, HelperDied
from bridge.errors import BrainError
from tests.fakes.helper_programs import fake

MAIN = "from bridge.brains.speech import pocketsphinx_helper as program\n"
BUZZ = np.resize([8_000, -2_000, 4_000, -6_000, 100] * 20 + [0] * 60, 8_000).astype("<i2").tobytes()
SILENT = "program._Ear.sounds = lambda ear, audio: None\n"


@contextmanager
def running(changes: str = "") -> Iterator[Helper]:
    """The program with changes that Python can do to it before it starts."""
    python, *_, body = fake("")
    body = body.replace("requests, replies = open_pipes()\n", "")
    helper = Helper(
        "pocketsphinx", (python, "-c", body + MAIN + changes + "\nprogram.main()"), 30.0
    )
    try:
        yield helper
    finally:
        helper.stop()


def test_turn_without_phones_has_no_words_and_needs_no_dictation() -> None:
    with running(SILENT + "program._Ear.load_dictation = None") as helper:
        helper.greet()
        fields, data = helper.request({"phrases": ["yes", "no"]}, BUZZ)

    assert fields["text"] == ""
    assert fields["phrase"] is None
    assert data == b""


def test_helper_that_cannot_load_its_library_says_so() -> None:
    with (
        running("sys.modules['pocketsphinx'] = None") as helper,
        pytest.raises(BrainError, match=r"pocketsphinx: .*pocketsphinx") as raised,
    ):
        helper.greet()

    assert not isinstance(raised.value, HelperDied)


@pytest.mark.parametrize(
    "act", ["os.kill(os.getpid(), signal.SIGSEGV)", "sys.exit(3)", "exec('raise RuntimeError')"]
)
def test_turn_that_its_fork_dies_of_ends_the_helper(act: str) -> None:
    with running(f"program._Ear.sounds = lambda ear, audio: {act}") as helper:
        helper.greet()
        with pytest.raises(HelperDied, match="has ended"):
            helper.request({"phrases": ["yes"]}, BUZZ)


def test_models_are_loaded_before_the_fork_so_that_the_next_turn_has_them() -> None:
    changes = """
program._Ear.sounds = lambda ear, audio: 0.0
program._Ear.phrase = lambda ear, audio, phrases, free: None
def load(ear): ear.n_loaded = getattr(ear, 'n_loaded', 0) + 1
program._Ear.load_dictation = load
program._Ear.dictate = lambda ear, audio: str(ear.n_loaded)
"""
    with running(changes) as helper:
        helper.greet()
        texts = [helper.request({"phrases": []}, BUZZ)[0]["text"] for _ in range(2)]

    assert texts == ["1", "2"]


def test_where_nothing_can_fork_turns_are_heard_one_after_another_all_the_same() -> None:
    with running(SILENT + "del os.fork") as helper:
        helper.greet()
        replies = [helper.request({"phrases": ["yes"]}, BUZZ)[0] for _ in range(2)]

    assert replies[0] == replies[1]
    assert replies[0]["text"] == ""


def test_it_ends_when_nobody_is_there_any_more() -> None:
    with running() as helper:
        helper.greet()
        assert helper._process.stdin is not None
        helper._process.stdin.close()

        assert helper._process.wait(30) == 0
