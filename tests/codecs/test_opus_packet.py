"""How long Opus packets are, told by their first octets and held against the decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_codecs.errors import CodecError
from bridge_codecs.opus import OpusDecoder
from bridge_codecs.opus_packet import (
    MAX_SAMPLES,
    frame_samples,
    has_copy,
    packet_samples,
)


@pytest.mark.parametrize(
    ("config", "ms"),
    [(0, 10), (1, 20), (2, 40), (3, 60), (11, 60), (12, 10), (15, 20), (16, 2.5), (31, 20)],
)
def test_a_frame_is_as_long_as_its_configuration_says(config: int, ms: float) -> None:
    assert frame_samples(config << 3) == ms * 48


@pytest.mark.parametrize(("code", "n_frames"), [(0, 1), (1, 2), (2, 2)])
def test_a_packet_holds_one_frame_or_two(code: int, n_frames: int) -> None:
    assert packet_samples(bytes([31 << 3 | code])) == n_frames * 960


@pytest.mark.parametrize(("said", "n_frames"), [(0, 0), (1, 1), (6, 6), (0x80 | 3, 3)])
def test_a_packet_can_say_how_many_frames_it_holds(said: int, n_frames: int) -> None:
    assert packet_samples(bytes([31 << 3 | 3, said])) == n_frames * 960


def test_what_is_cut_off_has_no_length_and_nothing_is_longer_than_a_packet_can_be() -> None:
    assert packet_samples(b"") == packet_samples(b"\xff") == 0
    assert packet_samples(bytes([3 << 3 | 3, 63])) == MAX_SAMPLES


@given(st.binary(max_size=40))
def test_whatever_the_decoder_takes_is_as_long_as_said(packet: bytes) -> None:
    decoder = OpusDecoder(48_000)

    try:
        samples = decoder.decode(packet)
    except CodecError:
        return

    assert packet_samples(packet) == samples.size


@pytest.mark.parametrize(
    ("config", "stereo", "second", "copies"),
    [
        (9, 0, 0b0100_0000, True),  # one frame of 20 ms: activity, copy
        (9, 0, 0b1011_1111, False),
        (10, 0, 0b0010_0000, True),  # 40 ms: two activities, copy
        (10, 0, 0b1101_1111, False),
        (9, 4, 0b0001_0000, True),  # the other channel's
        (9, 4, 0b1010_1111, False),
        (15, 0, 0b0100_0000, True),
        (16, 0, 0b0100_0000, False),  # the codec of music
    ],
)
def test_a_packet_says_whether_it_carries_a_copy(
    config: int, stereo: int, second: int, copies: bool
) -> None:
    assert has_copy(bytes([config << 3 | stereo, second])) is copies


@given(st.binary(max_size=40))
def test_what_is_cut_off_or_anything_else_has_a_copy_or_not(packet: bytes) -> None:
    assert has_copy(packet) in (True, False)
    assert not has_copy(packet[:1])
