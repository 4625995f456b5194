"""Which sounds are answers, and how long they took."""

from bridge.talk.events import Turn
from bridge.talk.turns import LATE_S, MAX_TURNS, Turns
from bridge.wire.messages import AgentState


class Talk:
    """Turns whose ears and clock are the test's."""

    def __init__(self) -> None:
        self.told: list[Turn] = []
        self.ended_s: float | None = None
        self.turns = Turns(100.0, lambda: self.ended_s, self.told.append)

    def states(self, *steps: tuple[float, AgentState]) -> None:
        for at_s, state in steps:
            self.turns.state(state, at_s)

    @property
    def latencies(self) -> list[tuple[str, float | None, float | None]]:
        return [(turn.began_by, turn.by_audio_ms, turn.by_states_ms) for turn in self.turns.all]


def test_a_spoken_turn_is_measured_by_both_clocks() -> None:
    talk = Talk()
    talk.ended_s = 104.0
    talk.states((101, "listening"), (104.4, "thinking"), (104.6, "speaking"))
    talk.turns.sound(104.7)

    assert talk.latencies == [("voice", 700.0, 200.0)]
    assert talk.turns.all[0].at_s == 4.0
    assert [turn.number for turn in talk.told] == [1, 1]


def test_an_agent_that_tells_no_thinking_is_measured_from_the_words_it_tells() -> None:
    talk = Talk()
    talk.ended_s = 104.0
    talk.states((101, "listening"))
    talk.turns.spoke(104.5)
    talk.states((104.6, "speaking"))
    talk.turns.sound(104.7)

    assert talk.latencies == [("voice", 700.0, 100.0)]


def test_the_last_time_that_the_user_stopped_counts() -> None:
    talk = Talk()
    talk.ended_s = 104.0
    talk.states((101, "listening"))
    talk.turns.stopped(102.0)
    talk.turns.stopped(104.1)
    talk.states((104.3, "thinking"), (104.6, "speaking"))

    assert talk.latencies == [("voice", None, 500.0)]


def test_words_that_are_told_behind_the_answer_still_make_it_one() -> None:
    talk = Talk()
    talk.ended_s = 104.0
    talk.states((101, "listening"), (104.6, "speaking"))
    talk.turns.sound(104.7)
    talk.turns.spoke(105.0)

    assert talk.latencies == [("voice", 700.0, None)]


def test_a_greeting_and_a_reminder_are_no_answers() -> None:
    talk = Talk()
    talk.states((100.1, "thinking"), (100.2, "speaking"))
    talk.turns.sound(100.3)
    talk.states((103, "listening"), (130, "speaking"))
    talk.turns.sound(130.1)

    assert talk.latencies == []


def test_the_second_half_of_an_answer_is_no_answer() -> None:
    talk = Talk()
    talk.ended_s = 104.0
    talk.states((101, "listening"), (104.4, "thinking"), (104.6, "speaking"))
    talk.turns.sound(104.7)
    talk.turns.spoke(104.8)  # the same words, told late
    talk.states((106, "thinking"), (107, "speaking"))
    talk.turns.sound(107.1)

    assert talk.latencies == [("voice", 700.0, 200.0)]


def test_a_second_turn_is_another_one() -> None:
    talk = Talk()
    for at in (104.0, 110.0):
        talk.ended_s = at
        talk.states((at - 1, "listening"), (at + 0.4, "thinking"), (at + 0.5, "speaking"))
        talk.turns.sound(at + 0.6)

    assert [turn.number for turn in talk.turns.all] == [1, 2]
    assert [turn.latency_ms for turn in talk.turns.all] == [600.0, 600.0]


def test_typed_text_is_measured_from_its_sending_whatever_was_heard() -> None:
    talk = Talk()
    talk.ended_s = 90.0
    talk.states((101, "listening"))
    talk.turns.typed("text", 104.0)
    talk.states((104.1, "thinking"), (104.2, "speaking"))
    talk.turns.sound(104.3)

    assert talk.latencies == [("text", 300.0, 200.0)]


def test_an_answer_in_writing_is_measured_to_its_first_words() -> None:
    talk = Talk()
    talk.states((101, "listening"))
    talk.turns.typed("keys", 104.0)
    talk.states((104.1, "thinking"))
    talk.turns.began(104.5)
    talk.turns.began(104.6)

    assert talk.latencies == [("keys", None, 500.0)]
    assert talk.turns.all[0].latency_ms == 500.0


def test_an_answer_after_half_a_minute_is_none() -> None:
    for waited_s, n in ((LATE_S, 1), (LATE_S + 0.1, 0)):
        talk = Talk()
        talk.ended_s = 104.0
        talk.states((101, "listening"), (104.1, "thinking"), (104.0 + waited_s, "speaking"))

        assert len(talk.turns.all) == n


def test_a_user_who_cannot_be_heard_is_measured_by_states_alone() -> None:
    talk = Talk()
    talk.states((101, "listening"), (104.4, "thinking"), (104.6, "speaking"))
    talk.turns.sound(104.7)

    assert talk.latencies == [("voice", None, 200.0)]


def test_turns_have_a_bound() -> None:
    talk = Talk()
    for number in range(MAX_TURNS + 10):
        talk.turns.typed("text", float(number))
        talk.states((number + 0.1, "speaking"), (number + 0.2, "listening"))

    assert len(talk.turns.all) == MAX_TURNS
    assert talk.turns.all[-1].number == MAX_TURNS + 10
