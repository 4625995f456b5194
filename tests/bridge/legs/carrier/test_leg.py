import asyncio
from collections.abc import Coroutine
from dataclasses import replace

import pytest

from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, FarBroke, MessageEvent
from bridge.legs.carrier.leg import CarrierLeg
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import CarrierEvent, MediaFormat, Message, Stopped
from bridge.wire.messages import (
    CallStarted,
    ClientToolInvocation,
    ClientToolResult,
    PlaybackClearBuffer,
    State,
    UserTextMessage,
)
from tests.bridge.legs.carrier.plain_call import noise, opened_call, running_call
from tests.fakes.legs import HandSocket, hand_port
from tests.fakes.plain_wire import PlainWire


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


# Opening


def test_an_opened_leg_says_who_is_on_the_line_and_at_which_rates() -> None:
    async def call() -> None:
        wire = PlainWire(heard=MediaFormat("l16le", 16_000), played=MediaFormat("l16le", 24_000))
        call = await opened_call(wire=wire)

        assert (call.leg.info.call_id, call.leg.info.from_number) == ("CA1", "+1555")
        assert (call.leg.source_hz, call.leg.sink_hz) == (16_000, 24_000)
        await call.leg.hang_up()

    run(call())


def test_a_carrier_that_begins_no_stream_is_refused_at_the_limit() -> None:
    async def call() -> None:
        socket = HandSocket()
        with pytest.raises(RemoteWireError, match="within 10 s"):
            await CarrierLeg(socket, PlainWire()).opened()

        assert asyncio.get_running_loop().time() == 10
        assert socket.closed == [(1008, "no start")]

    run(call())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("stop caller_hung_up", "the carrier said so"), ("break it is broken", "it is broken")],
)
def test_a_carrier_that_is_over_before_it_began_is_refused_with_its_reason(
    text: str, sentence: str
) -> None:
    async def call() -> None:
        socket = HandSocket()
        leg = CarrierLeg(socket, PlainWire())
        opening = asyncio.create_task(leg.opened())
        await asyncio.sleep(1)
        assert socket.receiver is not None
        socket.receiver.on_text(text)

        with pytest.raises(RemoteWireError, match=sentence):
            await opening
        await leg.hang_up()
        assert socket.closed

    run(call())


def test_audio_that_no_codec_has_is_refused_in_a_sentence() -> None:
    async def call() -> None:
        socket = HandSocket()
        leg = CarrierLeg(socket, PlainWire(heard=MediaFormat("g722", 8_000)))
        opening = asyncio.create_task(leg.opened())
        await asyncio.sleep(1)
        assert socket.receiver is not None
        socket.receiver.on_text("start")

        with pytest.raises(RemoteWireError, match=r"G\.722"):
            await opening
        assert socket.closed == [(1008, "protocol error")]

    run(call())


def test_a_protocols_question_is_answered_at_once_before_and_after_the_start() -> None:
    async def call() -> None:
        call = await opened_call()
        call.say("reply opened")
        call.run()
        await asyncio.sleep(0)
        call.say("reply pong")

        assert call.texts == ["opened", "pong"]
        await call.over()

    run(call())


# Serving


@pytest.mark.parametrize(
    ("cause", "ended"),
    [
        ("caller_hung_up", Ended("hangup", "the carrier said so")),
        ("stopped", Ended("hangup", "the carrier said so")),
        ("lost", Ended("connection_error", "the carrier said so")),
    ],
)
def test_the_end_of_the_stream_is_the_end_of_the_leg(cause: str, ended: Ended) -> None:
    async def call() -> None:
        call = await running_call()
        seen: list[Stopped] = []
        call.leg.on_stopped = seen.append
        call.say(f"stop {cause}")

        assert await call.task == ended
        assert [stopped.cause for stopped in seen] == [cause]
        await call.leg.hang_up()

    run(call())


@pytest.mark.parametrize(("code", "reason"), [(1000, "hangup"), (1006, "connection_error")])
def test_a_socket_that_closes_without_a_stop_ends_the_leg(code: int, reason: str) -> None:
    async def call() -> None:
        call = await running_call()
        assert call.socket.receiver is not None
        call.socket.receiver.on_close(code, "")

        assert (await call.task).reason == reason
        await call.leg.hang_up()

    run(call())


def test_a_carrier_that_breaks_its_protocol_is_closed_and_its_call_ends() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("break a second start")

        assert await call.task == Ended(
            "connection_error", "the carrier broke the protocol: a second start"
        )
        assert call.socket.closed == [(1008, "protocol error")]
        await call.leg.hang_up()

    run(call())


def test_a_server_that_stops_ends_the_call() -> None:
    async def call() -> None:
        call = await running_call()
        call.leg.stop()

        assert (await call.task).reason == "system_error"
        await call.leg.hang_up()

    run(call())


def test_a_leg_that_is_over_says_so_at_once_when_it_is_run_again() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("stop caller_hung_up")
        first = await call.task
        call.run()

        assert await call.task == first
        await call.leg.hang_up()

    run(call())


def test_a_leg_that_is_cancelled_keeps_its_socket_and_its_caller_for_the_next_relay() -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(1))
        await call.stop_running()
        assert not call.socket.closed
        await call.hear_live(noise(1))
        call.run(hand_port())
        await asyncio.sleep(0.01)
        call.speak(0.1)

        assert call.ends.outgoing.depth_ms == 1_000
        assert call.sent_s == pytest.approx(0.1)
        assert call.leg.figures.preroll_ms == 1_000
        assert call.leg.figures.caller_audio_lost_ms == 0
        await call.over()

    run(call())


