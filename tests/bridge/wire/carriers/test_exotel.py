"""Exotel: what its documents and samples say, line by line, both ways of writing keys, and its pieces of audio."""

import base64
import json
from typing import Any

import pytest

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.base import CarrierEvent, MediaFormat, Started, Stopped
from bridge.wire.carriers.exotel import LONGEST_PIECE, ExotelWire
from bridge.wire.carriers.make import WireOptions, traits_of
from bridge.wire.carriers.shapes import shape_of
from tests.fakes.carrier_dialects import Exotel, ExotelInCamelCase
from tests.fakes.carrier_transcripts import replay

EXOTEL = Exotel()


def take(wire: ExotelWire, fields: dict[str, Any]) -> list[CarrierEvent]:
    return wire.receive_text(json.dumps(fields), 0.0)


def started(options: WireOptions | None = None, **changed: Any) -> Started:
    """The event of a start with some fields changed."""
    fields = EXOTEL.start()
    fields["start"] |= changed
    [event] = take(ExotelWire(options or WireOptions()), fields)
    assert isinstance(event, Started)
    return event


def live(**changed: Any) -> ExotelWire:
    wire, fields = ExotelWire(), EXOTEL.start()
    fields["start"] |= changed
    take(wire, fields)
    return wire


@pytest.mark.parametrize("name", ["exotel", "exotel_camel_case"])
def test_a_documented_call_is_understood_line_by_line(name: str) -> None:
    replay(name, ExotelWire())


def test_exotel_takes_whole_pieces_of_100_ms_near_real_time_and_hangs_up_by_close() -> None:
    traits = traits_of("exotel")

    assert (traits.marks, traits.clears, traits.ends_by) == ("echoed", True, "close")
    assert (traits.frame_ms, traits.whole_frames, traits.ahead_ms) == (100, True, 200)
    assert (traits.digits_by, traits.transfers) == ("tones", False)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"encoding": "audio/x-raw", "sample_rate": "8000"}, MediaFormat("l16le", 8_000)),
        ({"encoding": "raw/slin", "sample_rate": 16000}, MediaFormat("l16le", 16_000)),
        ({"encoding": "audio/lin", "sampleRate": "24000"}, MediaFormat("l16le", 24_000)),
        ({}, MediaFormat("l16le", 8_000)),
        (None, MediaFormat("l16le", 8_000)),
        ({"encoding": "audio/x-mulaw;rate=8000"}, MediaFormat("ulaw", 8_000)),
        ({"encoding": "audio/x-alaw", "sample_rate": "8000"}, MediaFormat("alaw", 8_000)),
    ],
)
def test_formats_may_be_written_in_several_ways(said: Any, heard: MediaFormat) -> None:
    event = started(media_format=said)

    assert event.heard == event.played == heard


def test_a_rate_that_is_not_said_is_configured() -> None:
    event = started(WireOptions(l16_rate_hz=16_000), media_format={"encoding": "raw/slin"})

    assert event.heard == MediaFormat("l16le", 16_000)


@pytest.mark.parametrize(
    "said",
    [{"sample_rate": "44100"}, {"encoding": "audio/x-mulaw", "sample_rate": 16000}],
)
def test_other_formats_end_the_call(said: Any) -> None:
    with pytest.raises(RemoteWireError, match="kHz"):
        started(media_format=said)


@pytest.mark.parametrize("key", ["call_sid", "stream_sid", "account_sid"])
def test_ids_are_plain(key: str) -> None:
    with pytest.raises(RemoteWireError, match="id"):
        started(None, **{key: "a b"})


def test_what_belongs_into_the_start_may_stand_beside_it() -> None:
    fields = {"event": "start", **EXOTEL.start()["start"]}

    [event] = take(ExotelWire(), fields)

    assert isinstance(event, Started)
    assert event.info.from_number == "+919876543210"


