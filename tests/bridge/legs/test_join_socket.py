import asyncio
import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import LocalWireError
from bridge.legs.base import Ended, FarBroke, LegEvent, MessageEvent, Warned
from bridge.legs.join_socket import MAX_WAITING_BYTES, JoinSocketLeg
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import (
    CallStarted,
    ClientToolInvocation,
    State,
    ToolUsed,
    Transcript,
)
from bridge.wire.messages.enabled import EnabledDataMessages
from tests.fakes.legs import HandPort, HandRecorder, HandSocket, hand_port
from tests.fakes.socket_log import SocketLog

ALL = EnabledDataMessages.for_carrier("server_web_socket")
STARTED = MessageEvent(CallStarted(call_id="c"))
THINKING = MessageEvent(State(state="thinking"))


@dataclass
class Joined:
    leg: JoinSocketLeg
    socket: HandSocket
    ends: HandPort
    task: "asyncio.Task[Ended]"
    recorder: HandRecorder

    def emit(self, *events: LegEvent) -> None:
        for event in events:
            self.leg.receive(event)

    def speak(self, seconds: float) -> None:
        rate_hz = self.ends.incoming.rate_hz
        self.ends.incoming.push(np.ones(round(seconds * rate_hz), np.int16))
        self.ends.incoming.end_segment()

    def clear(self) -> None:
        self.ends.incoming.clear()
        self.leg.clear()
        self.ends.incoming.ledger.flush(asyncio.get_running_loop().time())

    @property
    def types(self) -> list[str]:
        return [json.loads(text)["type"] for text in self.socket.texts]

    @property
    def furthest_ahead_ms(self) -> float:
        """The most that a client which plays from the first frame on had to hold."""
        first, rate_hz, sent, furthest = self.socket.frames[0][0], self.leg.sink_hz, 0.0, 0.0
        for at, data in self.socket.frames:
            sent += len(data) / 2 / rate_hz
            furthest = max(furthest, sent - (at - first))
        return 1000 * furthest

    async def over(self, code: int = 1000) -> Ended:
        assert self.socket.receiver is not None
        self.socket.receiver.on_close(code, "")
        return await self.task


async def joined(
    *,
    buffer_ms: int = 60,
    output_hz: int = 8_000,
    enabled: EnabledDataMessages = ALL,
    idle_s: float | None = None,
    uplink_max_ms: float = 32_000,
) -> Joined:
    socket, recorder = HandSocket(), HandRecorder()
    ends = hand_port(incoming_hz=output_hz, max_ms=uplink_max_ms)
    leg = JoinSocketLeg(
        socket,
        rates=Rates(8_000, output_hz),
        client_buffer_ms=buffer_ms,
        enabled=enabled,
        media_idle_s=idle_s,
        recorder=recorder,
    )
    task = asyncio.create_task(leg.run(ends.port))
    await asyncio.sleep(0.01)
    call = Joined(leg, socket, ends, task, recorder)
    call.emit(STARTED)
    return call


# Pacing


@pytest.mark.parametrize(
    ("buffer_ms", "ahead_ms"), [(0, 20), (1, 20), (20, 20), (59, 59), (60, 60), (500, 500)]
)
@pytest.mark.parametrize("output_hz", [8_000, 11_025, 44_100, 48_000])
def test_the_client_never_holds_more_than_it_asked_for_or_one_frame(
    buffer_ms: int, ahead_ms: int, output_hz: int
) -> None:
    async def call() -> None:
        call = await joined(buffer_ms=buffer_ms, output_hz=output_hz)
        call.speak(2)
        await asyncio.sleep(3)

        assert sum(len(data) for _, data in call.socket.frames) == 2 * 2 * output_hz
        assert ahead_ms - 20 < call.furthest_ahead_ms <= ahead_ms + 0.51
        await call.over()

    run_virtual(call())


@pytest.mark.parametrize("buffer_ms", [20, 60])
def test_a_small_buffer_is_kept_filled_without_a_gap(buffer_ms: int) -> None:
    async def call() -> None:
        call = await joined(buffer_ms=buffer_ms)
        call.speak(2)
        await asyncio.sleep(3)

        assert call.ends.incoming.ledger.gaps.count == 0
        assert call.ends.incoming.ledger.playing_until_s == pytest.approx(2.01)
        await call.over()

    run_virtual(call())


