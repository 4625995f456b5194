"""A session against a far end in the test's hand: what it tells, what it sends, what it survives."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from bridge.errors import JoinRefused, UsageError
from bridge.talk.events import (
    CallEnded,
    DigitsSent,
    Interrupted,
    MicMuted,
    Noted,
    OutputMediumSet,
    SpeakerMuted,
    StatusChanged,
    ToolChanged,
    TurnMeasured,
)
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.session import CallSession
from bridge.virtual import run_virtual
from bridge.wire.messages import Ping
from tests.fakes.talk_world import RATES, SECRET_URL, FarCall, far_call, refuse, tone

T = TypeVar("T")


def played(talk: Callable[[FarCall], Awaitable[T]], **options: object) -> T:
    async def call() -> T:
        async with far_call(**options) as joined:  # type: ignore[arg-type]
            return await talk(joined)

    return run_virtual(call())


async def soon() -> None:
    await asyncio.sleep(0.1)


# Status


def test_status_goes_from_connecting_through_the_agent_s_states_to_disconnected() -> None:
    async def talk(joined: FarCall) -> list[str]:
        for state in ("thinking", "speaking", "listening", "idle"):
            joined.far.send("state", state=state)
        await soon()
        await joined.call.leave_call()
        return [event.status for event in joined.of(StatusChanged)]

    assert played(talk) == [
        *("connecting", "idle", "listening", "thinking", "speaking", "listening"),
        *("disconnecting", "disconnected"),
    ]


def test_leaving_closes_the_socket_orderly_and_is_a_hangup() -> None:
    async def talk(joined: FarCall) -> None:
        ended = await joined.call.leave_call()
        again = await joined.call.leave_call()
        await soon()

        assert (ended.reason, ended.detail) == ("hangup", "")
        assert again == ended
        assert joined.far.closed is not None
        assert joined.far.closed[0] == 1000

    played(talk)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, "agent_hangup"), (1011, "connection_error"), (1008, "connection_error")],
)
def test_a_server_that_closes_ends_the_call_with_its_reason(code: int, reason: str) -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.socket.close(code, "that is all")
        ended = await joined.call.ended()

        assert ended.reason == reason
        assert joined.call.status == "disconnected"
        [last] = joined.of(CallEnded)
        assert joined.events[-1] == last

    played(talk)


def test_a_server_that_dies_leaves_one_sentence_and_everything_that_was_stored(
    tmp_path: Path,
) -> None:
    async def talk(joined: FarCall) -> str:
        joined.far.send("state", state="speaking")
        joined.far.speak(1.0)
        joined.far.says(0, "I was")
        await asyncio.sleep(1.5)
        joined.far.socket.abort()  # type: ignore[attr-defined]
        return (await joined.call.ended()).detail

    detail = played(talk, record=tmp_path)

    told = json.loads((tmp_path / "call.json").read_text())
    assert detail
    assert "\n" not in detail
    assert told["end_reason"] == "connection_error"
    assert told["end_detail"] == detail
    assert told["transcripts"][0]["text"] == "I was"
    assert told["figures"]["agent_speech_s"] == pytest.approx(1.0, abs=0.05)
    assert any("messages and events" in note for note in told["notes"])


def test_a_far_end_that_repeats_the_join_url_is_not_quoted() -> None:
    async def talk(joined: FarCall) -> str:
        joined.far.socket.close(1008, f"no such call: {SECRET_URL}"[:100])
        return (await joined.call.ended()).detail

    assert "CANARY" not in played(talk)


def test_a_goodbye_is_heard_to_its_end() -> None:
    async def talk(joined: FarCall) -> float:
        joined.far.speak(2.0)
        joined.far.socket.close(1000)
        await joined.call.ended()
        return joined.call.now_s

    assert played(talk) == pytest.approx(2.0, abs=0.1)


def test_a_refused_join_is_one_sentence_and_a_session_that_is_over(tmp_path: Path) -> None:
    async def refused() -> None:
        leg = ProgramLeg(source_hz=16_000, sink_hz=24_000)
        session = CallSession(leg, rates=RATES, connect=refuse, record=tmp_path)
        events = session.events()
        with pytest.raises(JoinRefused, match="409"):
            await session.join_call(SECRET_URL)
        ended = await session.ended()
        statuses = [e.status async for e in events if isinstance(e, StatusChanged)]

        assert session.status == "disconnected"
        assert ended.reason == "connection_error"
        assert "409" in ended.detail
        assert statuses == ["connecting", "disconnected"]
        assert not await session.ready()

    run_virtual(refused())


def test_a_folder_that_cannot_be_is_said_before_anything_is_joined(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def join() -> None:
        leg = ProgramLeg(source_hz=16_000, sink_hz=24_000)
        folder = tmp_path / "file" / "below"
        session = CallSession(leg, rates=RATES, connect=refuse, record=folder)
        with pytest.raises(UsageError, match="cannot be a folder"):
            await session.join_call(SECRET_URL)

    run_virtual(join())


async def test_a_session_that_never_joined_has_no_end_to_wait_for() -> None:
    async with CallSession(ProgramLeg(source_hz=16_000, sink_hz=24_000), rates=RATES) as session:
        with pytest.raises(UsageError, match="no call was joined"):
            await session.leave_call()


# What is sent


def test_text_urgency_follows_the_sdk_s_deferring() -> None:
    async def talk(joined: FarCall) -> list[tuple[str, str]]:
        joined.call.send_text("now")
        joined.call.send_text("not now", defer_response=True)
        joined.call.send_text("at once", urgency="immediate")
        joined.call.send_data(Ping(timestamp=1.0))
        await soon()
        assert joined.far.of("ping")
        return [(each["text"], each["urgency"]) for each in joined.far.of("user_text_message")]

    assert played(talk) == [("now", "soon"), ("not now", "later"), ("at once", "immediate")]


def test_nothing_can_be_sent_before_and_after_the_call() -> None:
    async def talk(joined: FarCall) -> None:
        await joined.call.leave_call()
        sends: list[Callable[[], None]] = [
            lambda: joined.call.send_text("x"),
            lambda: joined.call.set_output_medium("text"),
            lambda: joined.call.send_dtmf("1"),
        ]
        for send in sends:
            with pytest.raises(UsageError, match="not live: its status is disconnected"):
                send()

    played(talk)


def test_a_text_has_a_bound_and_is_characters() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.send_text("x" * 65_000)
        with pytest.raises(UsageError, match="65536 bytes"):
            joined.call.send_text("x" * 65_536)
        with pytest.raises(UsageError, match="half a character"):
            joined.call.send_text("\ud800")
        await soon()
        assert len(joined.far.of("user_text_message")) == 1

    played(talk)


def test_the_output_medium_is_asked_for_and_told() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.set_output_medium("text")
        with pytest.raises(UsageError, match="by voice or in text"):
            joined.call.set_output_medium("smoke")  # type: ignore[arg-type]
        await soon()

        assert joined.call.output_medium == "text"
        assert [each["medium"] for each in joined.far.of("set_output_medium")] == ["text"]
        assert [event.medium for event in joined.of(OutputMediumSet)] == ["text"]

    played(talk)


def test_keys_pressed_within_half_a_second_are_one_message() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.send_dtmf("12")
        await asyncio.sleep(0.4)
        joined.call.send_dtmf("#")
        await asyncio.sleep(0.6)
        joined.call.send_dtmf("9")
        await asyncio.sleep(0.6)

        sent = [(each["text"], each["urgency"]) for each in joined.far.of("user_text_message")]
        assert sent == [("12#", "immediate"), ("9", "immediate")]
        assert [event.digits for event in joined.of(DigitsSent)] == ["12#", "9"]

    played(talk)


def test_a_key_plays_its_tone_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    tones: list[int] = []

    async def talk(joined: FarCall) -> None:
        leg = joined.call._caller
        monkeypatch.setattr(leg, "play_tone", lambda samples: tones.append(samples.size))
        joined.call.send_dtmf("12")

    played(talk)

    assert tones == [2 * round(0.18 * RATES.output_hz)]


@pytest.mark.parametrize(("digits", "why"), [("12x", "0-9"), ("1" * 21, "at most 20")])
def test_what_is_no_key_is_refused(digits: str, why: str) -> None:
    async def talk(joined: FarCall) -> None:
        with pytest.raises(UsageError, match=why):
            joined.call.send_dtmf(digits)
        await asyncio.sleep(1)
        assert not joined.far.of("user_text_message")

    played(talk)


def test_muting_is_told_once_and_the_agent_hears_silence_at_the_same_tempo() -> None:
    async def talk(joined: FarCall) -> None:
        call = joined.call
        call.mute_mic()
        call.mute_mic()
        call.toggle_speaker_mute()
        before = joined.far.n_bytes
        await asyncio.sleep(1)
        sent_s = (joined.far.n_bytes - before) / 2 / RATES.input_hz

        assert (call.is_mic_muted, call.is_speaker_muted) == (True, True)
        assert [event.muted for event in joined.of(MicMuted)] == [True]
        assert [event.muted for event in joined.of(SpeakerMuted)] == [True]
        assert sent_s == pytest.approx(1, abs=0.03)
        call.unmute_mic()
        call.toggle_mic_mute()
        call.unmute_speaker()
        call.mute_speaker()
        assert [event.muted for event in joined.of(MicMuted)] == [True, False, True]

    played(talk)


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

    assert played(talk) == ("One two", "")


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

    assert played(talk) == [("Hello.", ""), ("", "I am not")]


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

    assert played(talk) == [("One", "two three.")]


def test_a_clear_before_any_audio_is_no_interruption() -> None:
    async def talk(joined: FarCall) -> int:
        joined.far.send("playback_clear_buffer")
        await soon()
        return len(joined.of(Interrupted))

    assert played(talk) == 0


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

    played(talk)


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

    played(talk)


# Tools


def test_a_tool_that_nobody_has_waits_for_a_person() -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.send("client_tool_invocation", toolName="ask", invocationId="i1", parameters={})
        await asyncio.sleep(60)
        waiting = [event.tool.state for event in joined.of(ToolChanged)]
        assert joined.call.answer_tool("i1", "because")
        assert not joined.call.answer_tool("i1", "or not")
        await soon()

        assert waiting == ["waiting"]
        [sent] = joined.far.of("client_tool_result")
        assert (sent["invocationId"], sent["result"]) == ("i1", "because")
        assert (joined.call.tools[0].state, joined.call.tools[0].by_hand) == ("answered", True)

    played(talk, by_hand=True)


def test_a_person_may_say_that_there_is_no_answer() -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.send("client_tool_invocation", toolName="ask", invocationId="i1", parameters={})
        await soon()
        assert joined.call.answer_tool("i1", error="I do not know.")
        await soon()

        [sent] = joined.far.of("client_tool_result")
        assert (sent["errorType"], sent["errorMessage"]) == (
            "implementation-error",
            "I do not know.",
        )

    played(talk, by_hand=True)


def test_a_tool_is_registered_as_in_the_vendor_s_sdk() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.register_tool_implementations(
            {"whole": lambda parameters: f"{sorted(parameters)}"}
        )
        joined.far.send(
            "client_tool_invocation",
            toolName="whole",
            invocationId="1",
            parameters={"b": 1, "a": 2},
        )
        await soon()
        [sent] = joined.far.of("client_tool_result")
        assert sent["result"] == "['a', 'b']"

    played(talk)


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

    played(talk)


def test_an_event_that_does_not_exist_is_named() -> None:
    async def talk(joined: FarCall) -> None:
        with pytest.raises(UsageError, match="did you mean 'status'"):
            joined.call.on("statuss", print)

    played(talk)


def test_what_the_server_sends_of_its_own_is_handed_on_and_harms_nothing() -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.send("something_new", x=1)
        joined.far.socket.send_text("{broken")
        joined.far.send("call_event", eventType="agent_interrupted", extras={"ordinal": "x"})
        joined.far.send("call_event", eventType="agent_interrupted", extras={"ordinal": True})
        await soon()

        assert joined.call.status == "listening"
        assert any("agent socket" in note for note in joined.call.notes)

    played(talk)
