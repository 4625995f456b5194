"""A session against a far end in the test's hand: how it joins, what it sends, what it survives."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import JoinRefused, UsageError
from bridge.talk.events import (
    CallEnded,
    OutputMediumSet,
    StatusChanged,
)
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.session import FIRST_STATE_S, CallSession
from bridge.virtual import run_virtual
from bridge.wire.messages import Ping
from tests.fakes.talk_world import RATES, SECRET_URL, FarCall, far_played, own_call, refuse, soon

# Status


def test_status_goes_from_connecting_through_the_agent_s_states_to_disconnected() -> None:
    async def talk(joined: FarCall) -> list[str]:
        for state in ("thinking", "speaking", "listening", "idle"):
            joined.far.send("state", state=state)
        await soon()
        await joined.call.leave_call()
        return [event.status for event in joined.of(StatusChanged)]

    assert far_played(talk) == [
        *("connecting", "idle", "listening", "thinking", "speaking", "listening"),
        *("disconnecting", "disconnected"),
    ]


def test_an_agent_that_was_made_to_tell_no_states_is_talked_to_all_the_same() -> None:
    async def talk() -> None:
        rates = {"inputSampleRate": RATES.input_hz, "outputSampleRate": RATES.output_hz}
        socket = {**rates, "dataMessages": {"state": False}}
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with own_call(body={"medium": {"serverWebSocket": socket}}) as call:
            assert loop.time() - began_s == pytest.approx(FIRST_STATE_S, abs=0.1)
            call.send_text("Hello?")
            await soon()
            assert "I have" in call.transcripts[-1].text  # it answers
            await call.leave_call()
            await asyncio.sleep(2 * FIRST_STATE_S)
            assert call.status == "disconnected"

    run_virtual(talk())


def test_leaving_closes_the_socket_orderly_and_is_a_hangup() -> None:
    async def talk(joined: FarCall) -> None:
        ended = await joined.call.leave_call()
        again = await joined.call.leave_call()
        await soon()

        assert (ended.reason, ended.detail) == ("hangup", "")
        assert again == ended
        assert joined.far.closed is not None
        assert joined.far.closed[0] == 1000

    far_played(talk)


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

    far_played(talk)


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

    detail = far_played(talk, record=tmp_path)

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

    assert "CANARY" not in far_played(talk)


def test_a_goodbye_is_heard_to_its_end() -> None:
    async def talk(joined: FarCall) -> float:
        joined.far.speak(2.0)
        joined.far.socket.close(1000)
        await joined.call.ended()
        return joined.call.now_s

    assert far_played(talk) == pytest.approx(2.0, abs=0.1)


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


SDK_NAMES = (
    "join_call leave_call status transcripts on send_text send_data set_output_medium "
    "register_tool_implementation register_tool_implementations mute_mic unmute_mic toggle_mic_mute "
    "is_mic_muted mute_speaker unmute_speaker toggle_speaker_mute is_speaker_muted"
)


@pytest.mark.parametrize("name", SDK_NAMES.split())
def test_names_are_those_of_the_vendor_s_sdk(name: str) -> None:
    assert getattr(CallSession, name).__doc__


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

    assert far_played(talk) == [("now", "soon"), ("not now", "later"), ("at once", "immediate")]


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

    far_played(talk)


def test_a_text_has_a_bound_and_is_characters() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.send_text("x" * 65_000)
        with pytest.raises(UsageError, match="65536 bytes"):
            joined.call.send_text("x" * 65_536)
        with pytest.raises(UsageError, match="half a character"):
            joined.call.send_text("\ud800")
        await soon()
        assert len(joined.far.of("user_text_message")) == 1

    far_played(talk)


def test_the_output_medium_is_asked_for_and_told() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.set_output_medium("text")
        with pytest.raises(UsageError, match="by voice or in text"):
            joined.call.set_output_medium("smoke")  # type: ignore[arg-type]
        await soon()

        assert joined.call.output_medium == "text"
        assert [each["medium"] for each in joined.far.of("set_output_medium")] == ["text"]
        assert [event.medium for event in joined.of(OutputMediumSet)] == ["text"]

    far_played(talk)
