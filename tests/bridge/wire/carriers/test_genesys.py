"""AudioHook sessions: transcripts, negotiation, numbers, the rate limit, and whatever order things come in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    DigitIn,
    Flow,
    Ignored,
    MarkReached,
    MediaFormat,
    Reply,
    Started,
    Stopped,
)
from bridge.wire.carriers.genesys import PROBE, GenesysWire
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
MONO: Fields = {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}
STEREO: Fields = {**MONO, "channels": ["external", "internal"]}
AGENT: Fields = {**MONO, "channels": ["internal"]}
L16: Fields = {**MONO, "format": "L16"}
OPEN: Fields = {
    "organizationId": "o-1",
    "conversationId": "c-1",
    "participant": {"id": "p-1", "ani": "+15550001", "aniName": "A", "dnis": "+15550002"},
    "media": [MONO],
}


def message(kind: str, seq: object = 1, **parameters: object) -> Fields:
    return {
        "version": "2",
        "id": "s-1",
        "type": kind,
        "seq": seq,
        "serverseq": 0,
        "position": "PT0S",
        "parameters": parameters,
    }


GOOD: list[Fields] = [
    message("open", 1, **OPEN),
    message("ping", 2),
    message("dtmf", 3, digit="5"),
    message("error", 4, code=429, message="slow", retryAfter="PT1S"),
    message("discarded", 5, start="PT0S", discarded="PT1S"),
    message("close", 6, reason="end"),
]
# In the exhaustive orders every message has the next number: the numbers have tests of their own.
STEPS: dict[str, Step] = {
    "open": json.dumps(message("open", "{n}", **OPEN)),
    "probe": json.dumps(message("open", "{n}", **{**OPEN, "conversationId": PROBE})),
    "audio": bytes(800),
    "ping": json.dumps(message("ping", "{n}")),
    "completed": json.dumps(message("playback_completed", "{n}")),
    "paused": json.dumps(message("paused", "{n}")),
    "limit": json.dumps(message("error", "{n}", code=429)),
    "close": json.dumps(message("close", "{n}", reason="end")),
    "break": 1006,
}


class Numbered(GenesysWire):
    """Puts the next number into each message of the exhaustive orders."""

    _number = 0

    def receive_text(self, text: str, now_s: float) -> list[CarrierEvent]:
        self._number += 1
        return super().receive_text(text.replace("{n}", str(self._number)), now_s)


def opened(**changes: object) -> GenesysWire:
    wire = GenesysWire()
    reply, event = wire.receive_text(json.dumps(message("open", 1, **{**OPEN, **changes})), 0.0)
    assert isinstance(reply, Reply)
    assert isinstance(event, Started)
    return wire


def say(wire: GenesysWire, fields: Fields, now_s: float = 0.0) -> list[CarrierEvent]:
    return wire.receive_text(json.dumps(fields), now_s)


def answer_to(events: list[CarrierEvent]) -> Fields:
    [reply] = [event for event in events if isinstance(event, Reply)]
    answer: Fields = json.loads(reply.message)
    return answer


@pytest.mark.parametrize("name", ["genesys", "genesys_probe"])
def test_a_documented_session_is_understood_line_by_line(name: str) -> None:
    replay(name, make_wire("genesys"))


def test_messages_of_ours_hold_200_ms_so_that_the_rate_limit_is_kept() -> None:
    assert traits_of("genesys").frame_ms >= 200
    assert traits_of("genesys").ends_by == "message"


@pytest.mark.parametrize(
    ("offered", "taken", "heard"),
    [
        ([STEREO, MONO], MONO, MediaFormat("ulaw", 8_000)),
        ([L16, STEREO], STEREO, MediaFormat("ulaw", 8_000, 2)),
        ([AGENT, L16], L16, MediaFormat("l16le", 8_000)),
        ([{**L16, "channels": ["external", "internal"]}], None, MediaFormat("l16le", 8_000, 2)),
        ([{**MONO, "rate": "8000"}], None, MediaFormat("ulaw", 8_000)),
        ([7, {**MONO, "codec": "x"}], MONO, MediaFormat("ulaw", 8_000)),
    ],
)
def test_exactly_one_offer_is_taken_and_repeated(
    offered: list[Any], taken: Fields | None, heard: MediaFormat
) -> None:
    events = say(GenesysWire(), message("open", 1, **{**OPEN, "media": offered}))

    assert answer_to(events)["parameters"]["media"] == [offered[0] if taken is None else taken]
    [event] = [event for event in events if isinstance(event, Started)]
    assert event.heard == heard
    assert event.played == MediaFormat(heard.encoding, 8_000)


@pytest.mark.parametrize(
    "media",
    [
        None,
        [],
        [AGENT],
        [{**MONO, "rate": 16_000}],
        [{**MONO, "format": "OPUS"}],
        [{**MONO, "type": "video"}],
        {"format": "PCMU"},
    ],
)
def test_without_an_offer_for_us_genesys_is_asked_to_close(media: object) -> None:
    wire = GenesysWire()

    events = say(wire, message("open", 1, **{**OPEN, "media": media}))

    assert names_of(events) == ["Reply"]
    assert answer_to(events)["type"] == "disconnect"
    assert answer_to(events)["parameters"]["reason"] == "error"
    closed, stopped = say(wire, message("close", 2, reason="disconnect"))
    assert names_of([closed]) == ["Reply"]
    assert isinstance(stopped, Stopped)
    assert "offered no audio" in stopped.detail


def test_a_session_that_speaks_another_version_is_refused() -> None:
    with pytest.raises(RemoteWireError, match="another version"):
        say(GenesysWire(), {**message("open", 1, **OPEN), "version": "3"})


def test_a_second_open_ends_the_call_and_so_does_one_after_a_probe() -> None:
    with pytest.raises(RemoteWireError, match="a second time"):
        say(opened(), message("open", 2, **OPEN))
    probed = GenesysWire()
    say(probed, message("open", 1, **{**OPEN, "conversationId": PROBE}))
    with pytest.raises(RemoteWireError, match="a second time"):
        say(probed, message("open", 2, **OPEN))


def test_both_sides_number_their_messages_and_name_the_others_last() -> None:
    wire = opened()
    first = answer_to(say(wire, message("ping", 2)))
    say(wire, message("dtmf", 3, digit="1"))
    clear = json.loads(str(wire.clear()[0]))
    second = answer_to(say(wire, message("ping", "4")))

    assert [(each["seq"], each["clientseq"]) for each in (first, clear, second)] == [
        (2, 2),
        (3, 3),
        (4, 4),
    ]
    assert all(each["id"] == "s-1" and each["version"] == "2" for each in (first, clear, second))


def test_a_repeated_message_is_not_taken_twice() -> None:
    wire = opened()
    say(wire, message("dtmf", 2, digit="1"))

    [event] = say(wire, message("dtmf", 2, digit="1"))

    assert event == Ignored("late", "a message that came before")


@pytest.mark.parametrize("seq", [None, "x", -1, True, 1.5, []])
def test_a_message_without_a_number_is_not_taken(seq: object) -> None:
    [event] = say(opened(), message("dtmf", seq, digit="1"))

    assert event == Ignored("bad", "seq is not a number")


def test_a_message_of_another_session_is_not_taken() -> None:
    [event] = say(opened(), {**message("dtmf", 2, digit="1"), "id": "s-2"})

    assert event == Ignored("other stream", "a message of another session")


def test_two_channels_are_whole_only_together() -> None:
    wire = opened(media=[STEREO])

    assert wire.receive_bytes(bytes(2), 0.0) == [AudioIn(bytes(2))]
    assert names_of(wire.receive_bytes(bytes(3), 0.0)) == ["Ignored"]


def test_no_audio_flows_before_the_opening() -> None:
    wire = GenesysWire()

    with pytest.raises(LocalWireError, match="before its stream has started"):
        wire.audio(bytes(1_600))
    assert names_of(wire.receive_bytes(bytes(800), 0.0)) == ["Ignored"]


def test_a_message_of_ours_has_at_most_65500_bytes() -> None:
    wire = opened()

    assert wire.audio(bytes(65_500)) == bytes(65_500)
    for wrong in (0, 65_501):
        with pytest.raises(LocalWireError, match=f"{wrong} bytes"):
            wire.audio(bytes(wrong))


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [("PT1.5S", 1.5), ("PT0S", 3.0), (None, 3.0), ("soon", 3.0), ("PT9000S", 10.0)],
)
def test_after_a_429_nothing_is_sent_until_its_time_is_over(
    retry_after: object, wait_s: float
) -> None:
    wire = opened()
    limit = message("error", 2, code=429, message="slow down", retryAfter=retry_after)

    assert say(wire, limit, 5.0) == [CarrierWarning("error 429: slow down"), Flow(open=False)]
    assert wire.receive_bytes(bytes(8), 5.0 + wait_s - 0.01) == [AudioIn(bytes(8))]
    assert wire.receive_bytes(bytes(8), 5.0 + wait_s) == [Flow(open=True), AudioIn(bytes(8))]
    assert wire.receive_bytes(bytes(8), 99.0) == [AudioIn(bytes(8))]


def test_a_ping_too_opens_the_flow_again() -> None:
    wire = opened()
    say(wire, message("error", 2, code=429, retryAfter="PT1S"))

    assert names_of(say(wire, message("ping", 3), 0.5)) == ["Reply"]
    assert names_of(say(wire, message("ping", 4), 1.0)) == ["Reply", "Flow"]


def test_flow_opens_only_when_neither_a_pause_nor_a_limit_stands_against_it() -> None:
    wire = opened()

    assert say(wire, message("paused", 2)) == [Flow(open=False)]
    assert names_of(say(wire, message("error", 3, code=429, retryAfter="PT1S"))) == [
        "CarrierWarning"
    ]
    assert say(wire, message("resumed", 4), 0.5) == []
    assert say(wire, message("paused", 5), 0.6) == []
    assert wire.receive_bytes(bytes(8), 1.5) == [AudioIn(bytes(8))]
    assert say(wire, message("resumed", 6), 1.6) == [Flow(open=True)]


def test_another_error_is_a_warning_and_closes_nothing() -> None:
    events = say(opened(), message("error", 2, code=500, message="bad\r\nday"))

    assert events == [CarrierWarning("error 500: bad  day")]


@pytest.mark.parametrize(
    ("discarded", "ms"),
    [("PT0.02S", 20.0), ("PT3S", 3_000.0), ("PT11S", 10_000.0), ("PT0S", None), (7, None)],
)
def test_discarded_audio_is_missing_for_at_most_10_s(discarded: object, ms: float | None) -> None:
    events = say(opened(), message("discarded", 2, start="PT0S", discarded=discarded))

    assert events == ([] if ms is None else [AudioMissing(ms)])


def test_the_end_of_playback_proves_the_marks_before_it() -> None:
    wire = opened()
    wire.audio(bytes(1_600))
    assert wire.mark("m1") == ()
    wire.audio(bytes(1_600))
    wire.mark("m2")
    say(wire, message("playback_started", 2), 10.0)

    events = say(wire, message("playback_completed", 3), 10.4)

    assert events == [MarkReached("m1"), MarkReached("m2")]
    assert say(wire, message("playback_completed", 4), 10.5) == []


def test_an_end_of_playback_that_came_too_soon_proves_nothing() -> None:
    wire = opened()
    wire.audio(bytes(1_600))
    say(wire, message("playback_started", 2), 10.0)
    wire.audio(bytes(1_600))
    wire.mark("m1")

    assert say(wire, message("playback_completed", 3), 10.2) == []
    say(wire, message("playback_started", 4), 10.25)
    assert say(wire, message("playback_completed", 5), 10.45) == [MarkReached("m1")]


def test_marks_that_were_cleared_are_never_reached() -> None:
    wire = opened()
    wire.audio(bytes(1_600))
    wire.mark("m1")
    say(wire, message("playback_started", 2), 10.0)

    wire.clear()

    assert say(wire, message("playback_completed", 3), 10.2) == []


def test_at_most_a_hundred_marks_wait() -> None:
    wire = opened()
    for n in range(150):
        wire.mark(f"m{n}")

    events = say(wire, message("playback_completed", 2), 1.0)

    assert events == [MarkReached(f"m{n}") for n in range(50, 150)]


def test_a_key_is_taken_and_half_a_message_is_not() -> None:
    wire = opened()

    assert say(wire, message("dtmf", 2, digit="*")) == [DigitIn("*")]
    assert names_of(say(wire, {**message("dtmf", 3), "parameters": []})) == ["Ignored"]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("end", "caller_hung_up"), ("disconnect", "stopped"), ("error", "stopped")],
)
def test_a_close_is_answered_and_then_it_is_over(reason: str, cause: str) -> None:
    wire = opened()

    reply, stopped = say(wire, message("close", 2, reason=reason))

    assert answer_to([reply])["type"] == "closed"
    assert stopped == Stopped("caller_hung_up" if reason == "end" else "stopped", reason)
    assert stopped.cause == cause
    assert names_of(say(wire, message("ping", 3))) == ["Ignored"]
    assert wire.hang_up() == wire.clear() == ()


def test_what_genesys_says_of_a_call_is_kept_within_bounds() -> None:
    wire = GenesysWire()
    long = {"conversationId": "c" * 9_000, "inputVariables": {"v" * 999: "x" * 9_999}}

    _, event = say(wire, message("open", 1, **{**OPEN, **long}))

    assert isinstance(event, Started)
    check_bounded(event.info)


def test_every_order_of_messages_keeps_the_rules() -> None:
    assert check_all_orders(Numbered, STEPS, longest=4) == 7_380


@pytest.mark.slow
def test_every_order_of_five_messages_keeps_the_rules() -> None:
    assert check_all_orders(Numbered, STEPS, longest=5) == 66_429


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages_harm_nothing(seed: int) -> None:
    try_mutants(GenesysWire, [json.dumps(GOOD[0])], GOOD, seed)


@given(st.lists(st.text(max_size=60) | st.binary(max_size=400), max_size=12))
def test_any_texts_and_bytes_are_taken(steps: list[str | bytes]) -> None:
    try_order(GenesysWire(), [json.dumps(GOOD[0]), *steps])
