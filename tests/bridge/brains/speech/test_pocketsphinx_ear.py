"""The embedded ear, with the real model and with helpers that fail."""

import asyncio
import functools
import importlib.util
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import bridge
from bridge.brains.base import HEAR_HZ
from bridge.brains.registry import shipped_script
from bridge.brains.script.compile import compile_script
from bridge.brains.script.program import WaitNode
from bridge.brains.speech.ear import Heard
from bridge.brains.speech.espeak import EspeakOptions, EspeakVoice
from bridge.brains.speech.pocketsphinx_ear import (
    MAX_HELPERS,
    MAX_TURN_S,
    MIN_SPREAD_DB,
    PocketsphinxEar,
)
from bridge.errors import BrainError, MissingExtra
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16, silence
from bridge_codecs.resample import Resampler
from tests.fakes.helper_programs import GREET, HANG, fake

Hear = Callable[[Int16, tuple[str, ...]], Heard]

RECORDINGS = Path(bridge.__file__).parent / "assets" / "recordings"
NOT_A_PHRASE = "something else"
# The real ear but for free dictation, which takes a second each time.
NO_DICTATION = f"""
from bridge.brains.speech import pocketsphinx_helper
pocketsphinx_helper._Ear.load_dictation = lambda ear: None
pocketsphinx_helper._Ear.dictate = lambda ear, audio: {NOT_A_PHRASE!r}
"""
REPEAT = "while request := read(requests): write(replies, {'text': str(len(request[1])), 'phrase': None})\n"


def wait_for(phrase: str) -> tuple[str, ...]:
    """All that the receptionist listens for where it listens for this phrase."""
    nodes = compile_script(shipped_script("receptionist")).nodes
    found = [tuple(node.answers) for node in nodes if isinstance(node, WaitNode)]
    [phrases] = {phrases for phrases in found if phrase in phrases}
    return phrases


NEED = wait_for("book an appointment please")
DAY = wait_for("on monday please")
TIME = wait_for("in the afternoon please")
MORE = wait_for("that is all")
CALLERS = {
    "hours": ("what are your opening hours", NEED),
    "appointment": ("i would like to book an appointment", NEED),
    "monday": ("on monday please", DAY),
    "afternoon": ("in the afternoon please", TIME),
    "nothing-else": ("no thank you", MORE),
}


def at_hear_hz(samples: Int16, rate_hz: int) -> Int16:
    resampler = Resampler(rate_hz, HEAR_HZ)
    return np.concatenate((resampler.push(samples), resampler.flush()))


@functools.cache
def recording(name: str) -> Int16:
    samples, rate_hz = soundfile.read(RECORDINGS / f"{name}.flac", dtype="int16")
    return at_hear_hz(samples, rate_hz)


RECORDED = EspeakOptions(voice="en-us+f4", words_per_minute=145)
OTHERS = (EspeakOptions(), EspeakOptions("en-us+m3", 150, 40), EspeakOptions("en-us+f2", 160, 55))


@functools.cache
def spoken(text: str, caller: EspeakOptions = RECORDED, *, wide: bool = False) -> Int16:
    """Another text, by the recordings' caller or another, cut to the telephone's band or not."""
    voice = EspeakVoice(caller)
    utterance = run_virtual(voice.say(text))
    run_virtual(voice.close())
    if wide:
        return at_hear_hz(utterance.samples, voice.rate_hz)
    spectrum = np.fft.rfft(utterance.samples)
    hz = np.fft.rfftfreq(utterance.samples.size, 1 / voice.rate_hz)
    spectrum[(hz < 300) | (hz > 3_400)] = 0
    filtered = np.fft.irfft(spectrum, utterance.samples.size)
    return at_hear_hz(np.rint(filtered).astype(np.int16), voice.rate_hz)


@pytest.fixture(scope="module")
def hear() -> Iterator[Hear]:
    """The real ear but for free dictation, in virtual time; one for all tests."""
    ear = PocketsphinxEar(command=fake_ear())
    run_virtual(ear.hear(recording("monday"), DAY))
    yield lambda samples, phrases: run_virtual(ear.hear(samples, phrases))
    run_virtual(ear.close())


def fake_ear() -> tuple[str, ...]:
    """As `fake`, but with the libraries, and the program opens its own pipes."""
    python, *_, body = fake("")
    body = body.replace("requests, replies = open_pipes()\n", "")
    return (python, "-c", body + NO_DICTATION + "pocketsphinx_helper.main()")


