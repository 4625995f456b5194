import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.errors import UsageError
from bridge.testing.caller import CallerPlan, KeyPresses, PhoneCaller, parse_keys, parse_options
from bridge_codecs.pcm import Int16, silence
from tests.fakes.bot import tone

PACKET = 160


def talk(caller: PhoneCaller, agent: Int16) -> tuple[Int16, list[tuple[int, str]]]:
    """Run a caller against an agent's audio, until it hangs up: what it said, and the keys with their packets."""
    said, keys = [], []
    for n in range(5_000):
        packet = caller.say(PACKET)
        if packet is None:
            break
        said.append(packet)
        heard = agent[n * PACKET : (n + 1) * PACKET]
        caller.hear(np.pad(heard, (0, PACKET - heard.size)))
        keys += [(n, key) for key in caller.pressed()]
    return np.concatenate(said), keys


def first_loud(samples: Int16) -> int:
    return int(np.flatnonzero(np.abs(samples) > 500)[0])


def test_one_recording_is_played_straight_through() -> None:
    caller = PhoneCaller(CallerPlan(turns=[CallerTurn("a", tone(0.5))], tail_s=1.0), 8_000)

    said, _ = talk(caller, silence(0))

    assert np.array_equal(said[:4_000], tone(0.5))
    assert said.size == pytest.approx(12_000, abs=PACKET)


def test_the_first_of_several_turns_waits_for_the_greeting() -> None:
    turns = [CallerTurn("a", tone(0.5)), CallerTurn("b", tone(0.5))]
    caller = PhoneCaller(CallerPlan(turns=turns, tail_s=10.0), 8_000)
    greeting = np.concatenate([silence(24_000), tone(1.0)])

    said, _ = talk(caller, greeting)

    assert first_loud(said) / 8_000 == pytest.approx(4.0 + 0.7, abs=0.05)


def test_a_caller_whom_nobody_greets_speaks_when_its_patience_ends() -> None:
    turns = [CallerTurn("a", tone(0.5)), CallerTurn("b", tone(0.5))]
    caller = PhoneCaller(CallerPlan(turns=turns, tail_s=10.0), 8_000)

    said, _ = talk(caller, silence(0))

    assert first_loud(said) / 8_000 == pytest.approx(8.0, abs=0.1)


def test_a_turn_with_an_offset_interrupts() -> None:
    turns = [CallerTurn("a", tone(0.5), 1.5)]
    caller = PhoneCaller(CallerPlan(turns=turns, tail_s=5.0), 8_000)
    agent = np.concatenate([silence(8_000), tone(5.0)])

    said, _ = talk(caller, agent)

    assert first_loud(said) / 8_000 == pytest.approx(2.5, abs=0.03)
    assert [started.turn.name for started in caller.started] == ["a"]


def test_keys_are_pressed_at_their_instants_and_hold_the_call() -> None:
    keys = [KeyPresses("12", 3.0)]
    caller = PhoneCaller(CallerPlan(keys=keys, tail_s=1.0), 8_000)

    said, pressed = talk(caller, silence(0))

    assert [(n // 50, key) for n, key in pressed] == [(2, "1"), (3, "2")]
    assert pressed[1][0] - pressed[0][0] == pytest.approx(12.5, abs=1)
    assert said.size / 8_000 == pytest.approx(4.25, abs=0.1)


def test_keys_after_the_agent_wait_for_its_first_sound() -> None:
    keys = [KeyPresses("9", 0.5, after_agent=True)]
    caller = PhoneCaller(CallerPlan(keys=keys, tail_s=5.0), 8_000)

    _, [(n, key)] = talk(caller, np.concatenate([silence(16_000), tone(1.0)]))

    assert n / 50 == pytest.approx(2.5, abs=0.05)
    assert key == "9"


def test_keys_that_wait_for_a_silent_agent_hold_no_call() -> None:
    keys = [KeyPresses("9", 0.5, after_agent=True)]
    caller = PhoneCaller(CallerPlan(keys=keys, tail_s=1.0), 8_000)

    said, pressed = talk(caller, silence(0))

    assert pressed == []
    assert said.size == pytest.approx(8_000, abs=PACKET)


def test_a_caller_hangs_up_at_its_instant_whatever_is_said() -> None:
    plan = CallerPlan(turns=[CallerTurn("a", tone(9.0))], hang_up_at_s=2.0)

    said, _ = talk(PhoneCaller(plan, 8_000), tone(9.0))

    assert said.size == 16_000


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("12#@5s", KeyPresses("12#", 5.0)),
        ("1@+1.5s", KeyPresses("1", 1.5, after_agent=True)),
        ("*AD@0s", KeyPresses("*AD", 0.0)),
    ],
)
def test_keys_are_read(text: str, keys: KeyPresses) -> None:
    assert parse_keys(text) == keys


@pytest.mark.parametrize("text", ["", "12", "@5s", "1@5", "1@-5s", "x@5s", "1@5sx", "1@1e9s"])
def test_what_are_no_keys_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="12#@5s"):
        parse_keys(text)


def test_options_are_read() -> None:
    assert parse_options(["a=b", "c=d=e", "f="]) == {"a": "b", "c": "d=e", "f": ""}


@pytest.mark.parametrize("text", ["", "a", "=b"])
def test_what_is_no_option_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="NAME=VALUE"):
        parse_options([text])
