"""The converter chain: formats in, formats out, and no sample that wraps on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.convert import AudioFormat, Chain
from bridge.audio.lane import Lane
from bridge_codecs.errors import CodecError
from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Float32, from_bytes, to_int16
from bridge_codecs.resample import Resampler

ULAW = AudioFormat("ulaw", 8_000)
ALAW = AudioFormat("alaw", 8_000)
WIDE = AudioFormat("l16le", 48_000)


@pytest.mark.parametrize(
    ("source", "sink", "said"),
    [
        (ULAW, WIDE, "ulaw 8000 -> pcm 8000 -> pcm 48000 -> l16le 48000 -> 20 ms"),
        (WIDE, ALAW, "l16le 48000 -> pcm 48000 -> pcm 8000 -> alaw 8000 -> 20 ms"),
        (ULAW, ALAW, "ulaw 8000 -> pcm 8000 -> alaw 8000 -> 20 ms"),
        (ULAW, ULAW, "ulaw 8000 -> 20 ms"),
    ],
)
def test_chain_prints_its_stages(source: AudioFormat, sink: AudioFormat, said: str) -> None:
    assert str(Chain.between(source, sink)) == said


def test_ulaw_frame_becomes_one_wide_frame() -> None:
    [frame] = Chain.between(ULAW, WIDE).push(b"\xff" * 160)

    assert frame == bytes(1920)


def test_chain_gives_what_its_parts_give() -> None:
    payload = bytes(range(256)) * 5
    expected = Resampler(8_000, 48_000).push(decode_ulaw(payload))

    frames = Chain.between(ULAW, WIDE).push(payload)

    assert np.array_equal(from_bytes(b"".join(frames)), expected)


def test_ulaw_becomes_alaw() -> None:
    payload = encode_ulaw(np.full(160, 8_031, np.int16))

    [frame] = Chain.between(ULAW, ALAW).push(payload)

    assert decode_alaw(frame).tolist() == pytest.approx([8_031] * 160, rel=0.04)


def test_byte_order_is_turned() -> None:
    chain = Chain.between(AudioFormat("l16be", 8_000), AudioFormat("l16le", 8_000))

    [frame] = chain.push(b"\x01\x02" * 160)

    assert frame == b"\x02\x01" * 160


def test_byte_order_is_turned_back() -> None:
    chain = Chain.between(AudioFormat("l16le", 8_000), AudioFormat("l16be", 8_000))

    [frame] = chain.push(b"\x01\x02" * 160)

    assert frame == b"\x02\x01" * 160


def test_same_format_passes_untouched() -> None:
    payload = bytes(range(160))

    assert Chain.between(ULAW, ULAW).push(payload) == [payload]


@given(st.lists(st.binary(max_size=400), max_size=12))
def test_any_payloads_of_the_same_format_come_out_in_frames(payloads: list[bytes]) -> None:
    chain = Chain.between(ULAW, ULAW)

    frames = [frame for payload in payloads for frame in chain.push(payload)]

    assert all(len(frame) == 160 for frame in frames)
    rest = chain.flush()
    assert len(rest) <= 1
    assert b"".join(frames + rest) == b"".join(payloads)


@given(st.lists(st.binary(max_size=400), max_size=8))
def test_any_payloads_of_another_format_come_out_in_frames(payloads: list[bytes]) -> None:
    chain = Chain.between(ALAW, WIDE)

    frames = [frame for payload in payloads for frame in chain.push(payload)]

    assert len(frames) == sum(map(len, payloads)) // 160
    assert all(len(frame) == 1920 for frame in frames)


def test_flush_brings_out_what_the_resampler_held_back_and_begins_anew() -> None:
    chain = Chain.between(ULAW, WIDE)
    loud = encode_ulaw(np.full(160, 20_000, np.int16))
    chain.push(loud)

    [rest] = chain.flush()

    assert 0 < len(rest) < 1920
    assert from_bytes(rest)[0] > 15_000
    assert chain.push(b"\xff" * 160) == [bytes(1920)]


def test_flush_without_audio_gives_nothing() -> None:
    assert Chain.between(ULAW, WIDE).flush() == []


def test_reset_forgets_the_unfinished_frame() -> None:
    chain = Chain.between(ULAW, ULAW)
    chain.push(b"\x00" * 100)
    chain.reset()

    assert chain.push(b"\xff" * 160) == [b"\xff" * 160]


@pytest.mark.parametrize("sink", [ULAW, AudioFormat("l16le", 8_000)])
def test_odd_number_of_bytes_is_a_codec_error(sink: AudioFormat) -> None:
    with pytest.raises(CodecError):
        Chain.between(AudioFormat("l16le", 8_000), sink).push(b"\x00\x00\x00")


def test_frame_that_is_no_whole_number_of_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number"):
        Chain.between(ULAW, AudioFormat("l16le", 11_025), frame_ms=10)


def test_rate_that_nobody_speaks_is_a_codec_error() -> None:
    with pytest.raises(CodecError):
        Chain.between(ULAW, AudioFormat("l16le", 8_050))


def hostile_frames(n_frames: int, n_samples: int, seed: int) -> Float32:
    """Frames of floats with every kind of sample that is no audio."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(0, 1.5, (n_frames, n_samples)).astype(np.float32)
    bad = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1, -1, 1e-40], np.float32)
    where = rng.random(frames.shape) < 0.2
    frames[where] = rng.choice(bad, int(where.sum()))
    return frames


def test_no_sample_of_10_000_hostile_frames_wraps_on_its_way_to_int16() -> None:
    for frame in hostile_frames(10_000, 160, seed=13):
        samples = to_int16(frame)

        wanted = np.clip(np.nan_to_num(frame.astype(np.float64), posinf=1, neginf=-1), -1, 1)
        assert np.abs(samples - wanted * 32_768).max() <= 1.0


def test_hostile_frames_leave_the_resampler_and_the_lane_unharmed() -> None:
    filtered = Resampler(8_000, 48_000)
    wide = Lane(48_000, 1_000, "drop_oldest", source_hz=8_000)
    for frame in hostile_frames(10_000, 160, seed=17):
        out = filtered.push(frame)
        assert np.isfinite(out).all()
        wide.push(to_int16(frame))
        wide.pull(960)

    zeros = np.zeros(160, np.float32)
    filtered.push(zeros)
    wide.push(to_int16(zeros))
    wide.pull(960)
    wide.push(to_int16(zeros))

    assert not filtered.push(zeros).any()
    assert not wide.pull(960).any()


def test_full_scale_overshoots_are_limited_and_do_not_wrap_in_the_lane() -> None:
    square = np.repeat(np.array([32_767, -32_768] * 50, np.int16), 40)
    wide = Lane(48_000, 10_000, "drop_newest", source_hz=8_000)
    wide.push(square)
    wide.end_segment()
    delay = Resampler(8_000, 48_000).delay_samples

    out = wide.pull(48_000 * 10)[delay:]

    wanted = np.repeat(square, 6)
    inside = np.tile(np.arange(240), 100)
    settled = (inside >= 12) & (inside < 228)
    assert (np.sign(out[settled].astype(int)) == np.sign(wanted[settled].astype(int))).all()
    assert np.abs(out[settled].astype(int)).min() > 25_000
