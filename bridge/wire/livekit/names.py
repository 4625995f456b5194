"""Names in a LiveKit room: rooms, identities, SIDs, and the msid by which clients find the agent's track.

Rules: a track's SID begins with ``TR``, a participant's with ``PA``, or clients do not subscribe. Identities are
``user`` and ``agent``; the room is named after the call. The agent's track is known to a client only by its msid,
``<participant sid>|<track sid> <track sid>``.
"""

import random
import string
from dataclasses import dataclass
from typing import Final, Literal

USER: Final = "user"
AGENT: Final = "agent"
_LENGTH: Final = 12
_CHARACTERS: Final = string.ascii_letters + string.digits


def make_sid(prefix: Literal["RM", "PA", "TR"], source: random.Random) -> str:
    """A new SID: prefix, underscore, 12 letters and digits."""
    return f"{prefix}_{''.join(source.choices(_CHARACTERS, k=_LENGTH))}"


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a room."""

    sid: str
    identity: str


@dataclass(frozen=True, slots=True)
class RoomNames:
    """All names of one client's stay in a room. A client that joins again gets new ones, but for the room's."""

    room: str
    room_sid: str
    user: Participant
    agent: Participant
    agent_track_sid: str

    @property
    def agent_msid(self) -> tuple[str, str]:
        """Participant and track SID that the agent's track carries in session descriptions."""
        return self.agent.sid, self.agent_track_sid


def room_names(room: str, source: random.Random, *, room_sid: str | None = None) -> RoomNames:
    """Names for one stay in the room `room`."""
    return RoomNames(
        room=room,
        room_sid=room_sid or make_sid("RM", source),
        user=Participant(make_sid("PA", source), USER),
        agent=Participant(make_sid("PA", source), AGENT),
        agent_track_sid=make_sid("TR", source),
    )
