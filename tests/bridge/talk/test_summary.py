from pathlib import Path

from bridge.legs.base import Ended
from bridge.talk.events import Turn
from bridge.talk.run import TalkResult
from bridge.talk.summary import summary


def turn(number: int, latency_ms: float | None) -> Turn:
    return Turn(number=number, began_by="voice", at_s=1.0, by_states_ms=latency_ms)


def test_a_talk_without_answers_has_its_length_and_its_end() -> None:
    result = TalkResult(Ended("hangup"), 3_725.0, (turn(1, None),), ())

    assert summary(result, None) == ["talked 1:02:05; you hung up"]


def test_answers_are_counted_with_their_median_and_the_slowest() -> None:
    turns = (turn(1, 400.0), turn(2, None), turn(3, 2_000.0), turn(4, 600.0))
    result = TalkResult(Ended("agent_hangup", "bye\x1b[2J"), 5.0, turns, ())

    (line,) = summary(result, None)

    assert "3 answers, median 0.60 s, slowest 2.00 s" in line
    assert line.endswith("the agent hung up (bye\\x1b[2J)")


def test_one_answer_is_no_answers() -> None:
    assert "1 answer," in summary(TalkResult(Ended("hangup"), 5.0, (turn(1, 400.0),), ()), None)[0]


def test_where_the_files_are_is_told() -> None:
    result = TalkResult(Ended("hangup"), 5.0, (), ())

    assert summary(result, Path("kept"))[1] == "files: kept/"


def test_files_that_are_not_whole_are_said() -> None:
    result = TalkResult(Ended("hangup"), 5.0, (), ("call.wav: no room",), kept=False)

    assert summary(result, Path("kept"))[1] == "files: kept/ (incomplete: see the notes)"