def test_a_buffer_of_30_s_takes_all_at_once() -> None:
    async def call() -> None:
        call = await joined(buffer_ms=30_000)
        call.speak(29)

        assert {at for at, _ in call.socket.frames} == {0.01}
        assert len(call.socket.frames) == 29 * 50
        call.speak(2)
        await asyncio.sleep(0.1)
        assert call.furthest_ahead_ms <= 30_000.51
        await call.over()

    run_virtual(call())


@pytest.mark.parametrize(
    ("waiting", "goes_out"), [(MAX_WAITING_BYTES, True), (MAX_WAITING_BYTES + 1, False)]
)
def test_audio_waits_in_the_lane_while_the_socket_is_full_and_goes_on_after(
    waiting: int, goes_out: bool
) -> None:
    async def call() -> None:
        call = await joined(buffer_ms=30_000)
        call.socket.buffered_bytes = waiting
        call.speak(1)
        assert len(call.socket.frames) == (50 if goes_out else 0)

        await asyncio.sleep(0.1)
        call.socket.buffered_bytes = 0
        await asyncio.sleep(0.1)

        assert len(call.socket.frames) == 50
        await call.over()

    run_virtual(call())


def test_a_buffer_of_30_s_is_filled_at_48_khz_without_closing_the_socket() -> None:
    async def call() -> None:
        ours, theirs = memory_pair(asyncio.get_running_loop())
        client = SocketLog()
        ours.start(client)
        ends = hand_port(incoming_hz=48_000, max_ms=32_000)
        leg = JoinSocketLeg(
            theirs, rates=Rates(48_000, 48_000), client_buffer_ms=30_000, enabled=ALL
        )
        task = asyncio.create_task(leg.run(ends.port))
        await asyncio.sleep(0.01)
        leg.receive(STARTED)
        ends.incoming.push(np.ones(29 * 48_000, np.int16))
        ends.incoming.end_segment()
        await asyncio.sleep(1)

        assert sum(len(data) for data in client.heard if isinstance(data, bytes)) == 29 * 48_000 * 2
        assert not client.closes
        ours.close()
        await task

    run_virtual(call())


def test_nothing_is_sent_while_the_agent_is_silent_and_the_next_word_goes_out_at_once() -> None:
    async def call() -> None:
        call = await joined()
        call.speak(0.1)
        await asyncio.sleep(5)
        n_sent = len(call.socket.frames)
        call.speak(0.1)
        now = asyncio.get_running_loop().time()

        assert n_sent == 5
        assert [at for at, _ in call.socket.frames[5:]] == [now, now, now]
        await call.over()

    run_virtual(call())


def test_the_last_frame_of_a_segment_may_be_short() -> None:
    async def call() -> None:
        call = await joined()
        call.speak(0.025)

        assert [len(data) for _, data in call.socket.frames] == [320, 80]
        await call.over()

    run_virtual(call())


def test_after_a_clear_the_next_word_waits_for_nothing_that_was_cleared() -> None:
    async def call() -> None:
        call = await joined(buffer_ms=30_000)
        call.speak(20)
        await asyncio.sleep(1)
        call.clear()
        n_sent = len(call.socket.frames)
        call.speak(0.1)
        now = asyncio.get_running_loop().time()

        assert [at for at, _ in call.socket.frames[n_sent:]] == [now] * 5
        assert call.ends.incoming.ledger.playing_until_s == pytest.approx(now + 0.1)
        await call.over()

    run_virtual(call())


def test_draining_ends_when_the_client_has_played_the_last_sample() -> None:
    async def call() -> None:
        for buffer_ms in (60, 30_000):
            call = await joined(buffer_ms=buffer_ms)
            began = asyncio.get_running_loop().time()
            call.speak(1.99)
            await call.leg.drain()
            lasted = asyncio.get_running_loop().time() - began
            await call.over()

            assert lasted == pytest.approx(1.99, abs=0.021)

    run_virtual(call())


