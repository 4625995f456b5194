"""What a call tells against a far end in the test's hand: words, turns, events."""

import asyncio

import pytest

from bridge.errors import UsageError
from bridge.talk.events import (
    Interrupted,
    Noted,
    StatusChanged,
    TurnMeasured,
)
from tests.fakes.talk_world import FarCall, far_played, soon, tone

# Words


def test_words_are_cut_where_the_caller_s_own_ledger_says() -> None:
    async def talk(joined: FarCall) -> tuple[str, str]:
        far = joined.far
        far.send("state", state="speaking")
        far.speak(3.0)
        far.says(0, "One")
        await asyncio.sleep(1.0)
        far.says(0, "One", " two")
        await asyncio.sleep(0.1)
        far.send("playback_clear_buffer")
        await soon()
        [cut] = joined.of(Interrupted)
        assert cut.transcript is not None
        assert joined.call.figures.cleared_ms == pytest.approx(1_900, abs=60)
        return cut.transcript.text, cut.transcript.unheard

    assert far_played(talk) == ("One two", "")


def test_words_shown_for_audio_that_was_still_waiting_are_unheard() -> None:
    """The server is ahead of the caller's loudspeaker: it shows a word 300 ms before it is heard."""

    async def talk(joined: FarCall) -> list[tuple[str, str]]:
        far = joined.far
        far.send("state", state="speaking")
        far.speak(1.0)
        far.says(0, "Hello.")
        await soon()
        far.send("state", state="listening")
        far.send("state", state="speaking")
        far.speak(2.0)
        far.says(1, "I am not")
        await asyncio.sleep(0.5)
        far.send("playback_clear_buffer")
        far.send("transcript", role="agent", medium="voice", final=True, ordinal=1, text="I am not")
        await soon()
        return [(each.text, each.unheard) for each in joined.call.transcripts]

    assert far_played(talk) == [("Hello.", ""), ("", "I am not")]


def test_what_the_server_left_unsaid_is_unheard() -> None:
    async def talk(joined: FarCall) -> list[tuple[str, str]]:
        far = joined.far
        far.send("state", state="speaking")
        far.speak(3.0)
        far.says(0, "One")
        await asyncio.sleep(1.0)
        far.send("playback_clear_buffer")
        far.send("transcript", role="agent", medium="voice", final=True, ordinal=0, text="One")
        extras = {"ordinal": 0, "unheardText": " two three.", "heardText": "One"}
        far.send("call_event", eventType="agent_interrupted", extras=extras)
        await soon()
        return [(each.text, each.unheard) for each in joined.call.transcripts]

    assert far_played(talk) == [("One", "two three.")]


def test_a_clear_before_any_audio_is_no_interruption() -> None:
    async def talk(joined: FarCall) -> int:
        joined.far.send("playback_clear_buffer")
        await soon()
        return len(joined.of(Interrupted))

    assert far_played(talk) == 0


# Turns


def test_an_answer_that_is_never_heard_has_a_time_by_states_alone() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.microphone.write(tone(0.5))
        await asyncio.sleep(1.0)
        joined.far.send("state", state="thinking")
        await asyncio.sleep(0.3)
        joined.far.send("state", state="speaking")
        joined.far.speak(1.0)
        joined.far.send("playback_clear_buffer")
        await soon()

        [turn] = joined.call.turns
        assert turn.by_audio_ms is None
        assert turn.latency_ms == turn.by_states_ms == pytest.approx(300, abs=1)

    far_played(talk)


def test_an_answer_has_both_times_where_both_are_known() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.microphone.write(tone(0.5))
        await asyncio.sleep(0.9)
        joined.far.send("user_stopped_speaking")
        await asyncio.sleep(0.1)
        joined.far.send("state", state="speaking")
        await asyncio.sleep(0.2)
        joined.far.speak(1.0)
        await soon()

        [turn] = joined.call.turns
        assert turn.by_states_ms == pytest.approx(100, abs=1)
        assert turn.by_audio_ms == pytest.approx(700, abs=40)
        assert len(joined.of(TurnMeasured)) == 2

    far_played(talk)


# Events


def test_a_callback_that_raises_is_noted_and_the_others_are_called() -> None:
    def broken(_event: object) -> None:
        raise KeyError("x")

    async def talk(joined: FarCall) -> None:
        seen: list[str] = []
        joined.call.on("status", broken)
        stop = joined.call.on(StatusChanged, lambda event: seen.append(event.status))
        joined.far.send("state", state="thinking")
        await soon()
        stop()
        joined.far.send("state", state="listening")
        await soon()

        assert seen == ["thinking"]
        assert "KeyError" in joined.of(Noted)[0].text
        assert joined.call.notes == ()

    far_played(talk)


def test_an_event_that_does_not_exist_is_named() -> None:
    async def talk(joined: FarCall) -> None:
        with pytest.raises(UsageError, match="did you mean 'status'"):
            joined.call.on("statuss", print)

    far_played(talk)


def test_what_the_server_sends_of_its_own_is_handed_on_and_harms_nothing() -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.send("something_new", x=1)
        joined.far.socket.send_text("{broken")
        joined.far.send("call_event", eventType="agent_interrupted", extras={"ordinal": "x"})
        joined.far.send("call_event", eventType="agent_interrupted", extras={"ordinal": True})
        await soon()

        assert joined.call.status == "listening"
        assert any("agent socket" in note for note in joined.call.notes)

    far_played(talk)
