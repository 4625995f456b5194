"""G.722 at 64 kbit/s: 16 kHz audio, one octet for two samples, by FFmpeg.

Source: ITU-T Recommendation G.722 (09/2012), mode 1. RFC 3551 section 4.5.2 keeps an old error alive:
on RTP its clock runs at 8,000 Hz, half the sample rate, so 20 ms of audio advance it by 160.

The two filter banks of the Recommendation delay a round trip by 22 samples (1.4 ms). Beyond that the
decoder holds nothing back, and the encoder only what does not yet fill its frame.
"""

from typing import Final

import numpy as np

from bridge_codecs.errors import CodecError
from bridge_codecs.libav import Decoder, Encoder
from bridge_codecs.pcm import Int16, check_int16

SAMPLE_RATE_HZ: Final = 16_000
RTP_CLOCK_HZ: Final = 8_000
SAMPLES_PER_OCTET: Final = 2
DELAY_SAMPLES: Final = 22
"""How much later the audio is after encoding and decoding."""

FRAME_MS: Final = (10, 20, 30, 40, 60)


class G722Encoder:
    """One stream to G.722 octets, in frames of `frame_ms`. Not for several threads.

    Raises: CodecError for a frame length other than 10, 20, 30, 40 or 60 ms.
    """

    __slots__ = ("_codec", "_held", "frame_samples")

    def __init__(self, frame_ms: int = 20) -> None:
        if frame_ms not in FRAME_MS:
            raise CodecError(f"a frame of G.722 is 10, 20, 30, 40 or 60 ms, not {frame_ms!r}")
        self.frame_samples = SAMPLE_RATE_HZ * frame_ms // 1_000
        self._held: Int16 = np.zeros(0, np.int16)
        self.reset()

    @property
    def pending(self) -> int:
        """Samples taken that do not fill a frame yet."""
        return self._held.size

    def encode(self, samples: Int16) -> bytes:
        """Take 16 kHz samples, shape (n,), and return the octets of all frames they complete.

        Raises: CodecError if the samples are not one row of int16.
        """
        check_int16(samples)
        waiting = np.concatenate([self._held, samples]) if self._held.size else samples
        size = self.frame_samples
        whole = waiting.size // size * size
        # A copy: the caller may use the memory behind its samples again.
        self._held = waiting[whole:].copy()
        frames = range(0, whole, size)
        return b"".join([self._codec.encode(waiting[at : at + size]) for at in frames])

    def flush(self) -> bytes:
        """End the stream: return the octets of the samples held back and start anew.

        A single last sample is followed by a zero, because an octet holds two.
        """
        rest = self._held
        if rest.size % SAMPLES_PER_OCTET:
            rest = np.append(rest, np.int16(0))
        octets = self._codec.finish(rest) if rest.size else b""
        self.reset()
        return octets

    def reset(self) -> None:
        """Forget the stream and start anew."""
        options = {"frame_size": str(self.frame_samples)}
        self._codec = Encoder("g722", SAMPLE_RATE_HZ, options)
        self._held = np.zeros(0, np.int16)


class G722Decoder:
    """One stream of G.722 octets to 16 kHz samples. Not for several threads."""

    __slots__ = ("_codec",)

    def __init__(self) -> None:
        self.reset()

    def decode(self, payload: bytes | bytearray | memoryview) -> Int16:
        """Decode any number of octets: int16, two samples each, read-only. Any octets are valid."""
        return self._codec.decode(bytes(payload))

    def reset(self) -> None:
        """Forget the stream and start anew."""
        self._codec = Decoder("g722", SAMPLE_RATE_HZ)
