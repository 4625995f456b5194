import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, FarBroke, MessageEvent, Warned
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.leg import INTERRUPTIONS_KEPT, TOLD_WARNINGS, CarrierLeg
from bridge.stats import DURATION_S, Histogram
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import CarrierEvent, MediaFormat, Message, Stopped, Traits
from bridge.wire.messages import (
    CallStarted,
    ClientToolInvocation,
    ClientToolResult,
    PlaybackClearBuffer,
    State,
    Transcript,
    UserTextMessage,
)
from bridge_codecs.pcm import Int16
from tests.bridge.legs.carrier.plain_call import RATE_HZ, opened_call, running_call
from tests.fakes.legs import HandSocket, hand_port
from tests.fakes.plain_wire import PlainWire


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def noise(seconds: float, level: float = 3_000.0) -> Int16:
    made = np.random.default_rng(1).normal(0, level, round(seconds * RATE_HZ))
    return made.astype(np.int16)


def spoken(text: str | None = None, delta: str | None = None, ordinal: int = 0) -> MessageEvent:
    return MessageEvent(
        Transcript(role="agent", text=text, delta=delta, final=False, ordinal=ordinal)
    )


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


@pytest.mark.parametrize("idle_s", [5.0, 60.0])
def test_a_carrier_that_sends_nothing_is_gone_after_the_limit(idle_s: float) -> None:
    async def call() -> None:
        call = await running_call(media_idle_s=idle_s)
        await call.hear_live(noise(1))
        await asyncio.sleep(idle_s - 0.1)
        call.say("mark m9")
        said = call.now
        ended = await call.task

        assert ended.reason == "connection_error"
        assert call.now - said == pytest.approx(idle_s, abs=0.001)
        await call.leg.hang_up()

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


# Keys, complaints


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


def test_the_first_of_each_kind_of_junk_is_told_and_all_are_counted() -> None:
    async def call() -> None:
        call = await running_call()
        call.say(*["junk a thing"] * 5)

        assert call.ends.events == [Warned("ignored: unknown", "a thing")]
        assert call.leg.figures.ignored["unknown"] == 5
        await call.over()

    run(call())


def test_complaints_of_the_carrier_are_told_up_to_a_number() -> None:
    async def call() -> None:
        call = await running_call()
        call.say(*["warn too slow"] * 50)

        assert call.ends.events == [Warned("carrier_warning", "too slow")] * TOLD_WARNINGS
        assert call.leg.figures.warnings == 50
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


# Interruptions


def test_an_interruption_says_what_was_heard_and_how_long_the_agent_went_on() -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(2, level=20))
        began = call.now
        call.leg.receive(MessageEvent(State(state="speaking")))
        call.speak(5)
        for second, word in enumerate(("One", " two", " three")):
            words = spoken(delta=word) if second else spoken(text=word)
            asyncio.get_running_loop().call_later(second * 0.6, call.leg.receive, words)
        await call.hear_live(noise(0.8, level=20))
        await call.hear_live(noise(0.3))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.at_s == pytest.approx(call.now)
        assert (note.heard_text, note.unheard_text) == ("One two", "")
        assert note.unheard_ms == pytest.approx(5_000 - 1000 * (call.now - began), abs=1)
        assert note.overrun_ms == pytest.approx(300, abs=40)
        await call.over()

    run(call())


def test_a_word_that_the_agent_believes_spoken_and_the_caller_did_not_hear_is_unheard() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("full")
        call.leg.receive(MessageEvent(State(state="speaking")))
        call.speak(5)
        call.leg.receive(spoken(text="One"))
        await asyncio.sleep(0.6)
        call.leg.receive(spoken(delta=" two"))
        call.say("room")
        await asyncio.sleep(0.3)
        call.clear()

        [note] = call.leg.figures.interruptions
        assert (note.heard_text, note.unheard_text, note.overrun_ms) == ("One", "two", None)
        await call.over()

    run(call())


