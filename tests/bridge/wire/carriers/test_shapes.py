"""How long payloads sound."""

import pytest

from bridge.wire.carriers.base import Encoding, MediaFormat
from bridge.wire.carriers.shapes import shape_of
from bridge_codecs.opus import OpusEncoder
from bridge_codecs.pcm import silence


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels", "n_bytes", "align"),
    [
        ("ulaw", 8_000, 1, 160, 1),
        ("alaw", 8_000, 1, 160, 1),
        ("ulaw", 8_000, 2, 320, 2),
        ("l16le", 24_000, 1, 960, 2),
        ("l16be", 16_000, 1, 640, 2),
        ("g722", 16_000, 1, 160, 1),
    ],
)
def test_twenty_milliseconds_have_so_many_bytes(
    encoding: Encoding, rate_hz: int, channels: int, n_bytes: int, align: int
) -> None:
    shape = shape_of(MediaFormat(encoding, rate_hz, channels))

    assert shape.ms_of(bytes(n_bytes)) == 20.0
    assert shape.s_of(bytes(n_bytes)) == 0.02
    assert shape.align == align


def test_an_opus_packet_says_itself_how_long_it_is() -> None:
    packet = OpusEncoder(16_000).encode(silence(320))
    shape = shape_of(MediaFormat("opus", 16_000))

    assert shape.ms_of(packet) == 20.0
    assert shape.s_of(packet) == 0.02
    assert shape.ms_of(b"") == shape.s_of(b"") == 0.0
