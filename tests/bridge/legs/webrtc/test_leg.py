"""The leg of a call over WebRTC, in virtual time: a whole call around it, fake links at its other end."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.brains.base import CallTool, Greeting, HangUp, Say, ToolsReturned
from bridge.calls.errors import AlreadyJoined, CallOver, TokenUnknown
from bridge.calls.records import CallRecord
from bridge.calls.settings import CallSettings, ToolSpec, WebRtcMedium
from bridge.errors import RemoteWireError
from bridge.legs.webrtc.absence import GRACE_S, READY_S
from bridge.legs.webrtc.departure import LEAVING_S
from bridge.legs.webrtc.entrance import Entrance
from bridge.legs.webrtc.mailbox import MAX_WAITING
from bridge.virtual import run_virtual
from bridge.wire.limits import FROM_CLIENT
from bridge.wire.messages import EnabledDataMessages, Pong
from tests.fakes.call_world import ActingBrain, Client
from tests.fakes.legs import HandRecorder
from tests.fakes.rtc import BASE, EAR_HZ, FakeLink, RtcWorld, rtc_world

WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def greeting(*acts: Say | CallTool | HangUp) -> ActingBrain:
    return ActingBrain(lambda cue: acts if isinstance(cue, Greeting) else ())


async def detail(world: RtcWorld, record: CallRecord) -> str:
    """The sentence in the record that says how the call ended."""
    events = await world.events(record)
    return next((event.text for event in events if event.type == "call_ended"), "")


# The join socket


def test_the_join_socket_gets_one_room_info_and_nothing_else() -> None:
    async def call() -> None:
        async with rtc_world(greeting(Say("Hello."), HangUp())) as world:
            record, client = await world.enter()
            link = world.link(record)
            await world.ended(record)
            await asyncio.sleep(1)

        [(_, info)] = client.messages
        assert info["type"] == "room_info"
        assert info["roomUrl"] == f"{BASE}/rooms/{record.call_id}"
        assert world.rooms.room(record.call_id) is None
        assert client.closed == (1000, "")
        assert link.of("transcript")

    play(call())


def test_the_version_of_the_client_is_kept() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            assert record.client_version == "web_0.5.0"

    play(call())


def test_long_messages_are_taken_from_the_join_socket_as_from_the_channel() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, client = await world.enter()
            world.link(record)
            client.send(type="user_text_message", text="a" * 5_000)
            await asyncio.sleep(0.5)
            [said] = [each for each in await world.messages(record) if each.role == "user"]
            assert said.text == "a" * 5_000

    play(call())


def test_a_closed_join_socket_is_a_hang_up_and_ends_the_link() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            client.socket.close(1000)
            await world.ended(record)

        assert record.end_reason == "hangup"
        assert link.partings == ["over"]

    play(call())


def test_a_broken_join_socket_ends_no_call_whose_link_is_alive() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            client.socket.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(60)
            assert record.ended is None
            link.lose(left=True)
            await world.ended(record)

        assert record.end_reason == "hangup"

    play(call())


def test_a_join_socket_that_breaks_is_one_sentence_in_the_record() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            world.link(record)
            client.socket.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(0.1)
            told = [e.text for e in await world.events(record) if e.type == "join_socket_lost"]
            [sentence] = told
            assert "broke without a close frame" in sentence

    play(call())


def test_a_broken_join_socket_of_a_client_that_was_never_in_its_room_is_the_end() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            client.socket.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(0.1)
            assert record.end_reason == "connection_error"

    play(call())


def test_binary_data_on_the_join_socket_is_one_warning_and_no_audio() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, client = await world.enter()
            world.link(record)
            for _ in range(3):
                client.socket.send_bytes(b"\x7f\x7f" * 100)
            await asyncio.sleep(0.2)
            types = [event.type for event in await world.events(record)]
            assert types.count("ignored: binary") == 1
            assert record.ended is None

    play(call())


@pytest.mark.parametrize("text", ["", "{", "[]", "\ud800", "x" * 1_000, '{"type": 1}'])
@pytest.mark.parametrize("by_link", [True, False])
def test_a_hundred_messages_that_are_none_end_the_call_with_1008(text: str, by_link: bool) -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, client = await world.enter()
            link = world.link(record)
            for n in range(FROM_CLIENT.bad_messages):
                assert record.ended is None, n
                if by_link:
                    link.say_raw(text.encode(errors="surrogatepass"))
                else:
                    client.socket.send_text(text.encode(errors="replace").decode())
                await asyncio.sleep(0.05)
            assert "100 bad data messages" in await detail(world, record)

        assert record.end_reason == "connection_error"
        assert client.closed is not None
        assert client.closed[0] == 1008

    play(call())


# Being there


def test_nothing_is_said_before_microphone_and_channel_are_there() -> None:
    async def call() -> None:
        async with rtc_world(greeting(Say("Hello there."))) as world:
            record, _ = await world.enter()
            await asyncio.sleep(1)
            link = world.link(record, ready=False)
            await asyncio.sleep(1)
            [voice] = world.voices
            assert link.texts == []
            assert voice.played == []
            link.ready()
            assert link.order[:2] == ["call_started", "state"]
            await asyncio.sleep(0.1)
            assert voice.played

    play(call())


@pytest.mark.parametrize("joins", [False, True])
def test_a_client_that_is_let_in_and_never_gets_ready_is_given_up(joins: bool) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            limit_s = READY_S if joins else GRACE_S
            if joins:
                world.link(record, ready=False)
            await asyncio.sleep(limit_s - 0.1)
            assert record.ended is None
            await asyncio.sleep(0.2)
            sentence = await detail(world, record)
            assert f"within {limit_s:g} s" in sentence

        assert record.end_reason == "connection_error"
        assert client.closed == (1000, "")

    play(call())


def test_audio_goes_both_ways_and_a_whole_turn_is_had() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: [Say("Yes.")], heard="are you there")) as world:
            record, _ = await world.enter()
            link = world.link(record)
            await link.speak(2, level=0)
            await link.speak(1)
            await link.speak(3, level=0)
            words = [(each.role, each.text) for each in await world.messages(record)]
            assert ("user", "are you there") in words
            assert words[-1] == ("agent", "Yes.")
            assert len(world.voices[0].played) > 10

    play(call())


def test_a_recording_begins_when_the_client_is_there_and_not_when_it_is_first_heard() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            recorder = world.leg(record)._hearing.recorder = HandRecorder()
            link = world.link(record)
            for n in range(1, 13):
                await asyncio.sleep(1)
                assert recorder.caller == pytest.approx((n - 0.15) * EAR_HZ, abs=0.1 * EAR_HZ)
            link.hear(np.ones(320, np.int16))
            assert recorder.caller == pytest.approx(12 * EAR_HZ, abs=320)

    play(call())


def test_the_recording_of_a_client_that_is_never_heard_ends_with_its_call() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            leg = world.leg(record)
            recorder = leg._hearing.recorder = HandRecorder()
            world.link(record)
            await asyncio.sleep(3)
            leg.hang_up()
            await asyncio.sleep(30)
            assert recorder.caller == pytest.approx(3 * EAR_HZ, abs=0.2 * EAR_HZ)

    play(call())


def test_an_interruption_clears_the_voice_and_needs_no_message_of_its_own() -> None:
    async def call(medium: WebRtcMedium, *, told: bool) -> None:
        brain = ActingBrain(lambda cue: [Say(WORDS)] if isinstance(cue, Greeting) else ())
        async with rtc_world(brain) as world:
            record, _ = await world.enter(CallSettings(medium=medium))
            link = world.link(record)
            await link.speak(1.5, level=0)
            await link.speak(1.5)
            assert world.voices[0].cleared == 1
            assert ("playback_clear_buffer" in link.order) is told

    play(call(WebRtcMedium(), told=False))
    asked = EnabledDataMessages.for_carrier("web_rtc").model_copy(
        update={"playback_clear_buffer": True}
    )
    play(call(WebRtcMedium(asked), told=True))


def test_a_speaker_that_the_client_mutes_is_muted_at_our_end() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            link = world.link(record)
            assert link.user is not None
            link.user.mute(link, disabled=True)
            assert world.voices[0].muted
            link.user.mute(link, disabled=False)
            assert not world.voices[0].muted

    play(call())


def test_a_client_tool_is_run_over_the_channel() -> None:
    async def call() -> None:
        def reply(cue: object) -> list[Say | CallTool]:
            if isinstance(cue, ToolsReturned):
                return [Say("Done.")]
            return [CallTool("look", {})] if isinstance(cue, Greeting) else []

        tool = ToolSpec("look", timeout_s=5)
        async with rtc_world(ActingBrain(reply)) as world:
            record, _ = await world.enter(CallSettings(tools=(tool,)))
            link = world.link(record)
            await asyncio.sleep(0.2)
            [asked] = link.of("client_tool_invocation")
            link.say(type="client_tool_result", invocationId=asked["invocationId"], result="42")
            await asyncio.sleep(2)
            assert (await world.messages(record))[-1].text == "Done."

    play(call())


def test_a_client_gets_the_messages_that_its_join_url_asks_for() -> None:
    async def call() -> None:
        for wanted in ((), ("user_started_speaking", "unheard_of")):
            async with rtc_world(ActingBrain(lambda _: ())) as world:
                record, _ = await world.enter(wanted=wanted)
                link = world.link(record)
                await link.speak(1)
                await link.speak(2, level=0)
                assert bool(link.of("user_started_speaking")) is bool(wanted)

    play(call())


# Endings


def test_the_agents_goodbye_is_heard_to_its_end_before_the_link_goes() -> None:
    async def call() -> None:
        async with rtc_world(greeting(Say("Good bye now."), HangUp())) as world:
            record, _ = await world.enter()
            link = world.link(record)
            await world.ended(record)
            last_s = world.voices[0].played[-1][0]
            assert asyncio.get_running_loop().time() >= last_s + 0.2
            assert world.voices[0].closed

        assert record.end_reason == "agent_hangup"
        assert link.partings == ["over"]

    play(call())


def test_a_goodbye_for_a_client_that_is_away_holds_nothing_up() -> None:
    async def call() -> None:
        async with rtc_world(greeting(Say("Good bye."), HangUp())) as world:
            record, _ = await world.enter()
            link = world.link(record)
            await asyncio.sleep(0.1)
            link.lose()
            began_s = asyncio.get_running_loop().time()
            await world.ended(record)
            assert asyncio.get_running_loop().time() - began_s <= GRACE_S + 1

    play(call())


def test_a_server_that_stops_says_so_to_link_and_join_socket() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            await world.service.close()
            await asyncio.sleep(0.1)

        assert link.partings == ["server stops"]
        assert client.closed is not None
        assert client.closed[0] == 1001
        assert record.end_reason == "system_error"

    play(call())


def test_a_link_that_breaks_the_protocol_ends_its_own_call_only() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            other, _ = await world.enter()
            world.link(other)
            record, client = await world.enter()
            link = world.link(record)
            assert link.user is not None
            link.user.refuse(link, RemoteWireError("over 2 offers a second", close_code=1009))
            await world.ended(record)
            assert "over 2 offers a second" in await detail(world, record)
            await asyncio.sleep(0.1)
            assert client.closed is not None
            assert client.closed[0] == 1009
            assert other.ended is None

    play(call())


def test_a_link_that_does_not_let_go_holds_the_end_up_for_a_second_at_most() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            link.let_go.clear()
            client.socket.close(1000)
            began_s = asyncio.get_running_loop().time()
            await world.ended(record)
            assert asyncio.get_running_loop().time() - began_s <= 1.1
            link.let_go.set()
            await asyncio.sleep(0.1)

    play(call())


# Lost connections


def test_a_client_that_vanishes_is_final_after_the_grace_and_everything_is_given_back() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            link.lose("no sign of life for 15 s")
            await asyncio.sleep(GRACE_S - 0.1)
            assert record.ended is None
            await asyncio.sleep(0.2)
            assert "gone for 20 s: no sign of life" in await detail(world, record)

        assert record.end_reason == "connection_error"
        assert link.stopped
        assert client.closed == (1000, "")
        assert world.rooms.room(record.call_id) is None

    play(call())


@pytest.mark.parametrize("link_first", [True, False])
def test_a_network_that_takes_both_connections_leaves_the_same_grace(link_first: bool) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            _drop_network(link, client, link_first=link_first)
            await asyncio.sleep(GRACE_S - 0.1)
            assert record.ended is None
            link = world.link(record)
            await asyncio.sleep(GRACE_S + 1)
            assert record.ended is None
            link.lose("no sign of life for 15 s")
            await asyncio.sleep(GRACE_S - 0.1)
            assert record.ended is None
            await asyncio.sleep(0.2)
            assert "gone for 20 s: no sign of life" in await detail(world, record)
            await asyncio.sleep(0.8)  # everything is back within a second of the end
            assert link.stopped
            assert world.voices[0].closed
            assert world.rooms.room(record.call_id) is None

        assert record.end_reason == "connection_error"

    play(call())


@pytest.mark.parametrize("link_first", [True, False])
def test_a_client_whose_join_socket_is_gone_hangs_up_by_leaving_its_room(link_first: bool) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            _drop_network(world.link(record), client, link_first=link_first)
            await asyncio.sleep(10)
            world.link(record).lose("it left", left=True)
            await world.ended(record)

        assert record.end_reason == "hangup"

    play(call())


def test_a_join_socket_that_a_client_without_a_link_closes_with_an_error_is_the_end() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            world.link(record).lose()
            client.socket.close(1011)
            await asyncio.sleep(0.1)
            assert record.end_reason == "connection_error"

    play(call())


def _drop_network(link: FakeLink, client: Client, *, link_first: bool) -> None:
    if link_first:
        link.lose()
    client.socket.abort()  # type: ignore[attr-defined]
    if not link_first:
        link.lose()


def test_a_client_that_comes_back_within_the_grace_keeps_its_call() -> None:
    async def call() -> None:
        async with rtc_world(greeting(Say(WORDS))) as world:
            record, _ = await world.enter()
            first = world.link(record)
            await asyncio.sleep(0.5)
            first.lose()
            n_played = len(world.voices[0].played)
            await asyncio.sleep(GRACE_S - 0.1)
            assert len(world.voices[0].played) == n_played  # the rest waits for the client
            second = world.link(record)
            await asyncio.sleep(30)
            assert record.ended is None
            assert world.leg(record).rejoins == 1
            assert first.partings == ["replaced"]
            assert not second.stopped
            final = [each for each in second.of("transcript") if each["final"]]
            assert [each["text"] for each in final] == [WORDS]

    play(call())


def test_what_an_old_link_says_after_it_was_replaced_counts_for_nothing() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _ = await world.enter()
            first = world.link(record)
            second = world.link(record)
            first.say(type="user_text_message", text="ghost")
            first.hear(np.ones(320, np.int16))
            first.lose(left=True)
            assert first.user is not None
            first.user.refuse(first, RemoteWireError("too late"))
            first.user.mute(first, disabled=True)
            first.user.warn(first, "late", "too late")
            first.ready()
            second.say(type="user_text_message", text="real")
            await asyncio.sleep(1)
            assert [each.text for each in await world.messages(record)] == ["real"]
            assert not world.voices[0].muted
            assert record.ended is None

    play(call())


def test_messages_of_the_time_without_a_client_come_in_order_when_it_is_back() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _ = await world.enter()
            first = world.link(record)
            await asyncio.sleep(1)
            first.heard_s = asyncio.get_running_loop().time()
            first.lose()
            for n in range(3):
                world.leg(record).send(_pong(n))
            assert not first.of("pong")
            second = world.link(record)
            assert [each["timestamp"] for each in second.of("pong")] == [0, 1, 2]

    play(call())


def test_what_went_out_after_the_last_sign_of_life_goes_out_again_and_nothing_else() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _ = await world.enter()
            first = world.link(record)
            world.leg(record).send(_pong(1))
            await asyncio.sleep(1)
            first.say(type="ping", timestamp=7)  # a sign of life
            await asyncio.sleep(1)
            world.leg(record).send(_pong(2))
            first.lose("no sign of life")
            second = world.link(record)
            assert [each["timestamp"] for each in second.of("pong")] == [2]

    play(call())


def test_on_a_link_that_comes_to_life_again_what_went_out_goes_out_once() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _ = await world.enter()
            link = world.link(record)
            await asyncio.sleep(1)
            world.leg(record).send(_pong(1))
            link.lose("no sign of life")
            assert world.leg(record).away
            world.leg(record).send(_pong(2))
            await asyncio.sleep(GRACE_S - 2)
            link.ready()
            assert not world.leg(record).away
            assert [each["timestamp"] for each in link.of("pong")] == [1, 2]
            await asyncio.sleep(GRACE_S + 1)
            assert record.ended is None
            link.lose("no sign of life")
            assert [each["timestamp"] for each in world.link(record).of("pong")] == []

    play(call())


def test_a_client_that_is_away_is_kept_so_many_messages_and_no_more() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _ = await world.enter()
            world.link(record).lose()
            for n in range(MAX_WAITING + 5):
                world.leg(record).send(_pong(n))
            link = world.link(record)
            assert next(each["timestamp"] for each in link.of("pong")) == 5
            assert len(link.of("pong")) == MAX_WAITING

    play(call())


def test_a_client_that_only_leaves_its_room_may_come_back_while_its_join_socket_is_open() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            world.link(record).lose("it left", left=True)
            await asyncio.sleep(1)
            assert record.ended is None
            world.link(record)
            await asyncio.sleep(GRACE_S + 1)
            assert record.ended is None

    play(call())


@pytest.mark.parametrize("socket_open", [True, False])
def test_a_client_that_leaves_and_hangs_up_is_no_loss_in_the_record(socket_open: bool) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            link = world.link(record)
            if not socket_open:
                client.socket.abort()  # type: ignore[attr-defined]
                await asyncio.sleep(0.1)
            link.lose("it left", left=True)
            await asyncio.sleep(LEAVING_S - 0.1)
            if socket_open:
                client.socket.close(1000)
            await world.ended(record)
            await asyncio.sleep(LEAVING_S)
            assert record.end_reason == "hangup"
            assert "connection_lost" not in [each.type for each in await world.events(record)]

    play(call())


@pytest.mark.parametrize(("left", "wait_s"), [(True, LEAVING_S), (False, 0.0)])
def test_a_client_that_leaves_and_does_not_hang_up_is_lost(left: bool, wait_s: float) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            world.link(record).lose("it is gone", left=left)
            await asyncio.sleep(wait_s + 0.1)
            told = [e.text for e in await world.events(record) if e.type == "connection_lost"]
            assert told == ["webrtc: it is gone"]

    play(call())


def test_a_client_that_leaves_and_comes_back_at_once_was_not_lost() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            world.link(record).lose("it left", left=True)
            await asyncio.sleep(LEAVING_S / 2)
            world.link(record)
            await asyncio.sleep(LEAVING_S)
            assert "connection_lost" not in [each.type for each in await world.events(record)]

    play(call())


def test_a_link_that_comes_after_the_end_is_sent_away() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            leg = world.leg(record)
            client.socket.close(1000)
            await world.ended(record)
            late = FakeLink()
            leg.attach(late)
            assert late.partings == ["over"]
            assert late.user is None

    play(call())


# Joining


def test_a_call_is_claimed_once_by_the_right_kind_of_join_url() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record = await world.service.create(CallSettings())
            ask = world.service.claim
            for kind in ("server_web_socket", "telephony"):
                with pytest.raises(TokenUnknown):
                    await ask(record.call_id, record.join_token, kind=kind)
            with pytest.raises(TokenUnknown):
                await ask(record.call_id, "wrong", kind="webrtc")
            await ask(record.call_id, record.join_token, kind="webrtc")
            with pytest.raises(AlreadyJoined):
                await ask(record.call_id, record.join_token, kind="webrtc")

    play(call())


def test_a_client_with_a_link_of_its_own_needs_no_join_socket_and_hangs_up_by_it() -> None:
    async def call() -> None:
        async with rtc_world(greeting(Say("Hello."))) as world:
            record, link = await world.whip()
            link.ready()
            await asyncio.sleep(1)
            assert link.order[0] == "call_started"
            world.leg(record).hang_up()
            await world.ended(record)

        assert record.end_reason == "hangup"
        with pytest.raises(CallOver):
            await world.service.check_token(record.call_id, record.join_token, kind="webrtc")

    play(call())


def test_an_entrance_is_a_socket_or_a_link() -> None:
    with pytest.raises(ValueError, match="join socket or with a link"):
        Entrance()


def _pong(n: int) -> Pong:
    return Pong(timestamp=n)


def test_a_room_info_is_what_the_clients_read() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            _, client = await world.enter()
            [(_, info)] = client.messages
            assert set(info) == {"type", "roomUrl", "token"}
            assert json.dumps(info["token"]).count(".") == 2

    play(call())


def test_a_recording_has_silence_of_the_right_length_where_there_was_no_connection() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _ = await world.enter()
            leg, recorder = world.leg(record), HandRecorder()
            leg._hearing.recorder = recorder
            first = world.link(record)
            began_s = asyncio.get_running_loop().time()
            await first.speak(1)
            first.lose()
            await asyncio.sleep(7)
            await world.link(record).speak(1)
            lasted_s = asyncio.get_running_loop().time() - began_s
            assert abs(recorder.caller / EAR_HZ - lasted_s) < 0.05

    play(call())


def test_a_lost_connection_is_one_sentence_in_the_record() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            for _ in range(3):
                world.link(record).lose("the network is gone")
            await asyncio.sleep(0.1)
            told = [e.text for e in await world.events(record) if e.type == "connection_lost"]
            assert told == ["webrtc: the network is gone"]

    play(call())