# --- what it hears -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLERS)
def test_shipped_callers_are_heard_right(hear: Hear, name: str) -> None:
    said, phrases = CALLERS[name]

    assert hear(recording(name), phrases) == Heard(said, said)


@pytest.mark.parametrize(
    ("said", "phrases"),
    [
        ("elephants", NEED),
        ("elephants", DAY),
        ("where can i park my car", NEED),
        ("where can i park my car", MORE),
    ],
)
def test_phrase_that_is_not_expected_is_rejected(
    hear: Hear, said: str, phrases: tuple[str, ...]
) -> None:
    audio = recording(said) if said == "elephants" else spoken(said)

    assert hear(audio, phrases) == Heard(NOT_A_PHRASE, None)


@pytest.mark.parametrize("caller", OTHERS, ids=lambda caller: caller.voice)
@pytest.mark.parametrize(
    ("said", "phrases"),
    [
        ("i would like to book an appointment", NEED),
        ("how much does it cost", NEED),
        ("what are your opening hours", NEED),
        ("on wednesday please", DAY),
        ("friday please", DAY),
        ("in the morning", TIME),
        ("in the afternoon", TIME),
        ("yes please", MORE),
        ("no thank you", MORE),
        ("that is all", MORE),
    ],
)
def test_other_callers_are_heard_right_too(
    hear: Hear, said: str, phrases: tuple[str, ...], caller: EspeakOptions
) -> None:
    assert hear(spoken(said, caller), phrases) == Heard(said, said)


@pytest.mark.parametrize(
    ("said", "phrases"), [("how much does it cost", NEED), ("in the morning", TIME)]
)
def test_caller_beyond_the_telephones_band_is_heard_too(
    hear: Hear, said: str, phrases: tuple[str, ...]
) -> None:
    assert hear(spoken(said, wide=True), phrases) == Heard(said, said)


