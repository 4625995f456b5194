"""The caller of recordings: when each input starts, to the sample, and when the caller hangs up."""

import numpy as np
import pytest

from bridge.batch.caller import AUDIBLE, EXPECTED_ANSWER_S, Caller, CallerTurn
from bridge.legs.base import MessageEvent
from bridge.wire.messages import State
from bridge_codecs.pcm import Int16, silence

RATE_HZ = 8_000
FRAME = 160


def loud(ms: int) -> Int16:
    return np.full(RATE_HZ * ms // 1000, 8_000, np.int16)


def caller(*turns: CallerTurn, gap_ms: float = 700, tail_s: float = 10) -> Caller:
    return Caller(turns, rate_hz=RATE_HZ, turn_gap_ms=gap_ms, tail_s=tail_s)


class Line:
    """Runs a caller frame by frame against what the agent says when."""

    def __init__(self, who: Caller) -> None:
        self.who = who
        self.said: list[Int16] = []
        self.over = False

    def state(self, state: str) -> None:
        message = State.model_validate({"type": "state", "state": state})
        self.who.receive(MessageEvent(message), 0.0)

    def hear(self, samples: Int16) -> None:
        for start in range(0, samples.size, FRAME):
            frame = self.who.next_frame(FRAME, 0.0)
            if frame is None:
                self.over = True
                return
            self.said.append(frame)
            self.who.heard(samples[start : start + FRAME], 0.0)

    def onsets(self) -> list[int]:
        audible = np.abs(np.concatenate(self.said).astype(int)) > 0
        return [int(at) for at in np.flatnonzero(np.diff(audible.astype(int), prepend=0) == 1)]


def test_single_input_is_played_from_the_first_sample_whatever_the_agent_does() -> None:
    line = Line(caller(CallerTurn("a", loud(100))))

    line.hear(loud(200))

    assert line.onsets() == [0]


def test_turn_starts_one_gap_after_the_agent_fell_silent() -> None:
    line = Line(caller(CallerTurn("a", loud(100)), CallerTurn("b", loud(100)), tail_s=5))

    line.state("speaking")
    line.hear(loud(1_000))
    line.state("listening")
    line.hear(silence(RATE_HZ * 2))

    assert line.onsets() == [RATE_HZ * 1_700 // 1_000]


def test_turn_waits_while_the_agent_is_not_listening() -> None:
    line = Line(caller(CallerTurn("a", loud(100)), CallerTurn("b", loud(100))))

    line.state("thinking")
    line.hear(silence(RATE_HZ * 3))

    assert line.onsets() == []


def test_second_turn_waits_for_an_answer_even_if_the_state_never_changes() -> None:
    line = Line(caller(CallerTurn("a", loud(100)), CallerTurn("b", loud(100)), tail_s=10))

    line.state("listening")
    line.hear(silence(RATE_HZ * 4))
    line.hear(loud(500))
    line.hear(silence(RATE_HZ))

    assert [round(at / RATE_HZ, 2) for at in line.onsets()] == [0.7, 5.2]


def test_offset_counts_from_the_agents_first_audible_sample_to_the_sample() -> None:
    line = Line(caller(CallerTurn("a", loud(100), offset_s=0.5)))
    quiet = silence(1_003)

    line.hear(np.concatenate((quiet, loud(1_000))))

    assert line.onsets() == [1_003 + RATE_HZ // 2]


def test_offset_waits_for_the_next_onset_not_for_speech_under_way() -> None:
    line = Line(caller(CallerTurn("a", loud(100)), CallerTurn("b", loud(100), offset_s=0.5)))

    line.state("listening")
    line.hear(silence(RATE_HZ * 800 // 1_000))  # a is said from 0.7 s to 0.8 s
    line.hear(silence(RATE_HZ))
    line.hear(loud(1_000))

    assert line.onsets()[1] == RATE_HZ * 1_800 // 1_000 + RATE_HZ // 2


@pytest.mark.parametrize(("seconds", "over"), [(1.9, False), (2.2, True)])
def test_caller_hangs_up_when_nobody_was_audible_for_the_tail(seconds: float, over: bool) -> None:
    line = Line(caller(CallerTurn("a", loud(100)), tail_s=2))

    line.hear(silence(round(RATE_HZ * (0.1 + seconds) / FRAME) * FRAME))

    assert line.over is over


def test_inputs_that_found_no_moment_are_told() -> None:
    line = Line(caller(CallerTurn("a", loud(100)), CallerTurn("b", loud(100)), tail_s=1))

    line.state("thinking")
    line.hear(silence(RATE_HZ * 3))

    assert line.over
    assert [turn.name for turn in line.who.unplayed] == ["a", "b"]


@pytest.mark.parametrize(("peak", "starts"), [(AUDIBLE, False), (AUDIBLE + 1, True)])
def test_audible_begins_just_above_its_level(peak: int, starts: bool) -> None:
    line = Line(caller(CallerTurn("a", loud(20), offset_s=0.0)))

    line.hear(np.full(FRAME * 2, peak, np.int16))

    assert bool(line.who.started) is starts


def test_what_is_left_never_grows_and_is_nothing_when_the_caller_hangs_up() -> None:
    who = caller(CallerTurn("a", loud(1_000)), CallerTurn("b", loud(1_000)), tail_s=3)
    line = Line(who)
    left = [who.expected_left_s]
    line.state("listening")
    for heard in (silence(RATE_HZ), loud(2_000), silence(3 * RATE_HZ), loud(500)) * 2:
        for start in range(0, heard.size, FRAME):
            line.hear(heard[start : start + FRAME])
            left.append(who.expected_left_s)
    line.hear(silence(4 * RATE_HZ))

    assert line.over
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(2 * (1 + EXPECTED_ANSWER_S) + 3)
    assert who.expected_left_s == pytest.approx(0, abs=0.02)


def test_what_is_left_of_one_recording_is_its_rest_and_the_tail() -> None:
    who = caller(CallerTurn("a", loud(2_000)), tail_s=3)
    line = Line(who)

    line.hear(silence(RATE_HZ))

    assert who.expected_left_s == pytest.approx(4.0)
