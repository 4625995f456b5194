"""The fixed part of RTP, read and written (RFC 3550 section 5.1); one-octet header extensions are skipped over.

Read leniently: what is not RTP is None. Written exactly: a packet is a head made once for the connection, and what
changes from packet to packet.
"""

from struct import Struct
from typing import Final, NamedTuple

_HEAD: Final = Struct("!BBHII")
_EXTENSION: Final = Struct("!HH")
_VERSION: Final = 0x80
_PADDING: Final = 0x20
_HAS_EXTENSION: Final = 0x10
_RTCP: Final = range(64, 96)
"""Payload types that stand where RTCP has its own (RFC 5761 section 4)."""


class RtpPacket(NamedTuple):
    """What an ear needs of a packet."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram of RTP's range is RTCP; it has at least two octets."""
    return (data[1] & 0x7F) in _RTCP


def parse_rtp(data: bytes) -> RtpPacket | None:
    """A packet that is decrypted already; None if it is none, or cut off."""
    if len(data) < _HEAD.size:
        return None
    flags, kind, sequence, timestamp, ssrc = _HEAD.unpack_from(data)
    if flags & 0xC0 != _VERSION:
        return None
    begin = _HEAD.size + 4 * (flags & 0x0F)
    if flags & _HAS_EXTENSION:
        if len(data) < begin + _EXTENSION.size:
            return None
        _profile, words = _EXTENSION.unpack_from(data, begin)
        begin += _EXTENSION.size + 4 * words
    end = len(data)
    if flags & _PADDING:
        n_padding = data[-1]
        if not n_padding:
            return None
        end -= n_padding
    if begin > end:
        return None
    return RtpPacket(kind & 0x7F, sequence, timestamp, ssrc, data[begin:end])


class RtpWriter:
    """Writes the packets of one stream.

    Args:
        payload_type: as negotiated, 0 to 127.
        ssrc: the stream.
        sequence: of the first packet.
        extension: its profile and octets, a multiple of four; they are the same in each packet.
    """

    __slots__ = ("_extension", "_flags", "_kind", "_sequence", "_ssrc")

    def __init__(
        self, payload_type: int, ssrc: int, sequence: int, extension: tuple[int, bytes] = (0, b"")
    ) -> None:
        profile, octets = extension
        self._kind = payload_type
        self._ssrc = ssrc
        self._sequence = sequence
        self._flags = _VERSION | (_HAS_EXTENSION if octets else 0)
        self._extension = _EXTENSION.pack(profile, len(octets) // 4) + octets if octets else b""

    def write(self, payload: bytes, timestamp: int) -> bytes:
        """The next packet; `timestamp` has 32 bits."""
        head = _HEAD.pack(self._flags, self._kind, self._sequence, timestamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return head + self._extension + payload