@pytest.mark.parametrize(
    ("stop", "cause", "detail"),
    [
        ({"reason": "callended"}, "caller_hung_up", "callended"),
        ({"reason": "stopped"}, "stopped", "stopped"),
        ({"reason": "\x1b[31m"}, "stopped", " [31m"),
        ({}, "stopped", ""),
        (None, "stopped", ""),
        ("callended", "stopped", ""),
    ],
)
def test_a_stop_says_who_ended_the_call(stop: Any, cause: Any, detail: str) -> None:
    assert take(live(), {"event": "stop", "stop": stop}) == [Stopped(cause, detail)]


@pytest.mark.parametrize("carrier", [EXOTEL, ExotelInCamelCase()], ids=str)
def test_we_answer_in_the_style_of_the_start(carrier: Exotel) -> None:
    wire = ExotelWire()
    take(wire, carrier.start())

    for message in (wire.audio(bytes(1_600)), *wire.mark("m"), *wire.clear()):
        assert json.loads(message)[carrier.stream_key] == carrier.stream_id


# What we send


def sent(wire: ExotelWire, n_bytes: int) -> dict[str, Any]:
    fields = json.loads(wire.audio(b"\x01" * n_bytes))
    assert isinstance(fields, dict)
    return fields


def test_our_audio_is_numbered_and_timed_from_the_start_of_our_audio() -> None:
    wire = live()

    pieces = [sent(wire, n_bytes) for n_bytes in (1_600, 1_600, 3_200, 100, 1_600)]

    assert [piece["sequence_number"] for piece in pieces] == ["1", "2", "3", "4", "5"]
    assert [piece["media"]["chunk"] for piece in pieces] == ["1", "2", "3", "4", "5"]
    times = [piece["media"]["timestamp"] for piece in pieces]
    assert times == ["0", "100", "200", "400", "420"]


@pytest.mark.parametrize(
    ("encoding", "silence"), [("audio/x-raw", 0), ("audio/x-mulaw", 0xFF), ("audio/x-alaw", 0xD5)]
)
def test_a_piece_is_filled_up_to_a_multiple_of_320_bytes_with_silence(
    encoding: str, silence: int
) -> None:
    wire = live(media_format={"encoding": encoding, "sample_rate": "8000"})

    for n_bytes in (2, 318, 320, 322, 1_599):
        payload = base64.b64decode(sent(wire, n_bytes)["media"]["payload"])
        assert len(payload) % 320 == 0
        assert payload == b"\x01" * n_bytes + bytes([silence]) * (len(payload) - n_bytes)


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "frame_ms", "n_bytes"),
    [
        ("audio/x-raw", 8_000, 200, 3_200),
        ("audio/x-raw", 16_000, 100, 3_200),
        ("audio/x-raw", 24_000, 100, 4_800),
        ("audio/x-mulaw", 8_000, 400, 3_200),
        ("audio/x-alaw", 8_000, 400, 3_200),
    ],
)
def test_a_piece_is_the_least_that_fits_both_readings_of_the_documents(
    encoding: str, rate_hz: int, frame_ms: int, n_bytes: int
) -> None:
    wire = ExotelWire()
    fields = EXOTEL.start()
    fields["start"]["media_format"] = {"encoding": encoding, "sample_rate": str(rate_hz)}
    [started] = take(wire, fields)

    assert isinstance(started, Started)
    assert wire.traits.frame_ms == frame_ms
    assert wire.traits.ahead_ms == frame_ms + 100
    assert shape_of(started.played).bytes_per_s * frame_ms // 1_000 == n_bytes
    assert n_bytes % 320 == 0
    assert traits_of("exotel").frame_ms == 100


def test_a_piece_has_at_most_100_kb() -> None:
    wire = live()

    assert len(base64.b64decode(sent(wire, LONGEST_PIECE)["media"]["payload"])) <= 100_000
    with pytest.raises(LocalWireError):
        wire.audio(bytes(LONGEST_PIECE + 1))