def test_turn_in_which_the_level_hardly_moves_has_no_words(hear: Hear) -> None:
    noise = np.random.default_rng(3).normal(0, 100, HEAR_HZ)
    swell = np.where(np.arange(HEAR_HZ) < HEAR_HZ // 2, 1.0, 10 ** (MIN_SPREAD_DB / 20))

    flat = (noise * swell**0.7).astype(np.int16)
    moving = (noise * swell**1.4).astype(np.int16)

    assert hear(flat, ()) == Heard("", None)
    assert hear(moving, ()).text == NOT_A_PHRASE


def test_same_audio_is_heard_the_same_whatever_was_heard_before(hear: Hear) -> None:
    turns = [(recording(name), CALLERS[name][1]) for name in ("monday", "nothing-else", "hours")]
    turns += [(recording("elephants"), DAY), (silence(HEAR_HZ), NEED)]
    turns = random.Random(1).sample(turns, len(turns))
    first = [hear(*turn) for turn in turns]

    assert [hear(*turn) for turn in reversed(turns)] == first[::-1]


def test_phrase_comes_back_as_it_was_given(hear: Hear) -> None:
    phrases = tuple(phrase.title().replace(" ", "  ") for phrase in DAY)

    assert hear(recording("monday"), phrases).phrase == "On  Monday  Please"


def test_phrases_that_cannot_be_pronounced_are_left_out_of_the_grammar(hear: Hear) -> None:
    unknown = ("zyxxy qwrtz", "tipring", "", " ", "naïve 427", "\ud800", "😀")
    grammatical = ("<sil>", "</s>", "[NOISE]", "a(2)", "public <p> = yes; //", "x | y*", '"')

    heard = hear(recording("monday"), (*unknown, *grammatical, *DAY))

    assert heard.phrase == "on monday please"


def test_no_pronounceable_phrase_leaves_the_turn_to_free_dictation(hear: Hear) -> None:
    assert hear(recording("monday"), ("zyxxy", "")) == Heard(NOT_A_PHRASE, None)
    assert hear(recording("monday"), ()) == Heard(NOT_A_PHRASE, None)


@pytest.mark.parametrize(
    "samples",
    [
        silence(0),
        silence(1),
        silence(HEAR_HZ // 10 - 1),
        silence(HEAR_HZ // 10),
        silence(2 * HEAR_HZ),
        recording("silent")[: 2 * HEAR_HZ],
        np.full(HEAR_HZ, 32_767, np.int16),
        np.tile(np.array([32_767, -32_768], np.int16), HEAR_HZ // 2),
        np.random.default_rng(1).normal(0, 3_000, 2 * HEAR_HZ).astype(np.int16),
        np.random.default_rng(2).integers(-32_768, 32_767, HEAR_HZ, dtype=np.int16),
    ],
    ids=[
        "none",
        "one",
        "under 0.1 s",
        "0.1 s",
        "silence",
        "line noise",
        "full",
        "square",
        "noise",
        "white",
    ],
)
def test_in_a_turn_without_speech_nothing_is_heard(hear: Hear, samples: Int16) -> None:
    assert hear(samples, NEED) == Heard("", None)


def test_free_dictation_gives_words_of_its_own() -> None:
    ear = PocketsphinxEar()
    audio = recording("monday")

    first, second = (run_virtual(ear.hear(audio, ())) for _ in range(2))

    assert first == second
    assert first.phrase is None
    assert "monday" in first.text.split()
    run_virtual(ear.close())


# --- how it works ------------------------------------------------------------------------------


async def test_no_more_turns_than_helpers_are_heard_at_once() -> None:
    body = "write(replies, {'text': str(os.getpid()), 'phrase': None})\n"
    ear = PocketsphinxEar(command=fake(GREET + "while read(requests): " + body))

    heard = await asyncio.gather(*(ear.hear(recording("monday"), ()) for _ in range(12)))

    assert 1 <= len({turn.text for turn in heard}) <= MAX_HELPERS
    await ear.close()


async def test_loop_goes_on_while_a_turn_is_heard() -> None:
    ear = PocketsphinxEar(command=fake_ear())
    turn = asyncio.create_task(ear.hear(recording("appointment"), NEED))
    loop = asyncio.get_running_loop()
    n_turns, last_s, longest_s = 0, loop.time(), 0.0

    while not turn.done():
        await asyncio.sleep(0.001)
        n_turns, longest_s = n_turns + 1, max(longest_s, loop.time() - last_s)
        last_s = loop.time()

    assert n_turns > 20  # half a second's work
    await ear.close()


async def test_turn_that_nobody_waits_for_any_more_does_not_spoil_the_next() -> None:
    ear = PocketsphinxEar(command=fake_ear())
    dropped = asyncio.create_task(ear.hear(recording("appointment"), NEED))
    await asyncio.sleep(0)

    dropped.cancel()
    heard = await asyncio.gather(*(ear.hear(recording("monday"), DAY) for _ in range(2)))

    assert [turn.phrase for turn in heard] == 2 * ["on monday please"]
    await ear.close()


@pytest.mark.parametrize(("seconds", "heard_s"), [(MAX_TURN_S, MAX_TURN_S), (60, MAX_TURN_S)])
def test_of_a_long_turn_the_end_is_heard(seconds: int, heard_s: int) -> None:
    ear = PocketsphinxEar(command=fake(GREET + REPEAT))

    heard = run_virtual(ear.hear(np.resize(recording("monday"), seconds * HEAR_HZ), ()))

    assert heard.text == str(2 * heard_s * HEAR_HZ)
    run_virtual(ear.close())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "pocketsphinx: the helper process has ended"),
        ("write(replies, {'error': 'no model'})", "pocketsphinx: no model"),
        (GREET + "read(requests)\n" + HANG, r"did not answer within 0\.3 s"),
        (GREET + "while read(requests): write(replies, {})", "sends nonsense"),
        (GREET + "while read(requests): write(replies, {'text': 'a', 'phrase': 2})", "nonsense"),
        (GREET + "while read(requests): write(replies, {'text': 'a', 'phrase': -1})", "nonsense"),
    ],
)
def test_failing_helper_is_a_sentence(body: str, sentence: str) -> None:
    ear = PocketsphinxEar(command=fake(body), deadline_s=0.3)

    with pytest.raises(BrainError, match=sentence):
        run_virtual(ear.hear(recording("monday"), ("yes", "no")))
    run_virtual(ear.close())


async def test_close_ends_a_turn_that_is_being_heard() -> None:
    ear = PocketsphinxEar(command=fake(GREET + "read(requests)\n" + HANG))
    turn = asyncio.create_task(ear.hear(recording("monday"), ()))
    await asyncio.sleep(0)

    await ear.close()
    await ear.close()

    with pytest.raises(BrainError):
        await turn
    with pytest.raises(BrainError, match="pocketsphinx is closed"):
        await ear.hear(recording("monday"), ())


def test_missing_library_is_named_when_the_ear_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(MissingExtra, match=r"pocketsphinx: pip install 'tipring\[speech\]'"):
        PocketsphinxEar()
