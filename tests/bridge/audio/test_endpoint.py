"""Turns from voice activity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.endpoint import (
    Endpointer,
    EndpointEvent,
    Interrupted,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnIgnored,
    VadSettings,
)


def hear(frames: str, settings: VadSettings | None = None) -> list[EndpointEvent]:
    """Judge frames: ``.`` silence, ``s`` speech, ``S`` speech over the agent, ``-`` agent alone."""
    endpointer = Endpointer(settings or VadSettings())
    events: list[EndpointEvent] = []
    for frame in frames:
        probability = 0.9 if frame in "sS" else 0.0
        events += endpointer.push(probability, agent_speaking=frame in "S-")
    return events


def test_silence_makes_no_event() -> None:
    assert hear("." * 100) == []


def test_speech_starts_with_the_first_active_frame() -> None:
    assert hear("..s") == [SpeechStarted(64.0)]


def test_speech_stops_after_two_quiet_frames_where_the_last_active_one_ended() -> None:
    assert hear("..sss.") == [SpeechStarted(64.0)]
    assert hear("..sss..")[1:] == [SpeechStopped(160.0)]


def test_one_quiet_frame_does_not_stop_speech() -> None:
    assert hear("ss.ss") == [SpeechStarted(0.0)]


def test_turn_ends_after_384_ms_of_silence() -> None:
    assert hear("ss" + "." * 11) == [SpeechStarted(0.0), SpeechStopped(64.0)]
    assert hear("ss" + "." * 12)[2:] == [TurnEnded(0.0, 64.0)]


def test_pause_shorter_than_the_delay_belongs_to_the_turn() -> None:
    events = hear("ss" + "." * 11 + "ss" + "." * 12)

    assert events == [
        SpeechStarted(0.0),
        SpeechStopped(64.0),
        SpeechStarted(416.0),
        SpeechStopped(480.0),
        TurnEnded(0.0, 480.0),
    ]


def test_delay_of_zero_ends_the_turn_with_the_first_quiet_frame() -> None:
    events = hear("s.", VadSettings(turn_endpoint_delay_ms=0))

    assert events == [SpeechStarted(0.0), SpeechStopped(32.0), TurnEnded(0.0, 32.0)]


def test_speech_shorter_than_the_minimum_turn_is_ignored() -> None:
    settings = VadSettings(minimum_turn_duration_ms=96)

    assert hear("ss" + "." * 12, settings)[-1] == TurnIgnored(0.0, 64.0)
    assert hear("sss" + "." * 12, settings)[-1] == TurnEnded(0.0, 96.0)


def test_pauses_do_not_count_towards_the_minimum_turn() -> None:
    settings = VadSettings(minimum_turn_duration_ms=96)

    assert hear("s..s" + "." * 12, settings)[-1] == TurnIgnored(0.0, 128.0)


def test_probability_at_the_threshold_is_active() -> None:
    endpointer = Endpointer(VadSettings(frame_activation_threshold=0.5))

    assert endpointer.push(0.4999, agent_speaking=False) == []
    assert endpointer.push(0.5, agent_speaking=False) == [SpeechStarted(32.0)]


def test_user_interrupts_with_90_ms_of_speech_over_the_agent() -> None:
    assert Interrupted(96.0) not in hear("SS")
    assert hear("SSS") == [SpeechStarted(0.0), Interrupted(96.0)]


def test_user_interrupts_once_per_turn() -> None:
    events = hear("S" * 20 + "-" * 12 + "S" * 20)

    assert [event for event in events if isinstance(event, Interrupted)] == [
        Interrupted(96.0),
        Interrupted(32.0 * 35),
    ]


def test_speech_while_the_agent_is_silent_does_not_interrupt() -> None:
    assert hear("s" * 20) == [SpeechStarted(0.0)]


def test_speech_before_the_agent_began_does_not_count() -> None:
    assert hear("s" * 20 + "SS") == [SpeechStarted(0.0)]
    assert hear("s" * 20 + "SSS")[1:] == [Interrupted(23 * 32.0)]


def test_minimum_interruption_below_the_minimum_turn_is_ignored() -> None:
    settings = VadSettings(minimum_turn_duration_ms=160, minimum_interruption_duration_ms=90)

    assert hear("SSSS", settings) == [SpeechStarted(0.0)]
    assert hear("SSSSS", settings)[1:] == [Interrupted(160.0)]


def test_interruption_without_minimum_needs_one_active_frame() -> None:
    settings = VadSettings(minimum_interruption_duration_ms=0)

    assert hear("---", settings) == []
    assert hear("--S", settings) == [SpeechStarted(64.0), Interrupted(96.0)]


def test_position_counts_all_audio_judged() -> None:
    endpointer = Endpointer(VadSettings())
    endpointer.push(0.0, agent_speaking=False)
    endpointer.push(0.9, agent_speaking=False)

    assert endpointer.position_ms == 64.0
    assert endpointer.in_turn


def test_probability_that_is_no_number_counts_as_silence() -> None:
    assert Endpointer(VadSettings()).push(float("nan"), agent_speaking=True) == []


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.01, float("nan")])
def test_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        VadSettings(frame_activation_threshold=threshold)


@pytest.mark.parametrize(
    "settings",
    [
        {"turn_endpoint_delay_ms": -1.0},
        {"minimum_turn_duration_ms": -1.0},
        {"minimum_interruption_duration_ms": float("nan")},
    ],
)
def test_negative_duration_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="negative"):
        VadSettings(**settings)


def test_frame_without_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="0 ms"):
        Endpointer(VadSettings(), frame_ms=0)


@given(
    st.text("..ssS-", max_size=120),
    st.integers(0, 500),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_events_come_in_pairs_and_in_order(
    frames: str, delay_ms: int, turn_ms: int, interruption_ms: int
) -> None:
    events = hear(frames + "." * 20, VadSettings(delay_ms, turn_ms, interruption_ms))

    speaking = in_turn = interrupted = False
    for event in events:
        match event:
            case SpeechStarted():
                assert not speaking
                speaking = in_turn = True
            case SpeechStopped():
                assert speaking
                speaking = False
            case Interrupted():
                assert speaking
                assert not interrupted
                interrupted = True
            case TurnEnded(start_ms=start_ms, end_ms=end_ms):
                assert in_turn
                assert not speaking
                assert start_ms < end_ms
                in_turn = interrupted = False
            case TurnIgnored():
                assert not interrupted
                in_turn = False
    assert not in_turn
