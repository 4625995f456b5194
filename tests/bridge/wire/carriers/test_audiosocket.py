"""AudioSocket: frames cut out of a stream, its transcripts, rates, and whatever order things come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.audiosocket import (
    LONGEST_PAYLOAD,
    RATES,
    AudioSocketWire,
    TlvReader,
)
from bridge.wire.carriers.base import AudioIn, DigitIn, Ignored, MediaFormat, Started, Stopped
from bridge.wire.carriers.make import WireOptions, make_wire
from tests.fakes.carrier_orders import Step, check_all_orders, names_of, try_order
from tests.fakes.carrier_transcripts import replay


def frame(kind: int, value: bytes = b"") -> bytes:
    return bytes((kind,)) + len(value).to_bytes(2, "big") + value


UUID_FRAME = frame(0x01, bytes(range(16)))
AUDIO = frame(0x10, bytes(320))
STEPS: dict[str, Step] = {
    "uuid": UUID_FRAME,
    "audio": AUDIO,
    "other audio": frame(0x12, bytes(640)),
    "digit": frame(0x03, b"1"),
    "error": frame(0xFF, b"\x04"),
    "hang-up": frame(0x00),
    "no frame": b"\x10\x00\x09",
    "new type": frame(0x20, b"new"),
    "text": "text",
    "close": 1000,
}


def started() -> AudioSocketWire:
    wire = AudioSocketWire()
    wire.receive_bytes(UUID_FRAME, 0.0)
    wire.receive_bytes(AUDIO, 0.0)
    return wire


@pytest.mark.parametrize("name", ["audiosocket", "audiosocket_wide"])
def test_a_documented_call_is_understood_frame_by_frame(name: str) -> None:
    replay(name, make_wire("audiosocket"))


@given(st.lists(st.integers(1, 400), max_size=40))
def test_frames_do_not_depend_on_how_the_stream_is_cut(cuts: list[int]) -> None:
    frames = [UUID_FRAME, AUDIO, frame(0x03, b"7"), frame(0x12, bytes(640)), frame(0x00), AUDIO]
    stream, reader, read = b"".join(frames), TlvReader(), []

    for size in cuts:
        read += reader.feed(stream[:size])
        stream = stream[size:]

    assert read + reader.feed(stream) == frames


def test_a_frame_comes_with_its_last_byte_and_not_before() -> None:
    reader, longest = TlvReader(), frame(0x10, bytes(LONGEST_PAYLOAD))
    assert reader.feed(UUID_FRAME) == [UUID_FRAME]

    assert reader.feed(longest[:-1]) == []
    assert reader.feed(longest[-1:]) == [longest]


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"\x01\x00\x11", b"\x10\x00\x10", bytes(3)]
)
def test_a_stream_that_begins_with_something_else_is_refused_at_its_third_byte(
    start: bytes,
) -> None:
    reader = TlvReader()

    assert reader.feed(start[:2]) == []
    with pytest.raises(RemoteWireError, match="begins with a UUID"):
        reader.feed(start[2:3])


@pytest.mark.parametrize(("kind", "rate_hz"), RATES.items())
def test_the_type_of_the_first_audio_says_the_rate(kind: int, rate_hz: int) -> None:
    wire = AudioSocketWire()
    wire.receive_bytes(UUID_FRAME, 0.0)
    first = frame(kind, bytes(320))

    if rate_hz > 48_000:
        with pytest.raises(RemoteWireError, match="not supported"):
            wire.receive_bytes(first, 0.0)
        return
    event, audio = wire.receive_bytes(first, 0.0)

    assert isinstance(event, Started)
    assert event.heard == event.played == MediaFormat("l16le", rate_hz)
    assert audio == AudioIn(bytes(320))
    assert wire.audio(bytes(2)) == bytes((kind, 0, 2, 0, 0))


def test_with_a_configured_rate_the_stream_starts_with_its_uuid() -> None:
    wire = AudioSocketWire(WireOptions(played=MediaFormat("l16le", 16_000)))

    [event] = wire.receive_bytes(UUID_FRAME, 0.0)

    assert isinstance(event, Started)
    assert event.info.call_id == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert wire.audio(bytes(4)) == b"\x12\x00\x04" + bytes(4)
    with pytest.raises(RemoteWireError, match="changed to audio at 8000 Hz"):
        wire.receive_bytes(AUDIO, 0.0)


def test_a_configured_rate_that_audiosocket_does_not_have_is_refused() -> None:
    wire = AudioSocketWire(WireOptions(played=MediaFormat("l16le", 22_050)))

    with pytest.raises(RemoteWireError, match="no audio at 22050 Hz"):
        wire.receive_bytes(UUID_FRAME, 0.0)


def test_frames_of_ours_have_at_most_65535_bytes_and_whole_samples() -> None:
    wire = started()

    assert wire.audio(bytes(65_534)) == b"\x10\xff\xfe" + bytes(65_534)
    for wrong in (0, 65_536):
        with pytest.raises(LocalWireError, match=f"{wrong} bytes"):
            wire.audio(bytes(wrong))
    with pytest.raises(LocalWireError, match="inside a sample"):
        wire.audio(bytes(319))


def test_audio_before_the_first_of_theirs_is_a_bug_here() -> None:
    with pytest.raises(LocalWireError, match="before its stream has started"):
        AudioSocketWire().audio(bytes(320))


@pytest.mark.parametrize("wrong", [b"", b"\x10", b"\x10\x00", b"\x10\x00\x01", AUDIO + b"\x00"])
def test_a_frame_of_another_length_than_it_says_is_dropped(wrong: bytes) -> None:
    [event] = started().receive_bytes(wrong, 0.0)

    assert event == Ignored("bad", "a frame of another length than its header says")


@pytest.mark.parametrize("value", [b"", b"E", b"12", b"\xff", b"\x00"])
def test_what_no_telephone_has_is_not_taken_for_a_key(value: bytes) -> None:
    [event] = started().receive_bytes(frame(0x03, value), 0.0)

    assert isinstance(event, Ignored)
    assert event.reason == "bad"


def test_a_key_is_one_letter_of_ascii() -> None:
    assert started().receive_bytes(frame(0x03, b"D"), 0.0) == [DigitIn("D")]


@pytest.mark.parametrize("ending", [frame(0x00), frame(0xFF, b"\x01")])
def test_a_caller_who_hangs_up_ends_the_stream_once(ending: bytes) -> None:
    wire = started()

    assert wire.receive_bytes(ending, 0.1) == [Stopped("caller_hung_up")]
    assert names_of(wire.receive_bytes(AUDIO, 0.1)) == ["Ignored"]
    assert wire.receive_close(1000, "", ours=False) == []


def test_fifty_frames_before_the_uuid_are_ignored_and_one_more_ends_the_call() -> None:
    wire = AudioSocketWire()

    for n in range(50):
        assert names_of(wire.receive_bytes(AUDIO, 0.02 * n)) == ["Ignored"]

    with pytest.raises(RemoteWireError, match="more than 50"):
        wire.receive_bytes(AUDIO, 2.0)


def test_a_second_uuid_and_another_rate_end_the_call() -> None:
    with pytest.raises(RemoteWireError, match="UUID a second time"):
        started().receive_bytes(UUID_FRAME, 0.0)
    with pytest.raises(RemoteWireError, match="changed to audio at 16000 Hz"):
        started().receive_bytes(frame(0x12, bytes(640)), 0.0)


def test_a_uuid_of_another_length_is_no_uuid() -> None:
    wire = AudioSocketWire()

    assert names_of(wire.receive_bytes(frame(0x01, bytes(15)), 0.0)) == ["Ignored"]
    assert wire.receive_bytes(UUID_FRAME, 0.0) == []


def test_every_order_of_frames_keeps_the_rules() -> None:
    assert check_all_orders(AudioSocketWire, STEPS, longest=4) == 11_110


@pytest.mark.slow
def test_every_order_of_five_frames_keeps_the_rules() -> None:
    assert check_all_orders(AudioSocketWire, STEPS, longest=5) == 111_110


@given(st.lists(st.binary(max_size=80), max_size=12))
def test_any_bytes_are_taken(values: list[bytes]) -> None:
    try_order(AudioSocketWire(), [UUID_FRAME, AUDIO, *values])
    try_order(AudioSocketWire(), [*values])
    try_order(AudioSocketWire(), [UUID_FRAME, *(frame(len(value), value) for value in values)])


@given(st.lists(st.binary(max_size=300), max_size=12))
def test_a_stream_is_refused_or_read_whatever_it_holds(chunks: list[bytes]) -> None:
    reader = TlvReader()
    for chunk in [UUID_FRAME, *chunks]:
        for read in reader.feed(chunk):
            assert len(read) == 3 + int.from_bytes(read[1:3], "big")
