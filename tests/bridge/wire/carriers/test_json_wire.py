"""What holds of every carrier that sends JSON: order, limits from both sides, and no message that breaks it."""

import base64
import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    DigitIn,
    Ignored,
    MarkReached,
    Started,
    Stopped,
)
from bridge.wire.carriers.json_reader import MARK_CHARS
from bridge.wire.carriers.json_wire import JsonWire
from bridge.wire.close_codes import POLICY, TOO_BIG
from bridge.wire.strict_json import MESSAGE
from tests.fakes.carrier_dialects import DIALECTS, Dialect, Fields

pytestmark = pytest.mark.parametrize("carrier", DIALECTS, ids=str)


def take(wire: JsonWire, fields: Fields, now_s: float = 0.0) -> list[CarrierEvent]:
    return wire.receive_text(json.dumps(fields), now_s)


def live(carrier: Dialect) -> JsonWire:
    wire = carrier.wire()
    take(wire, carrier.start())
    return wire


def refused(wire: JsonWire, messages: Iterable[str], now_s: float = 0.0) -> RemoteWireError:
    """Send all of them: only the last is refused."""
    *rest, last = messages
    for message in rest:
        wire.receive_text(message, now_s)
    with pytest.raises(RemoteWireError) as caught:
        wire.receive_text(last, now_s)
    assert str(caught.value).isprintable()
    return caught.value


def reasons(events: list[CarrierEvent]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Ignored)]


# A call


def test_a_call_starts_is_heard_and_stops(carrier: Dialect) -> None:
    wire = carrier.wire()

    assert take(wire, carrier.connected()) == []
    [started] = take(wire, carrier.start())
    assert isinstance(started, Started)
    assert started.heard == carrier.heard
    for number in range(1, 100):
        payload = bytes([number]) * carrier.frame_bytes
        assert take(wire, carrier.media(number), number / 50) == [AudioIn(payload)]
    [stopped] = take(wire, carrier.stop(), 2.0)
    assert isinstance(stopped, Stopped)


@pytest.mark.parametrize("write", [str, int])
def test_numbers_come_as_strings_and_as_integers(carrier: Dialect, write: type) -> None:
    wire = live(carrier)

    for number in (1, 2, 3):
        fields = carrier.media(number)
        fields["media"] |= {
            "chunk": write(number),
            "timestamp": write((number - 1) * carrier.frame_ms),
        }
        assert take(wire, fields) == [AudioIn(bytes([number]) * carrier.frame_bytes)]


def test_media_without_a_track_and_a_number_is_heard(carrier: Dialect) -> None:
    wire = live(carrier)
    fields = carrier.media(1)
    payload = fields["media"]["payload"]

    for media in ({"payload": payload}, {"payload": payload, "chunk": None, "track": None}):
        assert take(wire, {**fields, "media": media}) == [AudioIn(base64.b64decode(payload))]


def test_unknown_fields_of_media_pass(carrier: Dialect) -> None:
    wire = live(carrier)

    assert take(wire, {**carrier.media(1), "new": {"a": [1, {}]}}) != []
    [event] = take(wire, {**carrier.media(2), "new": "x" * 5_000})

    assert isinstance(event, AudioIn)


def test_an_event_without_a_stream_is_of_this_one(carrier: Dialect) -> None:
    wire = live(carrier)
    fields = carrier.media(1)
    fields.pop(carrier.stream_key)

    [event] = take(wire, fields)

    assert isinstance(event, AudioIn)


# Order


def test_media_before_the_start_is_ignored_fifty_times(carrier: Dialect) -> None:
    wire = carrier.wire()

    for number in range(50):
        assert reasons(take(wire, carrier.media(number))) == ["early"]
    [started] = take(wire, carrier.start())

    assert isinstance(started, Started)


def test_the_fifty_first_media_before_the_start_ends_the_call(carrier: Dialect) -> None:
    media = json.dumps(carrier.media(1))

    assert refused(carrier.wire(), [media] * 51).close_code == POLICY