def test_a_carrier_without_a_clear_goes_on_until_it_has_played_what_it_has() -> None:
    async def call() -> None:
        traits = Traits(name="audiosocket", marks="none", clears=False, ahead_ms=200)
        call = await running_call(traits)
        await call.hear_live(noise(2, level=20))
        call.speak(5)
        await call.hear_live(noise(0.5))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.overrun_ms == pytest.approx(700, abs=50)
        assert note.unheard_ms == pytest.approx(5_000 - 500 - 200, abs=30)
        await call.over()

    run(call())


def test_a_clear_when_nobody_speaks_is_no_interruption() -> None:
    async def call() -> None:
        latency = Histogram(DURATION_S)
        call = await running_call(figures=CarrierFigures(clear_latency=latency))
        call.speak(0.1)
        await asyncio.sleep(1)
        call.clear()

        assert call.leg.figures.interruptions == []
        assert call.leg.figures.clears == latency.n == 1
        await call.over()

    run(call())


def test_interruptions_without_end_cost_bounded_memory() -> None:
    async def call() -> None:
        call = await running_call()
        for _ in range(INTERRUPTIONS_KEPT + 5):
            call.speak(0.1)
            call.clear()

        assert len(call.leg.figures.interruptions) == INTERRUPTIONS_KEPT
        await call.over()

    run(call())


# Figures


def test_what_lanes_lost_is_counted_while_the_call_goes_on_and_once_only() -> None:
    async def call() -> None:
        call = await opened_call()
        ends = hand_port()
        ends.outgoing = Lane(8_000, 100, "drop_oldest")
        ends.incoming = Lane(8_000, 100, "drop_newest")
        call.run(ends)
        await asyncio.sleep(0)
        call.hear(noise(0.15))
        call.say("full")
        call.speak(0.2)

        for _ in range(2):
            assert call.leg.figures.caller_audio_lost_ms == pytest.approx(50)
            assert call.leg.figures.overruns == 1
        await call.over()
        assert call.leg.figures.caller_audio_lost_ms == pytest.approx(50)

    run(call())


def test_the_first_audio_of_the_agent_is_timed_from_the_start_of_the_stream() -> None:
    async def call() -> None:
        call = await opened_call()
        await asyncio.sleep(1)
        call.run()
        await asyncio.sleep(0.5)
        assert call.leg.figures.first_agent_audio_s is None
        call.speak(0.1)
        await asyncio.sleep(1)
        call.speak(0.1)

        assert call.leg.figures.first_agent_audio_s == pytest.approx(1.5)
        await call.over()

    run(call())


# Recording


@dataclass
class HandRecorder:
    caller: int = 0
    agent: list[tuple[int, float | None]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)

    def heard(self, samples: Int16) -> None:
        self.caller += samples.size

    def sent(self, samples: Int16, *, plays_in_s: float | None) -> None:
        self.agent.append((samples.size, plays_in_s))

    def cleared(self, *, unplayed_s: float) -> None:
        self.cuts.append(unplayed_s)


def test_both_sides_are_recorded_where_the_caller_heard_them() -> None:
    async def call() -> None:
        recorder = HandRecorder()
        call = await opened_call()
        call.leg.recorder = recorder
        call.hear(noise(1))
        call.run()
        await asyncio.sleep(0.01)
        assert recorder.caller == 8_000
        call.speak(0.06)
        await asyncio.sleep(0.5)
        call.speak(1)
        assert [n for n, _ in recorder.agent[:4]] == [160] * 4
        assert [at for _, at in recorder.agent[1:3]] == [None, None]
        assert [at for _, at in recorder.agent[:4:3]] == pytest.approx([0, 0])

        await asyncio.sleep(0.1)
        call.clear()
        assert recorder.cuts == [pytest.approx(0.3, abs=0.02)]
        call.speak(1)
        await call.over()
        assert recorder.cuts[1:] == [pytest.approx(0.3, abs=0.02)]

    run(call())