def test_a_leg_that_ended_sends_nothing_more() -> None:
    async def call() -> None:
        call = await joined()
        call.speak(1)
        await asyncio.sleep(0.1)
        await call.over()
        n_sent = len(call.socket.sent)
        call.socket.closed.clear()
        await asyncio.sleep(1)

        assert len(call.socket.sent) == n_sent

    run_virtual(call())


# Messages


def test_only_messages_that_the_client_wants_are_sent() -> None:
    async def call() -> None:
        call = await joined()
        used = MessageEvent(ToolUsed(tool_name="t"))
        call.emit(used, THINKING)
        assert call.types == ["call_started", "state"]
        await call.over()

        call = await joined(enabled=EnabledDataMessages(tool_used=True, state=False))
        call.emit(used, THINKING)
        assert call.types == ["call_started", "tool_used"]
        await call.over()

    run_virtual(call())


def test_a_client_that_wants_no_call_started_gets_the_rest() -> None:
    async def call() -> None:
        call = await joined(enabled=EnabledDataMessages(call_started=False))
        call.emit(THINKING)
        call.speak(0.02)

        assert call.types == ["state"]
        assert len(call.socket.frames) == 1
        await call.over()

    run_virtual(call())


def test_clear_is_sent_before_what_follows_it_even_if_nothing_was_said() -> None:
    async def call() -> None:
        call = await joined()
        call.clear()
        call.emit(MessageEvent(State(state="listening")))

        assert call.types == ["call_started", "playback_clear_buffer", "state"]
        await call.over()

    run_virtual(call())


@pytest.mark.parametrize(("n_chars", "fits"), [(65_000, True), (66_000, False)])
def test_a_message_too_large_for_a_client_is_warned_of_and_ends_nothing(
    n_chars: int,
    fits: bool,
) -> None:
    async def call() -> None:
        call = await joined()
        words = Transcript(role="user", text="x" * n_chars, final=True, ordinal=0)
        call.emit(MessageEvent(words), THINKING)

        assert ("transcript" in call.types) is fits
        warned = [event.type for event in call.ends.events if isinstance(event, Warned)]
        assert warned == ([] if fits else ["message_not_sent"])
        assert call.types[-1] == "state"
        await call.over()

    run_virtual(call())


def test_whoever_sends_directly_is_told_what_cannot_be_sent() -> None:
    async def call() -> None:
        call = await joined()
        invocation = ClientToolInvocation(tool_name="t", invocation_id="a", parameters={})
        call.leg.send(invocation)
        with pytest.raises(LocalWireError, match="used twice"):
            call.leg.send(invocation)
        await call.over()

    run_virtual(call())


def test_messages_of_the_client_are_passed_on_and_oddities_warned_of() -> None:
    async def call() -> None:
        call = await joined()
        assert call.socket.receiver is not None
        call.socket.receiver.on_text('{"type": "ping", "timestamp": 1}')
        call.socket.receiver.on_text('{"type": "playback_clear_buffer"}')
        call.socket.receiver.on_text("{")
        call.socket.receiver.on_bytes(b"odd")

        assert [type(m).__name__ for m in call.ends.messages] == ["Ping", "UnknownMessage"]
        warned = [event.type for event in call.ends.events if isinstance(event, Warned)]
        assert warned == ["ignored: bad message", "ignored: odd"]
        await call.over()

    run_virtual(call())


# Ends


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, "hangup"),
        (1001, "hangup"),
        (1005, "hangup"),
        (1006, "connection_error"),
        (1002, "connection_error"),
    ],
)
def test_a_client_that_leaves_hangs_up_and_one_that_is_lost_breaks_the_connection(
    code: int, reason: str
) -> None:
    async def call() -> None:
        call = await joined()

        assert (await call.over(code)).reason == reason

    run_virtual(call())


def test_a_client_that_breaks_the_protocol_ends_its_call_with_the_code_for_it() -> None:
    async def call() -> None:
        call = await joined()
        assert call.socket.receiver is not None
        call.socket.receiver.on_bytes(bytes(64 * 1024 + 2))
        ended = await call.task

        assert ended.reason == "connection_error"
        assert "64" in ended.detail or "65536" in ended.detail
        assert call.socket.closed == [(1009, "protocol error")]

    run_virtual(call())


