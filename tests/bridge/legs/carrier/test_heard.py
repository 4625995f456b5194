from dataclasses import dataclass

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.legs.carrier.heard import LONGEST_SHOWN, PIECES_KEPT, HeardText
from bridge.wire.messages import Transcript

RATE_HZ = 8_000


def shown(ordinal: int, *, text: str | None = None, delta: str | None = None) -> Transcript:
    return Transcript(role="agent", text=text, delta=delta, final=False, ordinal=ordinal)


@dataclass
class Downlink:
    """A lane whose sink takes all at once, and the agent that fills it."""

    lane: Lane
    heard: HeardText

    def speak(self, seconds: float, now_s: float) -> None:
        self.lane.push(np.ones(round(seconds * RATE_HZ), np.int16))
        if self.heard.awaiting:
            self.heard.began(now_s)

    def send(self, now_s: float) -> None:
        self.lane.ledger.sent(self.lane.pull(self.lane.depth_samples).size, now_s)

    def say(self, now_s: float, *words: str, ordinal: int = 0, apart_s: float = 0.5) -> None:
        """Words at their instants: the first as text, the others as deltas."""
        for index, word in enumerate(words):
            at_s = now_s + index * apart_s
            message = shown(ordinal, delta=word) if index else shown(ordinal, text=word)
            self.heard.take(message, at_s)


def downlink() -> Downlink:
    lane = Lane(RATE_HZ, 32_000, "drop_newest")
    return Downlink(lane, HeardText(lane))


def at(seconds: float) -> int:
    return round(seconds * RATE_HZ)


@pytest.mark.parametrize(
    ("played_s", "heard", "unheard"),
    [
        (0.0, "", "One two three four"),
        (0.001, "One", "two three four"),
        (0.5, "One", "two three four"),
        (1.2, "One two three", "four"),
        (9.0, "One two three four", ""),
    ],
)
def test_a_word_was_heard_if_its_first_sample_was(
    played_s: float, heard: str, unheard: str
) -> None:
    down = downlink()
    down.speak(4, now_s=10.0)
    down.say(10.0, "One", " two", " three", " four")

    assert down.heard.cut(at(played_s)) == (heard, unheard)


def test_words_of_an_agent_that_sends_as_it_speaks_lie_where_its_audio_lies() -> None:
    down = downlink()
    for second in range(4):
        down.speak(1, now_s=second)
        down.send(second)
        down.heard.take(
            shown(0, delta=f" {second}") if second else shown(0, text="0"), second + 0.5
        )

    assert down.heard.cut(at(2.4)) == ("0 1", "2 3")


def test_an_utterance_begins_behind_what_still_waits() -> None:
    down = downlink()
    down.speak(5, now_s=0.0)
    down.say(0.0, "First", " words", apart_s=1)
    down.heard.expect()
    down.speak(5, now_s=2.0)
    down.say(2.0, "Second", " words", ordinal=1, apart_s=1)

    assert down.heard.cut(at(5.5)) == ("Second", "words")


def test_words_behind_a_pause_that_was_left_out_come_as_much_sooner() -> None:
    line = downlink()
    line.speak(1.0, 0.0)
    line.send(0.0)
    line.speak(3.0, 1.0)
    line.say(0.0, "One", " two", " three", " four", apart_s=1.0)
    line.lane.pull(at(0.9))  # silence between one and two
    line.heard.left_out(at(0.9))
    line.send(1.0)

    line.speak(1.0, 4.0)
    line.heard.take(shown(0, delta=" five"), 4.0)
    assert line.heard.cut(at(2.1)) == ("One two three", "four five")


def test_a_message_that_was_heard_whole_is_not_what_was_cut_off() -> None:
    down = downlink()
    down.speak(2, now_s=0.0)
    down.say(0.0, "All", " heard")
    down.heard.expect()
    down.speak(2, now_s=3.0)
    down.say(3.0, "Never", ordinal=1)

    assert down.heard.cut(at(2)) == ("", "Never")


def test_a_pause_in_the_audio_of_the_agent_does_not_shift_the_words_after_it() -> None:
    down = downlink()
    down.speak(1, now_s=0.0)
    down.send(0.0)
    down.say(0.0, "Before")
    down.say(5.0, "Before the pause")
    down.speak(2, now_s=5.0)
    down.heard.take(shown(0, delta=" after"), 5.5)

    assert down.heard.cut(at(1.4)) == ("Before the pause", "after")


def test_a_text_that_grows_adds_what_is_new_and_another_text_adds_nothing() -> None:
    down = downlink()
    down.speak(4, now_s=0.0)
    down.say(0.0, "One")
    down.heard.take(shown(0, text="One two"), 1.0)
    down.heard.take(shown(0, text="Uno"), 1.5)

    assert down.heard.cut(at(0.5)) == ("One", "two")


def test_what_comes_of_a_message_after_it_was_cut_off_is_not_spoken() -> None:
    down = downlink()
    down.speak(4, now_s=0.0)
    down.say(0.0, "One", " two")
    down.heard.cut(at(0.3))
    down.heard.take(shown(0, text="One two three"), 1.0)
    down.speak(1, now_s=2.0)
    down.heard.take(shown(1, text="New"), 2.0)

    assert down.heard.cut(at(99)) == ("New", "")


@pytest.mark.parametrize(
    "message",
    [
        Transcript(role="user", text="hello", final=True, ordinal=1),
        Transcript(role="agent", medium="text", text="hello", final=True, ordinal=1),
        Transcript(role="agent", text="", final=True, ordinal=1),
    ],
)
def test_what_is_not_spoken_by_the_agent_has_no_place_in_the_audio(message: Transcript) -> None:
    down = downlink()
    down.speak(1, now_s=0.0)
    down.heard.take(message, 0.5)

    assert down.heard.cut(0) == ("", "")


def test_words_before_any_audio_lie_at_its_beginning() -> None:
    down = downlink()
    down.say(0.0, "Early")
    down.speak(1, now_s=5.0)

    assert down.heard.cut(1) == ("Early", "")


def test_an_agent_that_never_stops_costs_bounded_memory() -> None:
    down = downlink()
    for _ in range(2 * PIECES_KEPT):
        down.heard.take(shown(0, delta="x"), 0.0)

    assert len(down.heard._pieces) == PIECES_KEPT


def test_a_message_that_never_ends_costs_bounded_memory() -> None:
    down = downlink()
    for _ in range(10):
        down.heard.take(shown(0, delta="x" * (LONGEST_SHOWN // 4)), 0.0)

    assert len(down.heard._shown[1]) == LONGEST_SHOWN
