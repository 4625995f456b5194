"""Opus for speech: mono, a packet of 20 ms at a time, by libopus through FFmpeg.

Sources: RFC 6716 (codec), RFC 7587 (RTP: always 48,000 Hz and two channels in the SDP, whatever is
inside). FFmpeg's decoder works at 48 kHz only; other rates come of our resampler.

Delay: the encoder looks 6.5 ms ahead, so the first 6.5 ms that a decoder makes are a run-up and the
audio follows that much later; `OpusEncoder.delay_samples` says it. Nothing is cut off: n packets are
n frames, as a live stream needs it. To hear the end of a file, encode one more frame of silence.

Loss: a packet that says "no frame" (its first octet only, RFC 6716 section 3.2.1) makes libopus
conceal. The redundancy that packets may carry for their predecessors is out of reach through PyAV.
"""

from typing import Final

import numpy as np

from bridge_codecs.errors import CodecError
from bridge_codecs.libav import Decoder, Encoder
from bridge_codecs.opus_packet import CLOCK_HZ, frame_samples
from bridge_codecs.pcm import Int16, silence
from bridge_codecs.resample import Resampler

RATES_HZ: Final = (8_000, 16_000, 24_000, 48_000)
RTP_CLOCK_HZ: Final = CLOCK_HZ
FRAME_MS: Final = 20
BITRATES: Final = range(6_000, 128_001)  # bit/s; RFC 6716 section 2.1.1 knows up to 510,000
MAX_PACKET_BYTES: Final = 48 * (1_275 + 2) + 2  # 48 frames with their lengths: RFC 6716 section 3.4

_LOOK_AHEAD_MS: Final = 6.5
# Of 10. On telephone speech at 24 kbit/s as many bytes as 10, in three quarters of the time.
_COMPLEXITY: Final = 5


class OpusEncoder:
    """One stream to Opus packets; `bitrate` in bit/s. Not for several threads.

    Raises: CodecError for a rate other than 8, 16, 24 and 48 kHz, or a bitrate out of 6,000-128,000.
    """

    __slots__ = ("_bitrate", "_codec", "frame_samples", "rate_hz")

    def __init__(self, rate_hz: int, bitrate: int = 24_000) -> None:
        _check_rate(rate_hz)
        if bitrate not in BITRATES:
            raise CodecError(f"Opus takes 6,000 to 128,000 bit/s, not {bitrate!r}")
        self.rate_hz = rate_hz
        self.frame_samples = rate_hz * FRAME_MS // 1_000
        self._bitrate = bitrate
        self.reset()

    @property
    def delay_samples(self) -> int:
        """How much later the audio is in what a decoder makes, before any resampling."""
        return int(self.rate_hz * _LOOK_AHEAD_MS / 1_000)

    def encode(self, frame: Int16) -> bytes:
        """Encode `frame_samples` samples (20 ms) to one packet.

        Raises: CodecError if it is not one row of so many int16.
        """
        return self._codec.encode(frame)

    def reset(self) -> None:
        """Forget the stream and start anew."""
        options = {
            "application": "voip",
            "frame_duration": str(FRAME_MS),
            "compression_level": str(_COMPLEXITY),
        }
        self._codec = Encoder("libopus", self.rate_hz, options, self._bitrate)


class OpusDecoder:
    """One stream of Opus packets to samples at `rate_hz`. Not for several threads.

    Stereo packets are mixed down by libopus.

    Raises: CodecError for a rate other than 8, 16, 24 and 48 kHz.
    """

    __slots__ = ("_codec", "_last_samples", "_last_toc", "_resampler", "rate_hz")

    def __init__(self, rate_hz: int) -> None:
        _check_rate(rate_hz)
        self.rate_hz = rate_hz
        self._last_toc: int | None = None
        self.reset()

    @property
    def delay_samples(self) -> int:
        """The delay of the resampler from 48 kHz, 2 ms at most; see `OpusEncoder.delay_samples`."""
        return self._resampler.delay_samples

    def decode(self, packet: bytes | bytearray | memoryview | None) -> Int16:
        """Decode a packet, or conceal a lost one (None): int16, as long as the packet says.

        A lost packet is taken to be as long as the one before; before the first it is 20 ms of
        silence.

        Raises: CodecError for bytes that are no Opus packet; the stream may go on, with None in the
        place of the bad packet if the time shall not be lost.
        """
        if packet is None:
            return self._resampler.push(self._concealed())
        kept = bytes(packet)
        if not 0 < len(kept) <= MAX_PACKET_BYTES:
            raise CodecError(f"an Opus packet has 1 to {MAX_PACKET_BYTES} bytes, not {len(kept)}")
        samples = self._codec.decode(kept)
        self._last_toc = kept[0]
        self._last_samples = samples.size
        return self._resampler.push(samples)

    def reset(self) -> None:
        """Forget the stream and start anew."""
        self._codec = Decoder("libopus", RTP_CLOCK_HZ)
        self._resampler = Resampler(RTP_CLOCK_HZ, self.rate_hz)
        self._last_toc = None
        self._last_samples = RTP_CLOCK_HZ * FRAME_MS // 1_000

    def _concealed(self) -> Int16:
        if self._last_toc is None:
            return silence(self._last_samples)
        # One frame a packet: the last two bits, which say how many there are, are 0.
        no_frame = bytes([self._last_toc & 0xFC])
        n_frames = self._last_samples // frame_samples(self._last_toc)
        return np.concatenate([self._codec.decode(no_frame) for _ in range(n_frames)])


def _check_rate(rate_hz: int) -> None:
    if rate_hz not in RATES_HZ:
        raise CodecError(f"Opus works at 8,000, 16,000, 24,000 or 48,000 Hz, not {rate_hz!r}")