def test_cancelled_it_closes_in_order_and_with_an_error_when_the_far_leg_broke() -> None:
    async def call() -> None:
        for events, code in (((), 1000), ((FarBroke(),), 1011)):
            call = await joined()
            call.emit(*events)
            call.task.cancel()
            await asyncio.wait((call.task,))

            assert call.socket.closed == [(code, "")]

    run_virtual(call())


def test_a_server_that_stops_goes_away() -> None:
    async def call() -> None:
        call = await joined()
        call.leg.stop()
        ended = await call.task

        assert ended.reason == "system_error"
        assert call.socket.closed == [(1001, "the server stops")]

    run_virtual(call())


def test_without_audio_for_the_idle_time_the_call_ends_and_any_audio_keeps_it() -> None:
    async def call() -> None:
        call = await joined(idle_s=10)
        assert call.socket.receiver is not None
        await asyncio.sleep(9.9)
        call.socket.receiver.on_bytes(bytes(320))
        await asyncio.sleep(9.9)
        assert not call.task.done()
        call.socket.receiver.on_text('{"type": "ping", "timestamp": 1}')
        ended = await call.task

        assert ended.reason == "connection_error"
        assert asyncio.get_running_loop().time() == pytest.approx(19.91, abs=0.01)

    run_virtual(call())


# Recording


def test_the_recorder_hears_both_sides_and_when_each_stretch_plays() -> None:
    async def call() -> None:
        call = await joined(buffer_ms=1_000)
        assert call.socket.receiver is not None
        call.socket.receiver.on_bytes(bytes(320))
        call.speak(0.06)
        await asyncio.sleep(0.01)
        call.speak(0.02)  # joins on to what still plays
        await asyncio.sleep(1)
        call.speak(0.02)

        assert call.recorder.caller == 160
        plays = [None if p is None else round(p, 3) for _, p in call.recorder.agent]
        assert plays == [0.0, None, None, None, 0.0]
        await call.over()

    run_virtual(call())


def test_the_recorder_learns_what_a_clear_or_the_end_left_unplayed() -> None:
    async def call() -> None:
        call = await joined(buffer_ms=30_000)
        call.speak(2)
        await asyncio.sleep(0.5)
        call.clear()
        call.speak(1)
        await asyncio.sleep(0.25)
        await call.over()

        assert call.recorder.cuts == pytest.approx([1.5, 0.75], abs=0.001)

    run_virtual(call())


@settings(deadline=None)
@given(st.lists(st.text(max_size=60) | st.binary(max_size=60), max_size=40))
def test_whatever_a_client_sends_its_leg_stays_or_ends_with_a_reason(
    sent: list[str | bytes],
) -> None:
    async def call() -> None:
        call = await joined()
        assert call.socket.receiver is not None
        for message in sent:
            if isinstance(message, str):
                call.socket.receiver.on_text(message)
            else:
                call.socket.receiver.on_bytes(message)
        ended = await call.over()

        assert ended.reason in {"hangup", "connection_error"}

    run_virtual(call())


# The client's tempo


@pytest.mark.parametrize(("hole_s", "told"), [(0.49, []), (0.51, ["audio_underflow"])])
def test_a_long_hole_in_the_clients_audio_is_told_when_it_goes_on(
    hole_s: float, told: list[str]
) -> None:
    async def call() -> None:
        call = await joined()
        await asyncio.sleep(5)  # before the first sample nothing is missing
        for _ in range(2):
            call.socket.receiver.on_bytes(bytes(320))  # type: ignore[union-attr]
            await asyncio.sleep(hole_s)

        assert [each.type for each in call.ends.events if isinstance(each, Warned)] == told
        await call.over()

    run_virtual(call())


@pytest.mark.parametrize(("seconds", "told"), [(2.0, []), (2.02, ["audio_overflow"])])
def test_audio_that_nobody_had_time_to_hear_is_told_as_lost(
    seconds: float, told: list[str]
) -> None:
    async def call() -> None:
        call = await joined(uplink_max_ms=2_000)
        for _ in range(round(seconds / 0.02)):
            call.socket.receiver.on_bytes(bytes(320))  # type: ignore[union-attr]

        assert [each.type for each in call.ends.events if isinstance(each, Warned)] == told
        await call.over()

    run_virtual(call())
