"""The serverWebSocket machine in both roles: frames, limits, order, endings."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire import messages as m
from bridge.wire.agent_socket import (
    AgentSocket,
    AnswerAgain,
    AudioReceived,
    ClearBuffer,
    Closed,
    Ignored,
    Message,
    MessageReceived,
    Rates,
    Role,
    SocketEvent,
)
from tests.fakes.data_message_samples import CLIENT_SAMPLES, SERVER_SAMPLES
from tests.fakes.joined_agent_sockets import RATES, JoinedAgentSockets

ROLES: tuple[Role, ...] = ("client", "server")
STARTED = m.CallStarted(call_id="5b0f2f0e-6f0a-4c57-9d0f-0d6f3a1c2b4d")
FRAME = np.arange(-80, 80, dtype=np.int16)


def reason(events: list[SocketEvent]) -> str:
    [event] = events
    assert isinstance(event, Ignored)
    return event.reason


def live_server() -> AgentSocket:
    server = AgentSocket("server", RATES)
    server.text(STARTED)
    return server


# Frames


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("n_samples", [1, 7, 160, 960])
def test_a_frame_of_any_even_length_is_audio(role: Role, n_samples: int) -> None:
    samples = np.arange(n_samples, dtype=np.int16)

    [event] = AgentSocket(role, RATES).receive_bytes(samples.astype("<i2").tobytes(), 0.0)

    assert isinstance(event, AudioReceived)
    assert event.samples.dtype == np.int16
    np.testing.assert_array_equal(event.samples, samples)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("n_bytes", [1, 3, 639])
def test_a_frame_of_an_odd_number_of_bytes_is_dropped_whole(role: Role, n_bytes: int) -> None:
    socket = AgentSocket(role, RATES)

    assert reason(socket.receive_bytes(bytes(n_bytes), 0.0)) == "odd"
    assert isinstance(socket.receive_bytes(bytes(640), 0.0)[0], AudioReceived)


@pytest.mark.parametrize("role", ROLES)
def test_a_frame_of_no_bytes_is_ignored(role: Role) -> None:
    assert reason(AgentSocket(role, RATES).receive_bytes(b"", 0.0)) == "empty"


@pytest.mark.parametrize(("role", "bound"), [("server", 64 * 1024), ("client", 1024 * 1024)])
def test_a_frame_just_within_the_bound_is_audio_and_one_above_it_is_refused(
    role: Role, bound: int
) -> None:
    socket = AgentSocket(role, Rates(input_hz=48_000, output_hz=48_000))

    [event] = socket.receive_bytes(bytes(bound), 0.0)
    with pytest.raises(RemoteWireError, match="binary frame has more than") as caught:
        socket.receive_bytes(bytes(bound + 1), 0.0)

    assert isinstance(event, AudioReceived)
    assert caught.value.close_code == 1009


@pytest.mark.parametrize("role", ROLES)
def test_ten_megabytes_of_text_or_audio_are_refused_with_1009(role: Role) -> None:
    for send in ("receive_text", "receive_bytes"):
        socket = AgentSocket(role, RATES)
        data = "x" * 10_000_000 if send == "receive_text" else bytes(10_000_000)

        with pytest.raises(RemoteWireError) as caught:
            getattr(socket, send)(data, 0.0)

        assert caught.value.close_code == 1009


@pytest.mark.parametrize("role", ROLES)
def test_a_text_just_within_64_kib_is_read_and_one_above_it_is_refused(role: Role) -> None:
    def sized(n_bytes: int) -> str:
        return json.dumps({"type": "new", "x": "a" * (n_bytes - 24)})

    socket = AgentSocket(role, RATES)
    assert len(sized(65_536)) == 65_536

    [event] = socket.receive_text(sized(65_536), 0.0)
    with pytest.raises(RemoteWireError, match="longer than 65536 bytes") as caught:
        socket.receive_text(sized(65_537), 0.0)

    assert isinstance(event, MessageReceived)
    assert caught.value.close_code == 1009


# Rates


def test_audio_far_faster_than_real_time_is_ignored_until_time_has_passed() -> None:
    server, second = live_server(), bytes(2 * RATES.input_hz)

    burst = [server.receive_bytes(second, 0.0)[0] for _ in range(11)]
    later = [server.receive_bytes(second, 1.0)[0] for _ in range(5)]

    assert [type(event) for event in burst] == [AudioReceived] * 10 + [Ignored]
    assert [type(event) for event in later] == [AudioReceived] * 4 + [Ignored]
    assert burst[-1] == Ignored("audio too fast", "more audio than time; a frame is dropped")


def test_audio_at_four_times_real_time_passes_for_ever() -> None:
    server = live_server()

    events = [server.receive_bytes(bytes(320), n * 0.005)[0] for n in range(20_000)]

    assert all(isinstance(event, AudioReceived) for event in events)


def test_a_flood_of_frames_ends_the_call_with_1008() -> None:
    server = live_server()
    for _ in range(1_000):
        server.receive_bytes(b"\0\0", 0.0)

    with pytest.raises(RemoteWireError, match="500 binary frames per second") as caught:
        server.receive_bytes(b"\0\0", 0.0)

    assert caught.value.close_code == 1008


def test_a_flood_of_messages_ends_the_call_with_1008() -> None:
    server = live_server()
    for _ in range(200):
        server.receive_text('{"type":"ping","timestamp":1}', 0.0)

    with pytest.raises(RemoteWireError, match="100 data messages per second") as caught:
        server.receive_text('{"type":"ping","timestamp":1}', 0.0)

    assert caught.value.close_code == 1008


def test_a_server_may_send_as_fast_as_it_likes() -> None:
    client = AgentSocket("client", RATES)

    for _ in range(5_000):
        assert isinstance(client.receive_bytes(bytes(640), 0.0)[0], AudioReceived)
        assert isinstance(client.receive_text('{"type":"debug"}', 0.0)[0], MessageReceived)


# Bad messages


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("text", ["", "garbage \x1b[2J", "[]", "{}", '{"type":"ping"', "NaN"])
def test_a_bad_message_is_ignored_with_a_sentence(role: Role, text: str) -> None:
    [event] = AgentSocket(role, RATES).receive_text(text, 0.0)

    assert isinstance(event, Ignored)
    assert event.reason == "bad message"
    assert event.detail.isprintable()


@pytest.mark.parametrize("role", ROLES)
def test_the_hundredth_bad_message_within_ten_seconds_ends_the_call(role: Role) -> None:
    socket = AgentSocket(role, RATES)
    for n in range(99):
        assert reason(socket.receive_text("?", n / 10)) == "bad message"

    with pytest.raises(RemoteWireError, match="100 bad data messages in 10 s") as caught:
        socket.receive_text("?", 10.0)

    assert caught.value.close_code == 1008


@pytest.mark.parametrize("role", ROLES)
def test_bad_messages_spread_over_more_time_are_only_ignored(role: Role) -> None:
    socket = AgentSocket(role, RATES)

    for n in range(1_000):
        assert reason(socket.receive_text("?", n * 0.102)) == "bad message"


def test_unknown_types_count_as_bad_from_a_client_and_not_from_a_server() -> None:
    server, client = live_server(), AgentSocket("client", RATES)
    unknown = '{"type":"brand_new"}'

    for _ in range(99):
        [event] = server.receive_text(unknown, 0.0)
        assert event == MessageReceived(m.UnknownMessage("brand_new", {}))
    with pytest.raises(RemoteWireError, match="bad data messages"):
        server.receive_text(unknown, 0.0)
    for _ in range(1_000):
        client.receive_text(unknown, 0.0)

    assert client.counts.unknown == 1_000


@pytest.mark.parametrize("role", ROLES)
def test_after_a_refusal_nothing_more_is_taken(role: Role) -> None:
    socket = AgentSocket(role, RATES)
    with pytest.raises(RemoteWireError):
        socket.receive_bytes(bytes(2_000_000), 0.0)

    assert reason(socket.receive_bytes(bytes(2_000_000), 0.0)) == "after the end"
    assert reason(socket.receive_text('{"type":"ping","timestamp":1}', 0.0)) == "after the end"


# Order


def test_a_client_takes_audio_and_messages_before_call_started() -> None:
    client = AgentSocket("client", RATES)

    [audio] = client.receive_bytes(bytes(640), 0.0)
    [state] = client.receive_text('{"type":"state","state":"idle"}', 0.0)

    assert isinstance(audio, AudioReceived)
    assert state == MessageReceived(m.State(state="idle"))
    assert not client.started


def test_call_started_counts_once() -> None:
    client = AgentSocket("client", RATES)
    text = m.encode(STARTED)

    first, second = client.receive_text(text, 0.0), client.receive_text(text, 0.0)

    assert first == [MessageReceived(STARTED)]
    assert client.started
    assert reason(second) == "out of order"


def test_a_server_that_does_not_begin_with_call_started_breaks_its_own_order() -> None:
    server = AgentSocket("server", RATES)

    with pytest.raises(LocalWireError, match="a server that is waiting cannot send state"):
        server.text(m.State(state="thinking"))
    with pytest.raises(LocalWireError, match="cannot send audio"):
        server.audio(FRAME)
    server.text(STARTED)
    with pytest.raises(LocalWireError, match="a server that is live cannot send call_started"):
        server.text(STARTED)


def test_a_server_whose_client_switched_call_started_off_may_begin_with_anything() -> None:
    server = AgentSocket("server", RATES, call_started=False)

    assert server.started
    assert server.audio(FRAME) == FRAME.tobytes()


def test_a_client_may_speak_and_type_before_call_started() -> None:
    joined = JoinedAgentSockets()

    assert isinstance(joined.play("client", FRAME), AudioReceived)
    assert isinstance(joined.say("client", m.UserTextMessage(text="Hi")), MessageReceived)


def test_after_hang_up_nothing_steers_the_agent_any_more() -> None:
    joined = JoinedAgentSockets()
    joined.say("server", STARTED)
    joined.say("client", m.HangUp())
    client, server = joined.ends["client"], joined.ends["server"]

    assert client.hanging_up
    assert server.hanging_up
    assert not client.may_send(m.UserTextMessage(text="Wait"))
    with pytest.raises(LocalWireError, match="a client that is ending cannot send user_text"):
        client.text(m.UserTextMessage(text="Wait"))
    assert reason(server.receive_text('{"type":"hang_up"}', 0.0)) == "out of order"
    steering = '{"type":"user_text_message","text":"Wait"}'
    assert reason(server.receive_text(steering, 0.0)) == "out of order"
    assert isinstance(joined.play("client", FRAME), AudioReceived)
    assert isinstance(joined.say("client", m.Ping(timestamp=1)), MessageReceived)


def test_a_tool_runs_once_and_its_first_result_counts() -> None:
    joined = JoinedAgentSockets()
    joined.say("server", STARTED)
    invocation = m.ClientToolInvocation(tool_name="book", invocation_id="a")
    answer = m.ClientToolResult(invocation_id="a", result="done")

    joined.say("server", invocation)
    joined.say("client", answer)
    again = joined.ends["client"].receive_text(m.encode(invocation), 0.0)
    second = joined.say("client", answer)

    assert again == [AnswerAgain(answer)]
    assert reason([second]) == "repeated"


def test_a_clear_is_an_event_of_its_own() -> None:
    joined = JoinedAgentSockets()
    joined.say("server", STARTED)

    assert joined.say("server", m.PlaybackClearBuffer()) == ClearBuffer()


def test_a_client_that_sends_a_clear_is_not_obeyed() -> None:
    [event] = live_server().receive_text('{"type":"playback_clear_buffer"}', 0.0)

    assert event == MessageReceived(m.UnknownMessage("playback_clear_buffer", {}))


# Sending


@pytest.mark.parametrize(
    ("role", "message"), [("client", m.State(state="idle")), ("server", m.Ping(timestamp=1))]
)
def test_nobody_sends_the_other_roles_messages(role: Role, message: m.ServerMessage) -> None:
    with pytest.raises(LocalWireError, match=f"a {role} cannot send {message.type}"):
        AgentSocket(role, RATES, call_started=False).text(message)


def test_our_own_message_over_64_kib_is_our_own_error() -> None:
    client = AgentSocket("client", RATES)
    fits = m.ClientToolResult(invocation_id="a", result="x" * 65_000)
    client.text(fits)

    with pytest.raises(LocalWireError, match="client_tool_result message has over 65536 bytes"):
        client.text(m.ClientToolResult(invocation_id="a", result="é" * 33_000))


@pytest.mark.parametrize(("role", "n_samples"), [("client", 32_768), ("server", 524_288)])
def test_our_own_frame_fits_the_far_end_or_is_our_own_error(role: Role, n_samples: int) -> None:
    socket = AgentSocket(role, RATES, call_started=False)
    socket.audio(np.zeros(n_samples, np.int16))

    with pytest.raises(LocalWireError, match="bytes"):
        socket.audio(np.zeros(n_samples + 1, np.int16))


def test_a_message_that_failed_to_go_out_leaves_no_trace() -> None:
    server = live_server()
    invocation = m.ClientToolInvocation(
        tool_name="a", invocation_id="a", parameters={"x": "y" * 70_000}
    )

    with pytest.raises(LocalWireError):
        server.text(invocation)

    server.text(m.ClientToolInvocation(tool_name="a", invocation_id="a"))


# The end


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("code", "orderly"), [(1000, True), (1001, True), (None, False)])
def test_the_close_is_the_last_event_and_comes_once(
    role: Role, code: int | None, orderly: bool
) -> None:
    socket = AgentSocket(role, RATES)

    [event] = socket.receive_close(code)

    assert isinstance(event, Closed)
    assert (event.code, event.orderly) == (code or 1006, orderly)
    assert socket.receive_close(1000) == []
    assert reason(socket.receive_bytes(bytes(2), 0.0)) == "after the end"


def test_a_close_reason_cannot_speak_to_a_terminal() -> None:
    [event] = AgentSocket("client", RATES).receive_close(1011, "\x1b[2J\nboom")

    assert isinstance(event, Closed)
    assert "boom" in event.detail
    assert event.detail.isprintable()


# All orders


SENDS: list[tuple[Role, m.ServerMessage | m.ClientMessage | None]] = [
    ("server", STARTED),
    ("server", m.State(state="listening")),
    ("server", None),
    ("client", m.Ping(timestamp=1)),
    ("client", m.UserTextMessage(text="Hi")),
    ("client", m.HangUp()),
    ("client", None),
]


def send(joined: JoinedAgentSockets, which: int) -> SocketEvent:
    role, message = SENDS[which]
    return joined.play(role, FRAME) if message is None else joined.say(role, message)


def in_order(said: tuple[int, ...], which: int) -> bool:
    """The order of messages in words: what may be sent after what was sent."""
    started, hung_up = 0 in said, 5 in said
    return (started, started, started, True, not hung_up, not hung_up, True)[which] != (which == 0)


@pytest.mark.parametrize("first", range(len(SENDS)))
def test_in_every_order_what_may_be_sent_is_understood_at_the_far_end(first: int) -> None:
    for rest in itertools.product(range(len(SENDS)), repeat=3):
        joined = JoinedAgentSockets()
        said: tuple[int, ...] = ()
        for which in (first, *rest):
            if in_order(said, which):
                assert isinstance(send(joined, which), (MessageReceived, AudioReceived))
                said = (*said, which)
            else:
                with pytest.raises(LocalWireError):
                    send(joined, which)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("first", range(len(SENDS)))
def test_in_every_order_a_peer_is_heard_or_ignored_and_everything_is_counted(
    role: Role, first: int
) -> None:
    for rest in itertools.product(range(len(SENDS)), repeat=3):
        socket = AgentSocket(role, RATES)
        for which in (first, *rest):
            message = SENDS[which][1]
            if message is None:
                [event] = socket.receive_bytes(bytes(320), 0.0)
            else:
                [event] = socket.receive_text(m.encode(message), 0.0)
            assert isinstance(event, (AudioReceived, MessageReceived, Ignored))
        counts = socket.counts

        assert counts.frames + counts.messages + counts.ignored.total() == 4


@pytest.mark.parametrize(
    ("role", "message"),
    [
        *(("client", message) for _, message in CLIENT_SAMPLES),
        *(("server", message) for _, message in SERVER_SAMPLES),
    ],
)
def test_every_message_crosses_the_wire_in_its_direction(role: Role, message: Message) -> None:
    joined = JoinedAgentSockets()
    if not isinstance(message, m.CallStarted):
        joined.say("server", STARTED)

    event = joined.say(role, message)

    alone = isinstance(message, (m.Pong, m.ClientToolResult))  # each answers something
    assert isinstance(event, Ignored) == alone


@given(st.sampled_from(ROLES), st.lists(st.text() | st.binary(), max_size=30))
def test_any_input_is_an_event_or_one_refusal(role: Role, inputs: list[str | bytes]) -> None:
    socket = AgentSocket(role, RATES)

    for now_s, data in enumerate(inputs):
        try:
            if isinstance(data, str):
                [event] = socket.receive_text(data, now_s)
            else:
                [event] = socket.receive_bytes(data, now_s)
        except RemoteWireError:
            break
        assert isinstance(event, (AudioReceived, MessageReceived, Ignored))