def test_a_second_start_ends_the_call(carrier: Dialect) -> None:
    error = refused(live(carrier), [json.dumps(carrier.start())])

    assert "second start" in str(error)


def test_another_format_in_mid_call_ends_the_call(carrier: Dialect) -> None:
    error = refused(live(carrier), [json.dumps(carrier.start_in_another_format())])

    assert "format" in str(error) or "audio" in str(error)


@pytest.mark.parametrize("start", [{}, None, [], "x"])
def test_a_start_that_says_nothing_ends_the_call(carrier: Dialect, start: object) -> None:
    refused(carrier.wire(), [json.dumps({"event": "start", "start": start})])


def test_after_the_stop_everything_is_ignored(carrier: Dialect) -> None:
    wire = live(carrier)
    take(wire, carrier.stop())

    for fields in carrier.all_of_them():
        assert reasons(take(wire, fields)) == ["after the end"]
    assert wire.receive_bytes(b"", 0.0) == [
        Ignored("after the end", "a message came after the end")
    ]
    assert wire.receive_close(1000, "", ours=False) == []


def test_after_a_refusal_everything_is_ignored_and_the_end_still_comes(carrier: Dialect) -> None:
    wire = live(carrier)
    refused(wire, [json.dumps(carrier.start())])

    assert reasons(take(wire, carrier.media(1))) == ["after the end"]
    [stopped] = wire.receive_close(POLICY, "", ours=True)
    assert isinstance(stopped, Stopped)
    assert stopped.cause == "stopped"


@pytest.mark.parametrize(
    ("code", "cause"), [(1000, "stopped"), (1001, "stopped"), (1005, "stopped"), (1006, "lost")]
)
def test_a_close_without_a_stop_is_the_end(carrier: Dialect, code: int, cause: str) -> None:
    for wire in (carrier.wire(), live(carrier)):
        [stopped] = wire.receive_close(code, "", ours=False)

        assert isinstance(stopped, Stopped)
        assert stopped.cause == cause
        assert wire.receive_close(code, "", ours=False) == []


def test_the_words_of_a_close_are_bounded_and_on_one_line(carrier: Dialect) -> None:
    [stopped] = live(carrier).receive_close(4000, "\x1b[31m\n" * 10_000, ours=False)

    assert isinstance(stopped, Stopped)
    assert stopped.detail.isprintable()
    assert len(stopped.detail) <= 300


# Other streams


def other_stream(carrier: Dialect, fields: Fields) -> str:
    return json.dumps({**fields, carrier.stream_key: "another"})


@pytest.mark.parametrize("name", ["media", "mark", "digit", "stop"])
def test_what_is_of_another_stream_is_ignored(carrier: Dialect, name: str) -> None:
    wire = live(carrier)
    fields = {
        "media": carrier.media(1),
        "mark": carrier.mark("m"),
        "digit": carrier.digit("1"),
        "stop": carrier.stop(),
    }[name]

    assert reasons(wire.receive_text(other_stream(carrier, fields), 0.0)) == ["other stream"]
    assert take(wire, carrier.media(1)) != []


def test_a_hundred_messages_of_another_stream_in_ten_seconds_end_the_call(
    carrier: Dialect,
) -> None:
    stray = other_stream(carrier, carrier.media(1))

    refused(live(carrier), [stray] * 100)


def test_now_and_then_a_message_of_another_stream_is_borne_for_ever(carrier: Dialect) -> None:
    wire = live(carrier)

    for number in range(1_000):
        wire.receive_text(other_stream(carrier, carrier.media(1)), number * 0.102)


def test_another_track_is_ignored_for_ever(carrier: Dialect) -> None:
    wire = live(carrier)

    for number in range(1, 500):
        outbound = carrier.media(number)
        outbound["media"]["track"] = "outbound"
        now_s = number * carrier.frame_ms / 1_000
        assert reasons(take(wire, outbound, now_s)) == ["other stream"]
        assert reasons(take(wire, carrier.media(number), now_s)) == []


