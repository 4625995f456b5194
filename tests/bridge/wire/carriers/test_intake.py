"""A caller's audio on its way in: bounded, in order, never empty."""

from bridge.wire.carriers.base import AudioIn, AudioMissing, Ignored, MediaFormat
from bridge.wire.carriers.guard import Guard
from bridge.wire.carriers.intake import Intake
from bridge.wire.carriers.json_media import MediaPart

ULAW = MediaFormat("ulaw", 8_000)


def chunk(number: int, payload: bytes = bytes(160)) -> MediaPart:
    return MediaPart(payload, None, number, number * 20)


def test_what_is_too_fast_or_empty_is_dropped_without_leaving_a_gap() -> None:
    intake = Intake(Guard(), ULAW, patience=1)
    for number in range(500):
        assert intake.hear(chunk(number), 0.0) == [AudioIn(bytes(160))]

    [too_fast] = intake.hear(chunk(500), 0.0)
    [empty] = intake.hear(chunk(501, b""), 1.0)

    assert isinstance(too_fast, Ignored)
    assert isinstance(empty, Ignored)
    assert (too_fast.reason, empty.reason) == ("too fast", "empty")
    assert intake.hear(chunk(502), 1.0) == [AudioIn(bytes(160))]


def test_silence_for_a_gap_is_taken_from_the_same_budget_as_audio() -> None:
    intake = Intake(Guard(), ULAW, patience=1)

    events = [event for n in range(0, 2_000, 50) for event in intake.hear(chunk(n), 0.0)]
    missing_s = sum(event.ms for event in events if isinstance(event, AudioMissing)) / 1_000
    heard_s = sum(isinstance(event, AudioIn) for event in events) * 0.02

    assert 9.0 < missing_s + heard_s <= 10.0


def test_opus_is_as_long_as_its_packets_say_and_bounded_by_that() -> None:
    intake, packet = Intake(Guard(), MediaFormat("opus", 48_000), patience=1), bytes([3 << 3])

    # A packet of 60 ms: ten seconds hold 166 of them.
    events = [
        event
        for number in range(200)
        for event in intake.hear(MediaPart(packet, None, number, number * 60), 0.0)
    ]

    assert [type(event) for event in events] == [AudioIn] * 166 + [Ignored] * 34


def test_samples_of_two_bytes_are_aligned() -> None:
    assert Intake(Guard(), ULAW, patience=1).align == 1
    assert Intake(Guard(), MediaFormat("l16le", 8_000), patience=1).align == 2


def test_at_the_end_what_was_held_back_comes_out() -> None:
    intake = Intake(Guard(), ULAW, patience=5)

    assert intake.hear(chunk(1), 0.0) == [AudioIn(bytes(160))]
    assert intake.hear(chunk(3), 0.0) == []

    assert intake.flush() == [AudioMissing(20.0), AudioIn(bytes(160))]
