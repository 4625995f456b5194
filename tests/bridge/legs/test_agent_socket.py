import asyncio
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Ended, MessageEvent, Warned
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import ClientToolResult, HangUp, Ping, State, UserTextMessage
from bridge_codecs.pcm import Int16
from tests.fakes.legs import HandPort, HandSocket, hand_port


async def connected() -> tuple[AgentSocketLeg, HandSocket, HandPort, "asyncio.Task[Ended]"]:
    socket, ends = HandSocket(), hand_port()
    leg = AgentSocketLeg(socket, Rates(8_000, 8_000))
    task = asyncio.create_task(leg.run(ends.port))
    await asyncio.sleep(0.01)
    return leg, socket, ends, task


def tone(n_samples: int) -> Int16:
    return np.full(n_samples, 1_000, np.int16)


def say(socket: HandSocket, **message: object) -> None:
    assert socket.receiver is not None
    socket.receiver.on_text(json.dumps(message))


def hear(socket: HandSocket, data: bytes) -> None:
    assert socket.receiver is not None
    socket.receiver.on_bytes(data)


async def over(socket: HandSocket, task: "asyncio.Task[Ended]", code: int = 1000) -> Ended:
    assert socket.receiver is not None
    socket.receiver.on_close(code, "")
    return await task


def test_uplink_audio_goes_out_at_once_in_frames_of_20_ms() -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        ends.incoming.push(tone(400))
        now = asyncio.get_running_loop().time()

        assert [(at, len(data)) for at, data in socket.frames] == [(now, 320), (now, 320)]
        assert ends.incoming.depth_samples == 80
        assert ends.incoming.ledger.sent_samples == 320
        await over(socket, task)

    run_virtual(call())


def test_downlink_audio_is_pushed_as_it_comes_whatever_its_frames() -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        for n_samples in (160, 1, 3_000):
            hear(socket, tone(n_samples).tobytes())

        assert ends.outgoing.depth_samples == 3_161
        await over(socket, task)

    run_virtual(call())


def test_a_state_other_than_speaking_ends_the_segment() -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        hear(socket, tone(100).tobytes())
        say(socket, type="state", state="speaking")
        assert ends.outgoing.pull(160).size == 0
        say(socket, type="state", state="listening")

        assert ends.outgoing.pull(160).size == 100
        assert [m.state for m in ends.messages if isinstance(m, State)] == ["speaking", "listening"]
        await over(socket, task)

    run_virtual(call())


def test_a_clear_empties_the_lane_before_the_next_message_is_passed_on() -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        hear(socket, tone(8_000).tobytes())
        say(socket, type="playback_clear_buffer")

        assert ends.outgoing.depth_samples == 0
        assert len(ends.clears) == 1
        assert [type(m).__name__ for m in ends.messages] == ["PlaybackClearBuffer"]
        await over(socket, task)

    run_virtual(call())


def test_messages_of_the_caller_are_sent_and_after_hang_up_only_what_still_may() -> None:
    async def call() -> None:
        leg, socket, _, task = await connected()
        for message in (
            UserTextMessage(text="one"),
            HangUp(),
            UserTextMessage(text="two"),
            Ping(timestamp=1),
        ):
            leg.receive(MessageEvent(message))

        types = [json.loads(text)["type"] for text in socket.texts]
        assert types == ["user_text_message", "hang_up", "ping"]
        await over(socket, task)

    run_virtual(call())


def test_a_message_that_is_too_large_is_left_out_with_a_warning() -> None:
    async def call() -> None:
        leg, socket, ends, task = await connected()
        result = ClientToolResult(invocation_id="a", result="x" * 70_000)
        leg.receive(MessageEvent(result))

        assert socket.texts == []
        assert [event.type for event in ends.events if isinstance(event, Warned)] == [
            "message_not_sent"
        ]
        await over(socket, task)

    run_virtual(call())


