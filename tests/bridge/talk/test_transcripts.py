"""The words of a call: how they grow, what of them was heard, how much is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.call_log import MAX_CHARACTERS, MAX_UTTERANCE, Room
from bridge.talk.events import Transcript
from bridge.talk.transcripts import Transcripts, unheard_of
from bridge.wire.messages import Transcript as Message


class Kept:
    """Transcripts whose clock a test turns."""

    def __init__(self) -> None:
        self.now = 0.0
        self.full = 0
        self.told: list[Transcript] = []
        self.words = Transcripts(lambda: self.now, Room(self._full), self.told.append)

    def _full(self) -> None:
        self.full += 1

    def say(
        self, text: str = "", *, delta: str = "", final: bool = False, ordinal: int = 0
    ) -> None:
        said = {"delta": delta} if delta else {"text": text}
        self.words.take(
            Message.model_validate({"role": "agent", "final": final, "ordinal": ordinal, **said})
        )

    @property
    def parts(self) -> list[tuple[str, str]]:
        return [(each.text, each.unheard) for each in self.words.all()]


def test_words_grow_by_deltas_and_are_replaced_by_texts() -> None:
    kept = Kept()
    kept.say("Hello")
    kept.now = 2.0
    kept.say(delta=" there")
    kept.say("Hello there.", final=True)

    assert [each.text for each in kept.told] == ["Hello", "Hello there", "Hello there."]
    assert (kept.told[-1].start_s, kept.told[-1].end_s, kept.told[-1].final) == (0, 2, True)


def test_words_that_change_nothing_are_no_news() -> None:
    kept = Kept()
    kept.say("a" * MAX_UTTERANCE)
    kept.say(delta="more")
    kept.say(delta="more")
    assert len(kept.told) == 1

    kept.say("a" * MAX_UTTERANCE, final=True)
    kept.say("a" * MAX_UTTERANCE, final=True)
    assert [each.final for each in kept.told] == [False, True]


def test_blank_messages_are_nobody_s_business() -> None:
    kept = Kept()
    kept.say("", final=True)

    assert kept.told == []
    assert kept.parts == []


@pytest.mark.parametrize(
    ("heard", "unheard", "final", "beyond", "parts"),
    [
        ("One", "two", "One two", " three", ("One", "two three")),
        ("One", "two", "One two", None, ("One", "two")),
        ("One two", "", "One two", " three.", ("One two", "three.")),
        ("One two", "", "One two", "three", ("One two", "three")),
        ("", "One two", "One two", None, ("", "One two")),
        ("One two", "", "One", None, ("One", "two")),  # the server took its word back
        ("One two", "", "One", " two three", ("One", "two three")),
        ("Other words", "two", "One two", None, ("One two", "")),
        ("One two", "", "One two", None, ("One two", "")),
    ],
)
def test_what_was_cut_off_has_a_heard_and_an_unheard_part(
    heard: str, unheard: str, final: str, beyond: str | None, parts: tuple[str, str]
) -> None:
    kept = Kept()
    kept.say("One")
    kept.say(delta=" two")
    cut = kept.words.cut(heard, unheard)
    kept.say(final, final=True)
    if beyond is not None:
        kept.words.cut_off(0, beyond)

    assert cut is not None
    assert kept.parts == [parts]
    assert kept.words.cuts == {0: 0.0}


def test_a_cut_outside_an_utterance_touches_none() -> None:
    kept = Kept()
    kept.say("One", final=True)

    assert kept.words.cut("One", "two") is None
    assert kept.parts == [("One", "")]


def test_what_is_told_of_a_message_that_does_not_exist_is_dropped() -> None:
    kept = Kept()
    kept.words.cut_off(7, "words")

    assert kept.parts == []


def test_a_far_end_that_never_stops_fills_no_memory() -> None:
    kept = Kept()
    n = MAX_CHARACTERS // 60_100
    for ordinal in range(n + 3):
        kept.say("x" * 60_000, ordinal=ordinal)

    assert len(kept.parts) == n
    assert kept.full == 3


_SAY = st.tuples(st.text(max_size=4), st.booleans(), st.booleans(), st.integers(0, 2))


@given(st.lists(st.one_of(_SAY, st.tuples(st.text(max_size=4), st.text(max_size=4))), max_size=12))
def test_whatever_is_said_and_cut_every_utterance_stands_once(
    steps: list[tuple[object, ...]],
) -> None:
    kept = Kept()
    for step in steps:
        match step:
            case (str(text), bool(whole), bool(final), int(ordinal)):
                kept.say(
                    text if whole else "", delta="" if whole else text, final=final, ordinal=ordinal
                )
            case (str(heard), str(unheard)):
                kept.words.cut(heard, unheard)
    ordinals = [each.ordinal for each in kept.words.all()]

    assert ordinals == sorted(set(ordinals))
    assert all(each.text or each.unheard for each in kept.words.all())


@pytest.mark.parametrize(
    "extras",
    [
        None,
        3,
        {},
        {"ordinal": 1},
        {"ordinal": "1", "unheardText": "x"},
        {"ordinal": True, "unheardText": ""},
    ],
)
def test_extras_of_another_form_say_nothing(extras: object) -> None:
    assert unheard_of(extras) is None


def test_extras_of_an_interruption_say_what_was_left_unsaid() -> None:
    assert unheard_of({"ordinal": 3, "unheardText": "x", "more": 1}) == (3, "x")
