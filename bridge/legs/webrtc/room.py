"""One stay in somebody else's room, as the leg of the call sees it, and the leg as the stay sees it.

A call outlives its stays: after a lost connection the leg joins the room anew. What a stay is made of, our own client
or the room's own library, is its own affair.
"""

from dataclasses import dataclass, field
from typing import Protocol

from bridge.audio.lane import Lane
from bridge.wire.livekit.events import IceServer, LeaveReason, Version
from bridge_codecs.pcm import Int16


@dataclass(slots=True)
class Access:
    """How to get into the room; a stay keeps it up to date for the next one."""

    room_url: str = field(repr=False)
    token: str = field(repr=False)
    version: Version = "v1"
    """Of the signalling, as far as it is known."""
    ice_servers: tuple[IceServer, ...] = ()
    """What the room has told."""


class RoomUser(Protocol):
    """The leg. Nothing here waits; stays that were replaced are not listened to."""

    def hear(self, room: "Room", samples: Int16) -> None:
        """Audio of the agent, mono int16 at the leg's ``source_hz``, gapless in time."""
        ...

    def take(self, room: "Room", payload: bytes) -> None:
        """A data message of the agent's side, as it came."""
        ...

    def lost(self, room: "Room", why: str) -> None:
        """The connection is gone; another stay may have it back."""
        ...

    def sent_away(self, room: "Room", reason: LeaveReason) -> None:
        """The room has ended the stay for good."""
        ...

    def warn(self, room: "Room", type_: str, sentence: str) -> None:
        """Something that the call's record should mention."""
        ...


class Room(Protocol):
    """One stay."""

    async def join(self) -> None:
        """Return when we are heard: the microphone is published, and messages get through.

        Raises: JoinRefused; the stay is stopped then.
        """
        ...

    @property
    def heard_s(self) -> float:
        """When anything last came from the room, loop time."""
        ...

    def send(self, payload: bytes) -> None:
        """Send a data message; ignored once the connection is gone."""
        ...

    def stop(self) -> None:
        """Leave the room and close everything; nothing is heard of the stay any more. May be called again."""
        ...

    async def closed(self) -> None:
        """Return when all that the stay held is given back."""
        ...


class MakeRoom(Protocol):
    """Makes a stay that has not begun."""

    def __call__(self, access: Access, user: RoomUser, say: Lane) -> Room:
        """Make it; `say` is what the room hears from us, at its own rate."""
        ...
