"""Opus: frames for packets one by one, losses concealed, and bytes from anywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_codecs.errors import CodecError
from bridge_codecs.opus import MAX_PACKET_BYTES, RATES_HZ, OpusDecoder, OpusEncoder
from bridge_codecs.pcm import Int16

# First octets of packets with one frame, and its milliseconds (RFC 6716, table 2).
FRAME_MS_BY_CONFIG = [
    *(3 * [10, 20, 40, 60]),
    *(2 * [10, 20]),
    *(4 * [2.5, 5, 10, 20]),
]


def chirp(rate_hz: int) -> Int16:
    """One second from 300 Hz to 2,300 Hz that begins and ends softly."""
    time_s = np.arange(rate_hz) / rate_hz
    phase = 2 * np.pi * (300 * time_s + 1_000 * time_s**2)
    samples: Int16 = np.rint(8_000 * np.sin(phase) * np.sin(np.pi * time_s)).astype(np.int16)
    return samples


def frames(samples: Int16, rate_hz: int) -> list[Int16]:
    return np.split(samples, range(rate_hz // 50, samples.size, rate_hz // 50))


def packets(rate_hz: int) -> list[bytes]:
    encoder = OpusEncoder(rate_hz)
    return [encoder.encode(frame) for frame in frames(chirp(rate_hz), rate_hz)]


PACKETS = packets(16_000)


def loudness(samples: Int16) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_round_trip_gives_frame_for_frame_and_the_audio_as_late_as_it_says(rate_hz: int) -> None:
    encoder, decoder, sent = OpusEncoder(rate_hz), OpusDecoder(rate_hz), chirp(rate_hz)

    made = [decoder.decode(encoder.encode(frame)) for frame in frames(sent, rate_hz)]

    assert {(chunk.size, chunk.dtype) for chunk in made} == {(rate_hz // 50, np.dtype(np.int16))}
    heard = np.concatenate(made).astype(np.float64)
    alike = np.correlate(heard, sent[: -rate_hz // 50].astype(np.float64), "valid")
    alike /= np.linalg.norm(heard) * np.linalg.norm(sent.astype(np.float64))
    delay = encoder.delay_samples + decoder.delay_samples
    assert abs(int(np.argmax(alike)) - delay) <= rate_hz / 4_000  # a quarter of a millisecond
    assert alike.max() > 0.9


@pytest.mark.parametrize("from_hz", RATES_HZ)
def test_the_rate_of_the_decoder_is_its_own(from_hz: int) -> None:
    decoder = OpusDecoder(8_000)

    assert {decoder.decode(packet).size for packet in packets(from_hz)} == {160}


@pytest.mark.parametrize("bitrate", [24_000, 32_000, 64_000])
def test_packets_are_as_large_as_the_bitrate_says(bitrate: int) -> None:
    encoder = OpusEncoder(16_000, bitrate)
    noise = (np.random.default_rng(1).standard_normal(32_000) * 3_000).astype(np.int16)

    size = sum(len(encoder.encode(frame)) for frame in frames(noise, 16_000))

    assert size * 8 / 2 == pytest.approx(bitrate, rel=0.25)


@pytest.mark.parametrize("bitrate", [0, 5_999, 128_001, -1])
def test_a_bitrate_out_of_range_raises_codec_error(bitrate: int) -> None:
    with pytest.raises(CodecError, match="6,000 to 128,000"):
        OpusEncoder(16_000, bitrate)


@pytest.mark.parametrize("bitrate", [6_000, 128_000])
def test_the_ends_of_the_range_of_bitrates_are_taken(bitrate: int) -> None:
    assert OpusEncoder(16_000, bitrate).encode(np.zeros(320, np.int16))


@pytest.mark.parametrize("rate_hz", [0, 12_000, 44_100, -8_000])
def test_another_rate_raises_codec_error(rate_hz: int) -> None:
    with pytest.raises(CodecError, match="Opus works at"):
        OpusEncoder(rate_hz)
    with pytest.raises(CodecError, match="Opus works at"):
        OpusDecoder(rate_hz)


@pytest.mark.parametrize("n_samples", [0, 319, 321, 640])
def test_a_frame_of_another_length_raises_codec_error(n_samples: int) -> None:
    with pytest.raises(CodecError, match="a frame has 320 samples"):
        OpusEncoder(16_000).encode(np.zeros(n_samples, np.int16))


def test_a_lost_packet_is_concealed_and_not_a_hole() -> None:
    decoder = OpusDecoder(16_000)
    made = [decoder.decode(packet) for packet in PACKETS[:25]]

    concealed = decoder.decode(None)

    assert concealed.size == 320
    assert loudness(concealed) > 0.3 * loudness(made[-1])


def test_a_long_loss_fades_to_near_silence_and_keeps_time() -> None:
    decoder = OpusDecoder(16_000)
    made = [decoder.decode(packet) for packet in PACKETS[:25]]

    lost = [decoder.decode(None) for _ in range(50)]

    assert {chunk.size for chunk in lost} == {320}
    assert loudness(lost[-1]) < 0.02 * loudness(made[-1])


def test_the_stream_recovers_after_a_loss() -> None:
    whole, holed = OpusDecoder(16_000), OpusDecoder(16_000)
    for index, packet in enumerate(PACKETS[:29]):
        whole.decode(packet)
        holed.decode(None if 10 <= index < 15 else packet)

    expected, heard = whole.decode(PACKETS[29]), holed.decode(PACKETS[29])
    assert loudness(heard - expected) < 0.1 * loudness(expected)


def test_a_loss_before_the_first_packet_is_20_ms_of_silence() -> None:
    assert OpusDecoder(24_000).decode(None).tolist() == [0] * 480


@pytest.mark.parametrize("config", range(32))
@pytest.mark.parametrize(("count_code", "n_frames"), [(0, 1), (1, 2)])
def test_a_lost_packet_is_as_long_as_the_one_before(
    config: int, count_code: int, n_frames: int
) -> None:
    decoder, n_samples = OpusDecoder(8_000), round(n_frames * 8 * FRAME_MS_BY_CONFIG[config])

    # Frames without any bytes are legal: "no frame", which is concealed too.
    assert decoder.decode(bytes([config << 3 | count_code])).size == n_samples
    assert decoder.decode(None).size == n_samples


@pytest.mark.parametrize("size", [0, MAX_PACKET_BYTES + 1])
def test_packets_that_are_empty_or_too_long_raise_codec_error(size: int) -> None:
    with pytest.raises(CodecError, match="1 to 61298 bytes"):
        OpusDecoder(8_000).decode(bytes(size))


def test_the_longest_packet_is_left_to_the_codec() -> None:
    with pytest.raises(CodecError, match="no libopus packet"):
        OpusDecoder(8_000).decode(bytes([0xFF]) * MAX_PACKET_BYTES)


def test_after_a_bad_packet_the_stream_goes_on() -> None:
    decoder, expected = OpusDecoder(16_000), OpusDecoder(16_000)

    with pytest.raises(CodecError, match="no libopus packet"):
        decoder.decode(b"\xff\xff\xff")

    assert np.array_equal(decoder.decode(PACKETS[0]), expected.decode(PACKETS[0]))


# First octets of every configuration come up more often than in plain random bytes.
PACKET = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda head, rest: bytes([head]) + rest, st.integers(0, 255), st.binary(max_size=60)),
)


@given(st.lists(st.one_of(st.none(), PACKET), max_size=12), st.sampled_from(RATES_HZ))
def test_any_packets_decode_to_at_most_120_ms_or_raise_codec_error(
    stream: list[bytes | None], rate_hz: int
) -> None:
    decoder = OpusDecoder(rate_hz)
    for packet in stream:
        try:
            samples = decoder.decode(packet)
        except CodecError:
            continue
        assert 0 < samples.size <= 0.12 * rate_hz
        assert samples.size % (rate_hz // 400) == 0  # 2.5 ms, the shortest frame there is
        assert decoder.decode(None).size == samples.size


@given(
    index=st.integers(0, len(PACKETS) - 1),
    at=st.integers(0, 10_000),
    octet=st.integers(0, 255),
    cut=st.integers(0, 200),
)
def test_spoilt_packets_never_break_the_stream(index: int, at: int, octet: int, cut: int) -> None:
    decoder, spoilt = OpusDecoder(16_000), bytearray(PACKETS[index])
    spoilt[at % len(spoilt)] = octet

    for packet in (spoilt, spoilt[:cut]):
        try:
            decoder.decode(packet)
        except CodecError:
            continue

    assert decoder.decode(PACKETS[index]).size == 320


def test_a_reset_forgets_the_stream() -> None:
    encoder, decoder = OpusEncoder(16_000), OpusDecoder(16_000)
    for frame in frames(chirp(16_000), 16_000)[::-1]:
        decoder.decode(encoder.encode(frame))

    encoder.reset()
    decoder.reset()

    assert decoder.decode(None).tolist() == [0] * 320
    decoder.reset()
    assert [encoder.encode(frame) for frame in frames(chirp(16_000), 16_000)] == PACKETS
    assert np.array_equal(decoder.decode(PACKETS[0]), OpusDecoder(16_000).decode(PACKETS[0]))