# Audio that is not


@pytest.mark.parametrize(
    "payload", ["QQ", "QQ=", "Q Q=", "QQ==QQ==", "QQ==\n", "Q-_=", "Q\u0661==", "====", 5, None, []]
)
def test_base64_is_read_strictly(carrier: Dialect, payload: object) -> None:
    fields = carrier.media(1)
    fields["media"]["payload"] = payload

    assert reasons(take(live(carrier), fields)) == ["bad"]


@pytest.mark.parametrize(
    "media",
    [
        {},
        None,
        "x",
        [],
        {"payload": "QUE=", "chunk": "x"},
        {"payload": "QUE=", "chunk": -1},
        {"payload": "QUE=", "chunk": 2**53 + 1},
        {"payload": "QUE=", "timestamp": {}},
        {"payload": "QUE=", "timestamp": "1" * 300},
        {"payload": "QUE=", "track": 5},
    ],
)
def test_media_that_is_not_as_documented_is_bad(carrier: Dialect, media: object) -> None:
    assert reasons(take(live(carrier), {**carrier.media(1), "media": media})) == ["bad"]


def test_media_without_audio_is_empty_and_no_gap(carrier: Dialect) -> None:
    wire = live(carrier)

    assert reasons(take(wire, carrier.media(1, b""))) == ["empty"]
    [event] = take(wire, carrier.media(2))

    assert isinstance(event, AudioIn)


def test_three_pieces_of_twice_the_declared_length_are_told_of(carrier: Dialect) -> None:
    wire = live(carrier)

    events = [take(wire, carrier.media(n, bytes(2 * carrier.frame_bytes))) for n in range(1, 10)]

    told = [n for n, given in enumerate(events, 1) if len(given) > 1]
    assert told == ([4] if carrier.timed else [])
    assert all(isinstance(each, AudioIn | CarrierWarning) for given in events for each in given)


# Sizes


