"""How long an Opus packet sounds, by its first octets, without decoding it (RFC 6716 section 3)."""

from typing import Final

CLOCK_HZ: Final = 48_000  # RFC 7587: whatever is inside
MAX_SAMPLES: Final = 5_760  # 120 ms

_SILK: Final = (480, 960, 1_920, 2_880)  # samples at 48 kHz: RFC 6716 table 2
_HYBRID: Final = (480, 960)
_CELT: Final = (120, 240, 480, 960)


def frame_samples(toc: int) -> int:
    """The length of each frame of a packet at 48 kHz, by its first octet."""
    config = toc >> 3
    if config < 12:
        return _SILK[config % 4]
    return _HYBRID[config % 2] if config < 16 else _CELT[config % 4]


def has_copy(packet: bytes) -> bool:
    """Whether a packet of one frame carries a coarser copy of the audio before it (RFC 6716 sections 2.1.7, 4.2.3).

    False for packets of more frames, which no client of real-time audio sends.
    """
    if len(packet) < 2 or packet[0] & 0x03 or packet[0] >> 3 >= 16:
        return False  # none, or the codec of music, which has no copies
    n_inside = max(1, frame_samples(packet[0]) // 960)
    flag = bool(packet[1] >> (7 - n_inside) & 1)
    if packet[0] & 0x04:
        flag = flag or bool(packet[1] >> (6 - 2 * n_inside) & 1)
    return flag


def packet_samples(packet: bytes) -> int:
    """The length of a packet at 48 kHz; 0 for what is no packet, and never more than 120 ms."""
    if not packet:
        return 0
    match packet[0] & 0x03:
        case 0:
            n_frames = 1
        case 3:
            n_frames = packet[1] & 0x3F if len(packet) > 1 else 0
        case _:
            n_frames = 2
    return min(n_frames * frame_samples(packet[0]), MAX_SAMPLES)
