"""The thin layer over PyAV: whole frames only, errors as CodecError, nothing loaded early."""

import subprocess
import sys

import numpy as np
import pytest

from bridge_codecs.errors import CodecError
from bridge_codecs.libav import Decoder, Encoder

FRAME = np.arange(320, dtype=np.int16)
OPTIONS = {"frame_size": "320"}


def test_importing_the_codecs_does_not_load_pyav() -> None:
    program = "import sys, bridge_codecs.g722, bridge_codecs.opus; sys.exit('av' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_whole_frame_is_one_packet_at_once() -> None:
    assert len(Encoder("g722", 16_000, OPTIONS).encode(FRAME)) == 160


@pytest.mark.parametrize("n_samples", [0, 319, 321])
def test_what_is_not_a_whole_frame_raises_codec_error(n_samples: int) -> None:
    with pytest.raises(CodecError, match=f"320 samples, not {n_samples}"):
        Encoder("g722", 16_000, OPTIONS).encode(np.zeros(n_samples, np.int16))


@pytest.mark.parametrize("wrong", [np.zeros(320), np.zeros((1, 320), np.int16)])
def test_what_is_not_one_row_of_int16_raises_codec_error(wrong: np.ndarray) -> None:
    with pytest.raises(CodecError, match="one row of int16"):
        Encoder("g722", 16_000, OPTIONS).encode(wrong)


def test_strided_samples_encode_in_order() -> None:
    spread = np.repeat(FRAME, 2)[::2]

    packet = Encoder("g722", 16_000, OPTIONS).encode(spread)

    assert packet == Encoder("g722", 16_000, OPTIONS).encode(FRAME)


def test_settings_that_ffmpeg_refuses_raise_codec_error() -> None:
    with pytest.raises(CodecError, match="cannot encode libopus so"):
        Encoder("libopus", 12_345, {})


def test_a_last_frame_may_be_short() -> None:
    encoder = Encoder("g722", 16_000, OPTIONS)
    whole = encoder.encode(FRAME)

    rest = encoder.finish(FRAME[:100])

    assert (len(whole), len(rest)) == (160, 50)


def test_nothing_decodes_to_nothing_and_does_not_end_the_stream() -> None:
    decoder = Decoder("g722", 16_000)

    assert decoder.decode(b"").size == 0
    assert decoder.decode(b"\0").size == 2


def test_a_bad_packet_raises_codec_error_and_the_stream_goes_on() -> None:
    decoder = Decoder("libopus", 48_000)

    with pytest.raises(CodecError, match="no libopus packet"):
        decoder.decode(b"\xff\xff\xff")
    assert decoder.decode(b"\x08").size == 480 * 2