def sized(carrier: Dialect, n_bytes: int) -> str:
    """Media whose text has so many bytes."""
    fields = carrier.media(1, bytes(MESSAGE.max_bytes // 2))
    text = json.dumps(fields)
    fields["more"] = ""
    fields["more"] = "x" * (n_bytes - len(json.dumps(fields)))
    assert len(text) < len(json.dumps(fields)) == n_bytes
    return json.dumps(fields)


def test_a_message_may_have_64_kib(carrier: Dialect) -> None:
    [event] = live(carrier).receive_text(sized(carrier, MESSAGE.max_bytes), 0.0)

    assert isinstance(event, AudioIn)


@pytest.mark.parametrize("n_bytes", [MESSAGE.max_bytes + 1, 10 * MESSAGE.max_bytes])
def test_a_longer_message_ends_the_call(carrier: Dialect, n_bytes: int) -> None:
    assert refused(live(carrier), [sized(carrier, n_bytes)]).close_code == TOO_BIG
    assert refused(carrier.wire(), [sized(carrier, n_bytes)]).close_code == TOO_BIG


def test_bytes_count_and_not_characters(carrier: Dialect) -> None:
    fields = {**carrier.media(1), "more": "é" * (MESSAGE.max_bytes // 2)}
    text = json.dumps(fields, ensure_ascii=False)
    assert len(text) < MESSAGE.max_bytes < len(text.encode())

    assert refused(live(carrier), [text]).close_code == TOO_BIG


@pytest.mark.parametrize("deep", [33, 900, 2_000, 30_000])
def test_audio_beside_something_deep_is_not_heard(carrier: Dialect, deep: int) -> None:
    text = json.dumps(carrier.media(1))[:-1] + ', "x": ' + "[" * deep + "]" * deep + "}"

    events = live(carrier).receive_text(text, 0.0)

    # Less than a thousand characters beside the audio are skipped unread.
    assert reasons(events) == ([] if deep == 33 else ["bad"])


def test_a_mark_has_a_name_of_bounded_length(carrier: Dialect) -> None:
    wire = live(carrier)

    assert take(wire, carrier.mark("m" * MARK_CHARS)) == [MarkReached("m" * MARK_CHARS)]
    wrong: list[object] = ["", "m" * (MARK_CHARS + 1), None, 5, {}]
    for name in wrong:
        assert reasons(take(wire, carrier.mark(name))) == ["bad"]


# Rates


def test_a_thousand_audio_messages_pass_at_once_and_no_more(carrier: Dialect) -> None:
    wire = live(carrier)
    texts = [json.dumps(carrier.media(number, bytes(2))) for number in range(1, 1_002)]

    refused(wire, texts)


def test_five_hundred_audio_messages_a_second_pass_for_ever(carrier: Dialect) -> None:
    wire = live(carrier)

    for number in range(1, 4_000):
        events = take(wire, carrier.media(number, bytes(2)), number / 500)
        assert isinstance(events[0], AudioIn)


def test_audio_of_ten_seconds_passes_at_once_and_more_is_dropped(carrier: Dialect) -> None:
    wire = live(carrier)
    n_frames = 10_000 // carrier.frame_ms

    events = [event for n in range(1, n_frames + 6) for event in take(wire, carrier.media(n))]

    assert [type(event) for event in events] == [AudioIn] * n_frames + [Ignored] * 5
    assert set(reasons(events)) == {"too fast"}
    [event] = take(wire, carrier.media(n_frames + 6), 1.0)
    assert isinstance(event, AudioIn)


def test_four_times_real_time_passes_for_ever_and_five_times_does_not(carrier: Dialect) -> None:
    for factor, n_dropped in ((4, 0), (5, 1)):
        wire, events = live(carrier), []
        for number in range(1, 80_000 // carrier.frame_ms):
            now_s = number * carrier.frame_ms / 1_000 / factor
            events += take(wire, carrier.media(number), now_s)
        assert min(1, reasons(events).count("too fast")) == n_dropped


def test_numbers_that_jump_do_not_make_more_silence_than_time_explains(carrier: Dialect) -> None:
    wire = live(carrier)

    events = [event for n in range(1, 40_000, 100) for event in take(wire, carrier.media(n))]
    missing_ms = sum(event.ms for event in events if isinstance(event, AudioMissing))

    assert 0 < missing_ms <= 10_000


def test_two_hundred_messages_pass_at_once_and_no_more(carrier: Dialect) -> None:
    messages = [json.dumps({"event": "news"})] * 200
    wire = live(carrier)

    refused(wire, messages)  # the start was one of them


def test_a_hundred_messages_a_second_pass_for_ever(carrier: Dialect) -> None:
    wire = live(carrier)

    for number in range(1_000):
        assert reasons(take(wire, {"event": "news"}, number / 100)) == ["unknown"]


def test_a_key_is_one_that_telephones_have(carrier: Dialect) -> None:
    wire = live(carrier)

    for number, digit in enumerate("0123456789ABCD*#"):
        assert take(wire, carrier.digit(digit), number * 0.05) == [DigitIn(digit)]
    assert take(wire, carrier.digit("a"), 2.0) == [DigitIn("A")]
    assert take(wire, carrier.digit(5), 2.0) == [DigitIn("5")]
    wrong: list[object] = [
        "",
        "12",
        "E",
        "F",
        "w",
        "\u0665",
        "²",
        " 1",
        None,
        True,
        {},
        10,
        -1,
        1.0,
    ]
    for key in wrong:
        assert reasons(take(wire, carrier.digit(key), 2.0)) == ["bad"]


def test_twenty_keys_pass_at_once_and_twenty_a_second_from_then_on(carrier: Dialect) -> None:
    wire = live(carrier)

    for _ in range(20):
        assert take(wire, carrier.digit("1")) == [DigitIn("1")]
    assert reasons(take(wire, carrier.digit("1"))) == ["too fast"]
    assert take(wire, carrier.digit("1"), 0.05) == [DigitIn("1")]
    assert reasons(take(wire, carrier.digit("1"), 0.05)) == ["too fast"]


# Garbage


GARBAGE = [
    "",
    "{",
    "null",
    "[]",
    '"event"',
    "{}",
    '{"event": 5}',
    '{"event": ""}',
    '{"event": null}',
    '{"event": "mark", "event": "mark"}',
    '{"event": "mark", "mark": {"name": NaN}}',
    '{"event": "mark", "mark": {"name": "\\ud800"}}',
    '{"event": "mark", "mark": {"name": "\ud800"}}',
    '{"event": "mark", "mark": {"name": "\\u0000"}}',
    "[" * 30_000,
]


@pytest.mark.parametrize("text", GARBAGE)
def test_what_is_no_event_is_bad(carrier: Dialect, text: str) -> None:
    assert reasons(carrier.wire().receive_text(text, 0.0)) == ["bad"]
    assert reasons(live(carrier).receive_text(text, 0.0)) == ["bad"]


def test_a_binary_message_is_bad_and_a_big_one_ends_the_call(carrier: Dialect) -> None:
    wire = live(carrier)

    assert reasons(wire.receive_bytes(bytes(64 * 1024), 0.0)) == ["bad"]
    with pytest.raises(RemoteWireError) as caught:
        wire.receive_bytes(bytes(64 * 1024 + 1), 0.0)
    assert caught.value.close_code == TOO_BIG


def test_a_hundred_bad_messages_in_ten_seconds_end_the_call(carrier: Dialect) -> None:
    wire = live(carrier)

    for number in range(99):
        wire.receive_text("{}", number / 10)
    refused(wire, ["{}"], 9.9)


def test_a_bad_message_now_and_then_is_borne_for_ever(carrier: Dialect) -> None:
    wire = live(carrier)

    for number in range(1_000):
        assert reasons(wire.receive_text("{}", number * 0.102)) == ["bad"]


def test_foreign_words_stay_out_of_what_people_read(carrier: Dialect) -> None:
    wire = live(carrier)

    [event] = take(wire, {"event": "\x1b[31m\r\n\u202e" * 50})

    assert isinstance(event, Ignored)
    assert event.detail.isprintable()
    assert len(event.detail) < 200


@settings(max_examples=300)
@given(text=st.text() | st.text('{}[]",:emdias0123tarpyolc\\', max_size=40))
def test_any_text_is_ignored(carrier: Dialect, text: str) -> None:
    assert all(isinstance(event, Ignored) for event in live(carrier).receive_text(text, 0.0))


# What we say


def test_before_the_start_and_after_the_end_we_say_nothing(carrier: Dialect) -> None:
    ended, over = live(carrier), live(carrier)
    take(ended, carrier.stop())
    refused(over, [json.dumps(carrier.start())])

    for wire in (carrier.wire(), ended, over):
        assert wire.mark("m") == wire.clear() == wire.digits("1") == wire.hang_up() == ()


def test_audio_before_the_start_or_without_samples_is_our_fault(carrier: Dialect) -> None:
    with pytest.raises(LocalWireError):
        carrier.wire().audio(bytes(carrier.frame_bytes))
    with pytest.raises(LocalWireError):
        live(carrier).audio(b"")


@settings(max_examples=50)
@given(payload=st.binary(min_size=1, max_size=5_000))
def test_audio_goes_out_whole(carrier: Dialect, payload: bytes) -> None:
    message = live(carrier).audio(payload)

    sent = base64.b64decode(json.loads(message)["media"]["payload"], validate=True)
    assert sent == carrier.sent(payload)


@settings(max_examples=50)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_mark_of_any_name_is_json(carrier: Dialect, name: str) -> None:
    [message] = live(carrier).mark(name)

    fields = json.loads(message)
    assert name in (fields.get("name"), fields.get("mark", {}).get("name"))


def test_a_stream_with_quotes_in_its_id_cannot_change_our_messages(carrier: Dialect) -> None:
    wire, odd_id = carrier.wire(), 'x","media":{"payload":""},"y":"'
    start = carrier.start()
    text = json.dumps(start).replace(carrier.stream_id, json.dumps(odd_id)[1:-1])
    wire.receive_text(text, 0.0)

    message = json.loads(wire.audio(bytes(range(100))))

    assert base64.b64decode(message["media"]["payload"]) == carrier.sent(bytes(range(100)))
    assert odd_id in message.values() or carrier.name == "telnyx"


# The short way


def fed(carrier: Dialect, stream: Iterable[tuple[Fields, float]], *, short: bool) -> list[object]:
    """What a stream of messages and times comes to, with or without the short way."""
    wire, found = live(carrier), list[object]()
    for fields, now_s in stream:
        text = json.dumps(fields)
        payload = wire.hear(text, now_s) if short else None
        try:
            found += [AudioIn(payload)] if payload else wire.receive_text(text, now_s)
        except RemoteWireError as exc:
            found.append(str(exc))
    return found


STEPS = st.tuples(
    st.sampled_from([1, 1, 1, 1, 0, 2, -1, 40]),  # to the next number
    st.sampled_from([0.0, 0.001, 0.02, 0.02, 0.5]),  # and instant, s
    st.sampled_from(["", "", "", "", "", "track", "stream", "payload", "event", "time", "extra"]),
)


@given(st.lists(STEPS, max_size=40))
@settings(max_examples=30)
def test_the_short_way_gives_what_the_long_way_gives(
    carrier: Dialect, steps: list[tuple[int, float, str]]
) -> None:
    number, now_s, stream = 1, 0.0, list[tuple[Fields, float]]()
    for skip, pause_s, unusual in steps:
        number, now_s = max(1, number + skip), now_s + pause_s
        fields = carrier.media(number)
        media = fields["media"]
        assert isinstance(media, dict)
        match unusual:
            case "track":
                media["track"] = "outbound"
            case "stream":
                fields[carrier.wire().stream_key] = "another"
            case "payload":
                media["payload"] = ""
            case "event":
                fields["event"] = "dtmf"
            case "time":
                media["timestamp"] = "12"
            case "extra":
                fields["more"] = "x" * 1_024
        stream.append((fields, now_s))

    assert fed(carrier, stream, short=True) == fed(carrier, stream, short=False)


def test_every_frame_but_the_first_of_a_usual_call_takes_the_short_way(carrier: Dialect) -> None:
    wire = live(carrier)

    heard = []
    for number in range(1, 100):
        text, now_s = json.dumps(carrier.media(number)), number / 10
        heard.append(wire.hear(text, now_s) is not None or not wire.receive_text(text, now_s))

    assert heard == [False] + [True] * 98


def test_frames_that_come_in_a_bunch_take_the_short_way_until_they_are_a_flood(
    carrier: Dialect,
) -> None:
    wire = live(carrier)
    texts = [json.dumps(carrier.media(number)) for number in range(1, 1_000)]
    wire.receive_text(texts[0], 0.0)

    n_short = next(n for n, text in enumerate(texts[1:]) if wire.hear(text, 0.0) is None)

    assert n_short >= 50
    [ignored] = wire.receive_text(texts[1 + n_short], 0.0)
    assert ignored == Ignored("too fast", "more audio than time; a frame is dropped")


def test_after_the_end_nothing_takes_the_short_way(carrier: Dialect) -> None:
    wire = live(carrier)
    take(wire, carrier.media(1))
    take(wire, carrier.stop(), 1.0)

    assert wire.hear(json.dumps(carrier.media(2)), 1.02) is None
