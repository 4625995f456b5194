"""Asterisk's channel driver: its transcripts, its traps, every order of events, and damaged messages."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.asterisk import LONGEST_COMMAND, PLAIN_CHARS, AsteriskWire
from bridge.wire.carriers.base import (
    AudioIn,
    CarrierWarning,
    CarrierWire,
    DigitIn,
    Ignored,
    MarkReached,
    Started,
    Stopped,
)
from bridge.wire.carriers.binary import LONGEST_MESSAGE
from bridge.wire.carriers.make import make_wire, traits_of
from tests.fakes.carrier_orders import (
    Step,
    check_all_orders,
    check_bounded,
    names_of,
    try_mutants,
    try_order,
)
from tests.fakes.carrier_transcripts import replay

Fields = dict[str, Any]
START: Fields = {
    "event": "MEDIA_START",
    "connection_id": "c-1",
    "channel": "WebSocket/media1/0x1",
    "channel_id": "pbx-1.1",
    "format": "ulaw",
    "optimal_frame_size": 160,
    "ptime": 20,
    "channel_variables": {"A": "b"},
}
PLAIN_START = (
    "MEDIA_START connection_id:c-1 channel:W/1 channel_id:p-1 format:ulaw optimal_frame_size:160"
)
GOOD: list[Fields] = [
    START,
    {"event": "DTMF_END", "channel_id": "pbx-1.1", "digit": "5"},
    {"event": "MEDIA_MARK_PROCESSED", "channel_id": "pbx-1.1", "correlation_id": "m1"},
    {"event": "MEDIA_XOFF", "channel_id": "pbx-1.1"},
    {"event": "ERROR", "channel_id": "pbx-1.1", "error_text": "no"},
]
STEPS: dict[str, Step] = {
    "start": json.dumps(START),
    "plain start": PLAIN_START,
    "audio": bytes(160),
    "digit": "DTMF_END digit:1",
    "mark": "MEDIA_MARK_PROCESSED m1",
    "full": "MEDIA_XOFF",
    "garbage": "{",
    "new event": "NEW_EVENT of:tomorrow",
    "close": 1000,
    "break": 1006,
}


def started(**changes: object) -> AsteriskWire:
    wire = AsteriskWire()
    [event] = wire.receive_text(json.dumps({**START, **changes}), 0.0)
    assert isinstance(event, Started)
    return wire


@pytest.mark.parametrize("name", ["asterisk_plain", "asterisk_json"])
def test_a_documented_call_is_understood_line_by_line(name: str) -> None:
    replay(name, make_wire("asterisk"))


def test_it_is_found_by_its_name() -> None:
    assert isinstance(make_wire("asterisk"), AsteriskWire)
    assert traits_of("asterisk").name == "asterisk"


@pytest.mark.parametrize(
    ("name", "rate_hz"),
    [("slin", 8_000), ("slin16", 16_000), ("slin44", 44_100), ("g722", 16_000), ("opus", 48_000)],
)
def test_the_format_of_the_channel_is_that_of_both_directions(name: str, rate_hz: int) -> None:
    [event] = AsteriskWire().receive_text(json.dumps({**START, "format": name}), 0.0)

    assert isinstance(event, Started)
    assert event.heard == event.played
    assert event.heard.rate_hz == rate_hz


@pytest.mark.parametrize("name", ["slin192", "gsm", "", None, 8])
def test_a_format_that_we_do_not_speak_ends_the_call(name: object) -> None:
    with pytest.raises(RemoteWireError, match="none of ulaw"):
        AsteriskWire().receive_text(json.dumps({**START, "format": name}), 0.0)


def test_an_older_asterisk_that_names_no_channel_id_is_known_by_its_connection() -> None:
    wire = AsteriskWire()

    [event] = wire.receive_text("MEDIA_START connection_id:c-9 channel:W/1 format:alaw", 0.0)

    assert isinstance(event, Started)
    assert event.info.call_id == event.info.stream_id == "c-9"
    assert wire.audio(bytes(7)) == bytes(7)


def test_numbers_are_taken_from_the_variables_that_a_dialplan_sets() -> None:
    variables = {"CALLERID(num)": "15550001", "EXTEN": "15550002", "A": "9" * 5_000}

    [event] = AsteriskWire().receive_text(
        json.dumps({**START, "channel_variables": variables}), 0.0
    )

    assert isinstance(event, Started)
    assert (event.info.from_number, event.info.to_number) == ("15550001", "15550002")
    check_bounded(event.info)


def test_a_start_without_any_id_is_no_start() -> None:
    [event] = AsteriskWire().receive_text("MEDIA_START format:ulaw", 0.0)

    assert event == Ignored("bad", "connection_id is missing")


def test_frames_are_sent_whole_or_not_at_all() -> None:
    wire = started()

    assert wire.audio(bytes(480)) == bytes(480)
    for wrong in (159, 161):
        with pytest.raises(LocalWireError, match="160 bytes"):
            wire.audio(bytes(wrong))


def test_a_message_has_at_most_65500_bytes() -> None:
    wire = started(optimal_frame_size=500)

    assert wire.audio(bytes(LONGEST_MESSAGE)) == bytes(LONGEST_MESSAGE)
    with pytest.raises(LocalWireError, match="66000 bytes"):
        wire.audio(bytes(LONGEST_MESSAGE + 500))


def test_empty_audio_and_audio_before_the_start_are_bugs_here() -> None:
    with pytest.raises(LocalWireError, match="0 bytes"):
        started().audio(b"")
    with pytest.raises(LocalWireError, match="before its stream has started"):
        AsteriskWire().audio(bytes(160))


def test_a_command_has_at_most_128_bytes() -> None:
    plain, wire = AsteriskWire(), started()
    plain.receive_text(PLAIN_START, 0.0)
    longest = LONGEST_COMMAND - len('{"command":"MARK_MEDIA","correlation_id":""}')

    assert plain.mark("m" * 117) == ("MARK_MEDIA " + "m" * 117,)
    assert len(str(wire.mark("m" * longest)[0])) == LONGEST_COMMAND
    for side, size in ((plain, 118), (wire, longest + 1)):
        with pytest.raises(LocalWireError, match="more than 128 bytes"):
            side.mark("m" * size)


@pytest.mark.parametrize("changes", [{"format": "opus"}, {"optimal_frame_size": 0}])
def test_media_that_passes_through_has_no_marks_and_no_flush(changes: Fields) -> None:
    wire = started(**changes)

    assert wire.mark("m1") == wire.clear() == ()
    assert (wire.traits.marks, wire.traits.clears) == ("none", False)
    assert traits_of("asterisk").marks == "silent"
    assert wire.hang_up() == ('{"command":"HANGUP"}',)


def test_a_flood_of_opus_packets_is_measured_by_what_they_say_of_their_length() -> None:
    wire = started(format="opus")
    packet = b"\xfc" + bytes(40)  # one frame of 20 ms

    events = [event for _ in range(600) for event in wire.receive_bytes(packet, 0.0)]

    assert sum(isinstance(event, AudioIn) for event in events) == 500
    assert events[-1] == Ignored("too fast", "more audio than time; a frame is dropped")


def test_messages_of_another_length_than_announced_are_told_once() -> None:
    wire = started()

    events = [wire.receive_bytes(bytes(320), 0.02 * n) for n in range(9)]

    assert [names_of(some) for some in events[:4]] == [
        ["AudioIn"],
        ["AudioIn"],
        ["AudioIn", "CarrierWarning"],
        ["AudioIn"],
    ]
    assert [name for some in events for name in names_of(some)].count("CarrierWarning") == 1


def test_two_odd_messages_now_and_then_are_no_reason_to_complain() -> None:
    wire = started()
    sizes = [320, 320, 160] * 20

    events = [event for n, size in enumerate(sizes) for event in wire.receive_bytes(bytes(size), n)]

    assert set(names_of(events)) == {"AudioIn"}


def test_half_a_sample_is_dropped_whole() -> None:
    [event] = started(format="slin16", optimal_frame_size=640).receive_bytes(bytes(641), 0.0)

    assert event == Ignored("bad", "a binary message ends inside a sample")


def test_fifty_messages_before_the_start_are_ignored_and_one_more_ends_the_call() -> None:
    wire = AsteriskWire()

    for n in range(25):
        [early] = wire.receive_bytes(bytes(160), 0.02 * n)
        assert isinstance(early, Ignored)
        assert early.reason == "early"
        wire.receive_text("DTMF_END digit:1", 0.02 * n)

    with pytest.raises(RemoteWireError, match="more than 50 messages before the start"):
        wire.receive_bytes(bytes(160), 1.0)


def test_a_second_start_ends_the_call() -> None:
    wire = started()

    with pytest.raises(RemoteWireError, match="Asterisk started the stream a second time"):
        wire.receive_text(json.dumps({**START, "format": "gsm"}), 0.1)
    assert wire.receive_text("DTMF_END digit:1", 0.2) == [wire._guard.after_end()]
    assert names_of(wire.receive_close(1008, "", ours=True)) == ["Stopped"]


@pytest.mark.parametrize("digit", [*"0123456789ABCD*#", "a", 5])
def test_the_keys_of_a_telephone_are_taken(digit: object) -> None:
    [event] = started().receive_text(json.dumps({"event": "DTMF_END", "digit": digit}), 0.0)

    assert event == DigitIn(str(digit).upper())


@pytest.mark.parametrize("digit", ["", "E", "12", "\n", None, True, {}, 10])
def test_what_no_telephone_has_is_not_taken_for_a_key(digit: object) -> None:
    [event] = started().receive_text(json.dumps({"event": "DTMF_END", "digit": digit}), 0.0)

    assert isinstance(event, Ignored)
    assert event.reason == "bad"


def test_at_most_twenty_keys_a_second_are_taken() -> None:
    wire = started()

    events = [event for _ in range(30) for event in wire.receive_text("DTMF_END digit:1", 0.0)]

    assert names_of(events).count("DigitIn") == 20


def test_a_mark_without_a_name_proves_nothing() -> None:
    [event] = started().receive_text("MEDIA_MARK_PROCESSED", 0.0)

    assert event == Ignored("bad", "correlation_id is missing")


def test_both_kinds_of_control_are_read_whichever_the_start_had() -> None:
    wire = started()

    assert wire.receive_text("MEDIA_MARK_PROCESSED m7", 0.0) == [MarkReached("m7")]
    assert wire.clear() == ('{"command":"FLUSH_MEDIA"}',)


def test_an_error_in_plain_text_keeps_its_blanks_and_loses_what_steers_a_terminal() -> None:
    [event] = started().receive_text("ERROR error_text:no \x1b[31m such command", 0.0)

    assert event == CarrierWarning("no  [31m such command")


def test_a_plain_event_has_at_most_4096_characters() -> None:
    wire = started()
    text = "NEW x:" + "y" * (PLAIN_CHARS - 6)

    assert wire.receive_text(text, 0.0) == [Ignored("unknown", "NEW")]
    [event] = wire.receive_text(text + "y", 0.0)
    assert event == Ignored("bad", "an event has more than 4096 characters")


def test_a_text_that_is_too_big_ends_the_call_with_1009() -> None:
    with pytest.raises(RemoteWireError) as refused:
        started().receive_text('{"event":"' + "x" * 70_000, 0.0)

    assert refused.value.close_code == 1009


@pytest.mark.parametrize(
    ("code", "ours", "cause"),
    [(1000, False, "caller_hung_up"), (1006, False, "lost"), (1000, True, "stopped")],
)
def test_the_end_says_who_ended_it(code: int, ours: bool, cause: str) -> None:
    [event] = started().receive_close(code, "", ours=ours)

    assert isinstance(event, Stopped)
    assert event.cause == cause


def test_every_order_of_events_keeps_the_rules() -> None:
    assert check_all_orders(AsteriskWire, STEPS, longest=4) == 11_110


@pytest.mark.slow
def test_every_order_of_five_events_keeps_the_rules() -> None:
    assert check_all_orders(AsteriskWire, STEPS, longest=5) == 111_110


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages_harm_nothing(seed: int) -> None:
    try_mutants(AsteriskWire, [json.dumps(START)], GOOD, seed)


@given(st.lists(st.text(max_size=60) | st.binary(max_size=400), max_size=12))
def test_any_texts_and_bytes_are_taken(steps: list[str | bytes]) -> None:
    try_order(AsteriskWire(), [PLAIN_START, *steps])


def test_the_machine_is_a_carriers_wire() -> None:
    wire: CarrierWire = AsteriskWire()

    assert wire.digits("1") == ()
