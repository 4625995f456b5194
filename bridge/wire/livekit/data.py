"""Data packets of a LiveKit room: user packets on the reliable data channel, whose payload is one data message.

Clients read every user packet as JSON, whatever its topic or sender, so nothing else is ever sent. Newer clients number
their packets and drop what they have seen; who numbers must say the sender's SID too.
"""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol import models

from bridge.errors import RemoteWireError
from bridge.wire.close_codes import TOO_BIG
from bridge.wire.livekit.limits import KIB

RELIABLE: Final = "_reliable"
"""Label of the channel that carries data messages."""
LOSSY: Final = "_lossy"
MAX_PACKET: Final = 66 * KIB
"""Bytes of a packet: a data message and what stands around it."""


@dataclass(frozen=True, slots=True)
class UserData:
    """The payload of a user packet."""

    payload: bytes
    topic: str = ""


def user_packet(payload: bytes, *, identity: str, sid: str = "", sequence: int = 0) -> bytes:
    """A packet for everybody in the room.

    Args:
        payload: UTF-8 JSON, one data message.
        identity: the sender's.
        sid: the sender's participant SID; needed where packets are numbered.
        sequence: counts up from 1; 0 does not number.
    """
    if sequence and not sid:
        raise ValueError("a numbered packet names its sender's SID")
    packet = models.DataPacket(
        kind=models.DataPacket.Kind.RELIABLE,
        user=models.UserPacket(payload=payload),
        participant_identity=identity,
        participant_sid=sid,
        sequence=sequence,
    )
    return packet.SerializeToString()


class PacketReader:
    """Reads the packets of one peer on one connection.

    Args:
        identity: whose packets are taken; None takes everybody's. Packets that name no sender are the peer's.
    """

    def __init__(self, identity: str | None = None) -> None:
        self._identity = identity
        self._last: dict[str, int] = {}

    def read(self, data: bytes) -> UserData | None:
        """The payload; None for a packet of another kind, or one that came before.

        Raises: RemoteWireError for what is no packet, is too large, or is somebody else's.
        """
        if len(data) > MAX_PACKET:
            raise RemoteWireError(f"a data packet has over {MAX_PACKET} bytes", close_code=TOO_BIG)
        packet = models.DataPacket()
        try:
            packet.ParseFromString(data)
        except DecodeError:
            raise RemoteWireError("a data packet cannot be read") from None
        sender = packet.participant_identity
        if self._identity is not None and sender not in ("", self._identity):
            raise RemoteWireError("a data packet names a participant who is not its sender")
        if packet.WhichOneof("value") != "user" or self._seen(packet):
            return None
        return UserData(packet.user.payload, packet.user.topic)

    def _seen(self, packet: models.DataPacket) -> bool:
        """Whether a numbered packet came before: the channel keeps their order."""
        if not packet.sequence:
            return False
        sender = packet.participant_sid if self._identity is None else ""
        if packet.sequence <= self._last.get(sender, 0):
            return True
        if sender in self._last or len(self._last) < _SENDERS:
            self._last[sender] = packet.sequence
        return False


_SENDERS: Final = 64
