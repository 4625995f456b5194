"""Telnyx: what its documents say, line by line, its formats and its frames that come out of order."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    Ignored,
    MediaFormat,
    Started,
    StartInfo,
)
from bridge.wire.carriers.make import WireOptions, traits_of
from bridge.wire.carriers.telnyx import TelnyxWire
from bridge_codecs.l16 import encode_l16
from tests.fakes.carrier_dialects import Telnyx
from tests.fakes.carrier_transcripts import replay

TELNYX = Telnyx()
SECRET = "CANARY-stream-auth-token"


def take(wire: TelnyxWire, fields: dict[str, Any], now_s: float = 0.0) -> list[CarrierEvent]:
    return wire.receive_text(json.dumps(fields), now_s)


def started(options: WireOptions | None = None, **changed: Any) -> Started:
    """The event of a start with some fields changed; None takes a field away."""
    fields = TELNYX.start()
    start = {**fields["start"], **changed}
    fields["start"] = {key: value for key, value in start.items() if value is not None}
    [event] = take(TelnyxWire(options or WireOptions()), fields)
    assert isinstance(event, Started)
    return event


def in_format(options: WireOptions | None = None, **said: Any) -> MediaFormat:
    return started(options, media_format=said).heard


@pytest.mark.parametrize("name", ["telnyx", "telnyx_l16"])
def test_a_documented_call_is_understood_line_by_line(name: str) -> None:
    replay(name, TelnyxWire())


def test_telnyx_takes_whole_frames_and_presses_keys_by_rest() -> None:
    traits = traits_of("telnyx")

    assert (traits.marks, traits.clears, traits.ends_by) == ("echoed", True, "rest")
    assert (traits.digits_by, traits.transfers, traits.whole_frames) == ("rest", True, True)


def test_the_start_says_who_is_on_the_line() -> None:
    fields = TELNYX.start()["start"]

    assert started().info == StartInfo(
        call_id=fields["call_control_id"],
        stream_id=TELNYX.stream_id,
        account_id=fields["user_id"],
        from_number="+13122010094",
        to_number="+13122123456",
        parameters={"agent": "receptionist"},
        more={
            "call_session_id": fields["call_session_id"],
            "client_state": fields["client_state"],
        },
    )


def test_parameters_may_be_a_list_of_names_and_values() -> None:
    said = [{"name": "agent", "value": "a1"}, {"name": 5}, {"value": "x"}, "x", None]

    assert started(custom_parameters=said).info.parameters == {"agent": "a1"}


def test_a_caller_may_be_called_anything_of_bounded_length() -> None:
    event = started(None, **{"from": "+1\r\n\u202e" + "5" * 10_000, "to": None})

    assert len(event.info.from_number) == 256
    assert event.info.to_number == ""


# Formats


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"encoding": "PCMU", "sample_rate": 8000, "channels": 1}, MediaFormat("ulaw", 8_000)),
        ({"encoding": "audio/x-mulaw", "sample_rate": "8000"}, MediaFormat("ulaw", 8_000)),
        ({}, MediaFormat("ulaw", 8_000)),
        ({"encoding": "pcma"}, MediaFormat("alaw", 8_000)),
        ({"encoding": "audio/x-alaw", "channels": "1"}, MediaFormat("alaw", 8_000)),
        ({"encoding": "G722", "sample_rate": 8000}, MediaFormat("g722", 16_000)),
        ({"encoding": "G722", "sample_rate": 16000}, MediaFormat("g722", 16_000)),
        ({"encoding": "OPUS", "sample_rate": 16000, "channels": 2}, MediaFormat("opus", 16_000)),
        ({"encoding": "OPUS"}, MediaFormat("opus", 48_000)),
        ({"encoding": "L16", "sample_rate": 24000}, MediaFormat("l16be", 24_000)),
        ({"encoding": "L16"}, MediaFormat("l16be", 8_000)),
    ],
)
def test_formats_are_known_by_all_their_names(said: dict[str, Any], heard: MediaFormat) -> None:
    assert in_format(**said) == heard


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 48_000])
def test_every_documented_rate_of_l16_is_taken(rate_hz: int) -> None:
    assert in_format(encoding="L16", sample_rate=rate_hz) == MediaFormat("l16be", rate_hz)


@pytest.mark.parametrize(
    ("said", "rate_hz"), [(8_000, 8_000), (24_000, 24_000), (48_000, 48_000), (44_100, 48_000)]
)
def test_opus_is_decoded_at_its_rate_or_at_48_khz(said: int, rate_hz: int) -> None:
    assert in_format(encoding="OPUS", sample_rate=said) == MediaFormat("opus", rate_hz)


def test_what_is_not_documented_is_configured() -> None:
    options = WireOptions(l16_byteorder="little", l16_rate_hz=16_000)

    assert in_format(options, encoding="L16") == MediaFormat("l16le", 16_000)


def test_what_telnyx_takes_from_us_can_differ_from_what_it_sends() -> None:
    event = started(WireOptions(played=MediaFormat("l16be", 16_000)))

    assert (event.heard, event.played) == (MediaFormat("ulaw", 8_000), MediaFormat("l16be", 16_000))


@pytest.mark.parametrize(
    "said",
    [
        {"encoding": "AMR-WB"},
        {"encoding": "\x1b[31m" + "x" * 1_000},
        {"encoding": "PCMU", "sample_rate": 16000},
        {"encoding": "PCMU", "channels": 2},
        {"encoding": "L16", "sample_rate": 11025},
        {"encoding": "G722", "sample_rate": 48000},
    ],
)
def test_other_formats_end_the_call_with_a_sentence(said: dict[str, Any]) -> None:
    with pytest.raises(RemoteWireError) as caught:
        in_format(**said)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


# Order


def heard(wire: TelnyxWire, *numbers: int) -> list[int | float]:
    found: list[int | float] = []
    for number in numbers:
        for event in take(wire, TELNYX.media(number)):
            if isinstance(event, AudioIn):
                found.append(event.payload[0])
            elif isinstance(event, AudioMissing):
                found.append(event.ms)
    return found


def live() -> TelnyxWire:
    wire = TelnyxWire()
    take(wire, TELNYX.start())
    return wire


def test_frames_out_of_order_are_put_in_order() -> None:
    assert heard(live(), 1, 3, 2, 4, 7, 6, 5) == [1, 2, 3, 4, 5, 6, 7]


def test_a_missing_frame_is_given_up_after_five_more() -> None:
    wire = live()

    assert heard(wire, 1, 3, 4, 5, 6) == [1]
    assert heard(wire, 7) == [20.0, 3, 4, 5, 6, 7]
    [late] = take(wire, TELNYX.media(2))
    assert isinstance(late, Ignored)


def test_when_the_socket_closes_what_is_held_is_heard() -> None:
    wire = live()
    take(wire, TELNYX.media(1))
    take(wire, TELNYX.media(3))

    missing, audio, _ = wire.receive_close(1006, "", ours=False)

    assert missing == AudioMissing(20.0)
    assert isinstance(audio, AudioIn)


# The byte order


def hints(sent: Sequence[bytes], options: WireOptions) -> list[str]:
    wire, fields = TelnyxWire(options), TELNYX.start()
    fields["start"]["media_format"] = {"encoding": "L16", "sample_rate": 8000}
    take(wire, fields)
    texts = []
    for number, payload in enumerate(sent):
        events = take(wire, TELNYX.media(number, payload), number / 50)
        texts += [event.text for event in events if isinstance(event, CarrierWarning)]
    return texts


@pytest.mark.parametrize("configured", ["big", "little"])
def test_a_wrong_byte_order_is_told_of_after_the_first_second(configured: Any) -> None:
    tone = (5_000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)
    payload = encode_l16(tone, "little")
    pieces = [payload[at : at + 320] for at in range(0, len(payload), 320)]
    options = WireOptions(l16_byteorder=configured)

    assert hints(pieces[:49], options) == []
    wrong = configured == "big"
    assert hints(pieces, options) == ["the caller's L16 looks little-endian"] * wrong


# Complaints and secrets


def test_an_error_of_telnyx_is_a_warning() -> None:
    for payload, words in [
        ({"code": "100003", "title": "malformed_frame"}, "100003 malformed_frame"),
        ({}, "an error without words"),
        ({"detail": "\x1b" * 1_000}, None),
    ]:
        [event] = take(live(), {"event": "error", "payload": payload})
        assert isinstance(event, CarrierWarning)
        assert event.text.isprintable()
        assert len(event.text) <= 200
        assert words in (None, event.text)


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "connected", "version": "1.0.0", "stream_auth_token": SECRET},
        {"event": "connected", "connected": {"auth_token": SECRET}},
    ],
)
def test_the_auth_token_of_connected_is_kept_and_told_nobody(fields: dict[str, Any]) -> None:
    wire = TelnyxWire()

    events = [*take(wire, fields), *take(wire, TELNYX.start()), *take(wire, TELNYX.stop())]

    assert wire.auth_token == SECRET
    assert SECRET not in repr(events)
    assert SECRET not in repr(wire)


def test_without_a_token_there_is_none() -> None:
    wire = TelnyxWire()

    take(wire, {"event": "connected", "token": 5, "connected": []})

    assert wire.auth_token == ""