def test_the_second_agent_is_heard_after_the_rest_of_the_first() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(5)
        await asyncio.sleep(1)
        await call.stop_running()
        call.run(hand_port())
        await asyncio.sleep(0)
        call.speak(0.1)

        ledger = call.ends.incoming.ledger
        assert ledger.time_of(0) == pytest.approx(call.now + 0.3, abs=0.02)
        await call.over()

    run(call())


def test_what_waits_in_the_lane_before_the_leg_is_run_goes_out_at_once() -> None:
    async def call() -> None:
        call = await opened_call()
        call.speak(0.1)
        call.run()
        await asyncio.sleep(0)

        assert call.sent_s == pytest.approx(0.1)
        await call.over()

    run(call())


def test_a_carrier_that_was_full_is_still_full_for_the_next_agent() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("full")
        await call.stop_running()
        call.run(hand_port())
        await asyncio.sleep(0)
        call.speak(0.1)
        assert not call.frames
        call.say("room")

        assert call.sent_s == pytest.approx(0.1)
        await call.over()

    run(call())


def test_what_was_not_played_when_the_carrier_went_is_lost() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(1)
        await asyncio.sleep(0.1)
        await call.over()

        heard = call.ends.incoming.ledger.heard(call.now)
        assert heard.lost == heard.sent - heard.played_interpolated > 0

    run(call())


def test_audio_that_comes_after_the_end_of_the_stream_goes_nowhere() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("stop caller_hung_up")
        call.speak(1)

        assert not call.frames
        await call.task
        await call.leg.hang_up()

    run(call())


def test_audio_that_the_wire_cannot_say_ends_this_call_and_not_the_agents_leg() -> None:
    class Broken(PlainWire):
        def audio(self, payload: bytes) -> Message:
            raise LocalWireError("no such frame")

    async def call() -> None:
        call = await running_call(wire=Broken())
        call.speak(1)
        call.speak(1)

        assert await call.task == Ended("system_error", "audio could not be sent: no such frame")
        await call.leg.hang_up()

    run(call())


def test_traits_that_the_start_has_settled_hold() -> None:
    class Settling(PlainWire):
        def receive_text(self, text: str, now_s: float) -> list[CarrierEvent]:
            if text == "start":
                self.traits = replace(self.traits, marks="none", whole_frames=True)
            return super().receive_text(text, now_s)

    async def call() -> None:
        call = await running_call(wire=Settling())
        call.speak(0.025)

        assert [n for _, n in call.frames] == [160, 160]
        assert call.texts == []
        await call.over()

    run(call())


# Keys, and what comes when nobody is there


def test_the_callers_keys_reach_the_agent_once_it_has_said_something() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("digit 4", "digit 2")
        await asyncio.sleep(1)
        assert call.ends.messages == []
        call.leg.receive(MessageEvent(CallStarted(call_id="c")))

        assert call.ends.messages == [UserTextMessage(text="42", urgency="immediate")]
        assert call.leg.figures.digits == 2
        await call.over()

    run(call())


def test_what_comes_between_two_agents_is_counted_and_told_nobody() -> None:
    async def call() -> None:
        call = await opened_call()
        call.say(
            "junk a thing", "warn too slow", "digit 1", "mark m0", "flushed m0", "full", "room"
        )
        call.leg.clear()
        call.leg.receive(MessageEvent(State(state="speaking")))
        await call.leg.drain()
        await asyncio.sleep(1)

        figures = call.leg.figures
        assert (figures.ignored["unknown"], figures.warnings, figures.digits) == (1, 1, 1)
        assert figures.clears == 0
        await call.leg.hang_up()

    run(call())


def test_audio_that_the_carrier_lost_is_silence() -> None:
    async def call() -> None:
        call = await running_call()
        call.hear(noise(0.02))
        call.say("missing 40")

        assert call.ends.outgoing.depth_ms == 60
        assert call.leg.figures.caller_audio_missing_ms == 40
        await call.over()

    run(call())


# Messages for the phone


def test_a_client_tool_that_a_telephone_has_not_is_refused_when_the_phone_is_the_only_client() -> (
    None
):
    async def call() -> None:
        call = await running_call()
        invocation = ClientToolInvocation(tool_name="lookUp", invocation_id="i1")
        with pytest.raises(LocalWireError, match="no client that runs lookUp"):
            call.leg.send(invocation)
        call.leg.send(
            ClientToolInvocation(
                tool_name="playDtmfSounds", invocation_id="i2", parameters={"digits": "1"}
            )
        )
        await asyncio.sleep(1)

        assert call.ends.messages == [ClientToolResult(invocation_id="i2", result="OK")]
        await call.over()

    run(call())


def test_messages_that_a_telephone_cannot_use_are_left_out() -> None:
    async def call() -> None:
        call = await running_call()
        call.leg.send(PlaybackClearBuffer())
        call.leg.receive(MessageEvent(State(state="thinking")))
        call.leg.receive(FarBroke())

        assert call.texts == []
        assert call.ends.events == []
        await call.over()

    run(call())
