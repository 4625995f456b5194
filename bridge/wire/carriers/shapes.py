"""How long an encoded payload sounds, and which lengths it can have."""

from dataclasses import dataclass
from typing import Final

from bridge.wire.carriers.base import Encoding, MediaFormat
from bridge_codecs.opus_packet import CLOCK_HZ, packet_samples

_SAMPLE_BYTES: Final[dict[Encoding, int]] = {"ulaw": 1, "alaw": 1, "l16le": 2, "l16be": 2}
_G722_BYTES_PER_S: Final = 8_000  # ITU-T G.722 at 64 kbit/s


@dataclass(frozen=True, slots=True)
class PayloadShape:
    """What the bytes of a payload say of its length."""

    bytes_per_s: int = 8_000
    """0 where a packet says itself how long it is (Opus)."""
    align: int = 1
    """Bytes of one sample of all channels: a payload is whole samples."""

    def ms_of(self, payload: bytes) -> float:
        """How long a payload sounds, ms."""
        if self.bytes_per_s:
            return len(payload) * 1_000 / self.bytes_per_s
        return packet_samples(payload) * 1_000 / CLOCK_HZ

    def s_of(self, payload: bytes) -> float:
        """How long a payload sounds, s."""
        return len(payload) / self.bytes_per_s if self.bytes_per_s else self.ms_of(payload) / 1_000


def shape_of(audio: MediaFormat) -> PayloadShape:
    """The shape of payloads in this format."""
    if audio.encoding == "opus":
        return PayloadShape(bytes_per_s=0)
    if audio.encoding == "g722":
        return PayloadShape(_G722_BYTES_PER_S)
    align = _SAMPLE_BYTES[audio.encoding] * audio.channels
    return PayloadShape(audio.rate_hz * align, align)