def test_a_repeated_invocation_gets_the_first_answer_and_is_not_passed_on() -> None:
    async def call() -> None:
        leg, socket, ends, task = await connected()
        invocation = {"type": "client_tool_invocation", "toolName": "t", "invocationId": "a"}
        say(socket, **invocation, parameters={})
        leg.receive(MessageEvent(ClientToolResult(invocation_id="a", result="r")))
        say(socket, **invocation, parameters={})

        assert len(ends.messages) == 1
        assert [json.loads(text)["result"] for text in socket.texts] == ["r", "r"]
        await over(socket, task)

    run_virtual(call())


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, "agent_hangup"),
        (1001, "agent_hangup"),
        (1005, "agent_hangup"),
        (1006, "connection_error"),
        (1011, "connection_error"),
        (4000, "connection_error"),
    ],
)
def test_how_the_socket_closed_is_how_the_call_ended(code: int, reason: str) -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        hear(socket, tone(100).tobytes())
        ended = await over(socket, task, code)

        assert ended.reason == reason
        # What the agent said before is there to be heard, its last part of a frame too.
        assert ends.outgoing.pull(160).size == 100

    run_virtual(call())


def test_garbage_is_warned_of_and_passed_over() -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        hear(socket, b"odd")
        hear(socket, b"")
        assert socket.receiver is not None
        socket.receiver.on_text("{")
        say(socket, type="of tomorrow", x=1)

        warned = [event.type for event in ends.events if isinstance(event, Warned)]
        assert warned == ["ignored: odd", "ignored: empty", "ignored: bad message"]
        assert not task.done()
        await over(socket, task)

    run_virtual(call())


def test_too_much_garbage_ends_the_call_with_a_sentence() -> None:
    async def call() -> None:
        _, socket, _, task = await connected()
        assert socket.receiver is not None
        for _ in range(99):
            socket.receiver.on_text("garbage")
        assert not task.done()
        socket.receiver.on_text("garbage")
        ended = await task

        assert ended.reason == "connection_error"
        assert ended.detail.startswith("the agent's side broke the protocol: 100 bad")
        assert socket.closed == [(1008, "protocol error")]

    run_virtual(call())


def test_cancelled_it_closes_the_socket_in_order_and_takes_no_more_audio() -> None:
    async def call() -> None:
        _, socket, ends, task = await connected()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ends.incoming.push(tone(160))

        assert socket.closed == [(1000, "")]
        assert socket.frames == []

    run_virtual(call())


@settings(deadline=None)
@given(st.lists(st.text(max_size=40) | st.binary(max_size=40), max_size=30))
def test_whatever_a_server_sends_the_leg_stays_or_ends_with_a_reason(
    sent: list[str | bytes],
) -> None:
    async def call() -> None:
        _, socket, _, task = await connected()
        assert socket.receiver is not None
        for message in sent:
            if isinstance(message, str):
                socket.receiver.on_text(message)
            else:
                socket.receiver.on_bytes(message)
        ended = await over(socket, task)

        assert ended.reason in {"agent_hangup", "connection_error"}

    run_virtual(call())


def test_a_server_that_never_says_anything_is_asked_with_a_ping_and_given_up() -> None:
    async def call() -> None:
        _, socket, _, task = await connected()
        await asyncio.sleep(9.9)
        assert [json.loads(text)["type"] for text in socket.texts] == ["ping"]
        assert not task.done()
        ended = await task

        assert ended.reason == "connection_error"
        assert "said nothing for 10 s" in ended.detail

    run_virtual(call())


@pytest.mark.parametrize("word", ["pong", "audio"])
def test_a_server_with_nothing_to_say_that_is_there_is_waited_for(word: str) -> None:
    async def call() -> None:
        _, socket, _, task = await connected()
        await asyncio.sleep(9)
        if word == "pong":
            say(socket, type="pong", timestamp=5)
        else:
            hear(socket, tone(160).tobytes())
        await asyncio.sleep(3_600)

        assert not task.done()
        assert (await over(socket, task)).reason == "agent_hangup"

    run_virtual(call())
