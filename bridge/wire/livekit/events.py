"""What one end of a LiveKit signalling connection learns from the other; frozen, made in order of arrival.

Words of the protocol: in v0 there are two peer connections, named after what the client does on them; in v1 there is
one, and it is called ``publisher`` here. SIDs name participants (``PA_``), tracks (``TR_``) and rooms (``RM_``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Version: TypeAlias = Literal["v0", "v1"]
Target: TypeAlias = Literal["publisher", "subscriber"]
TrackKind: TypeAlias = Literal["audio", "video", "data"]
LeaveAction: TypeAlias = Literal["disconnect", "resume", "reconnect"]
LeaveReason: TypeAlias = Literal[
    "unknown_reason",
    "client_initiated",
    "duplicate_identity",
    "server_shutdown",
    "participant_removed",
    "room_deleted",
    "state_mismatch",
    "join_failure",
    "migration",
    "signal_close",
    "room_closed",
    "user_unavailable",
    "user_rejected",
    "sip_trunk_failure",
    "connection_timeout",
    "media_failure",
    "agent_error",
]


@dataclass(frozen=True, slots=True)
class Send:
    """The machine has an answer of its own: send these bytes, in this place among the events."""

    data: bytes


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A session description that wants an answer with the same `id`.

    A server gets those of the ``publisher`` connection, a v0 client those of the ``subscriber`` connection.
    """

    id: int
    sdp: str
    target: Target


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to our offer `id`; `track_sids` by media id, where the peer says them."""

    id: int
    sdp: str
    target: Target
    track_sids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to reach the peer, as the JSON text that browsers write (``candidate``, ``sdpMid``, ``sdpMLineIndex``).

    It never comes before the description that it belongs to.
    """

    target: Target
    init: str


@dataclass(frozen=True, slots=True)
class AddTrack:
    """The client will publish this audio track: answer with `ServerSession.track_published`."""

    cid: str
    """The client's own id of it, which its offer repeats."""
    name: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Muted:
    """The client muted its track, or no longer does; packets of silence may come or none."""

    sid: str
    muted: bool


@dataclass(frozen=True, slots=True)
class TrackSetting:
    """The client does not want to hear the agent's track (`disabled`), or does again. It plays whatever comes."""

    disabled: bool


@dataclass(frozen=True, slots=True)
class Left:
    """The peer leaves, or sends us away; nothing after this counts. `action` is what it wants us to do."""

    reason: LeaveReason
    action: LeaveAction


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something of the peer's was dropped; the sentence is for the call's record, counted by `what`."""

    what: str
    sentence: str


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in the room: the server's first message."""

    room: str
    sid: str
    identity: str
    others: tuple[str, ...]
    """Identities of who else is there."""
    can_publish: bool
    ping_interval_s: float
    """How often we must ping; 0: the server wants none."""
    ping_timeout_s: float
    ice_servers: tuple[IceServer, ...]
    subscriber_primary: bool
    server_version: str


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """The server knows our track under this SID now."""

    cid: str
    sid: str


@dataclass(frozen=True, slots=True)
class PongReceived:
    """The answer to our ping."""

    last_ping_ms: int


@dataclass(frozen=True, slots=True)
class TokenRefreshed:
    """From now on join with this token."""

    token: str


@dataclass(frozen=True, slots=True)
class SectionsWanted:
    """The server needs so many more media sections to send in: offer again with them."""

    audios: int
    videos: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused something we asked for."""

    sentence: str


ServerEvent: TypeAlias = (
    Send
    | OfferReceived
    | AnswerReceived
    | Candidate
    | AddTrack
    | Muted
    | TrackSetting
    | Left
    | Ignored
)
ClientEvent: TypeAlias = (
    Joined
    | OfferReceived
    | AnswerReceived
    | Candidate
    | TrackPublished
    | Muted
    | PongReceived
    | TokenRefreshed
    | SectionsWanted
    | Refused
    | Left
    | Ignored
)
