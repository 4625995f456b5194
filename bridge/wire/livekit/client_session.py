"""The client's end of a LiveKit signalling connection, v0 or v1: bytes in, events out; commands in, bytes out.

Source: reference webrtc 3. v1: the first offer rides in the join request, every offer is ours. v0: we offer our
``publisher`` connection, the server offers the ``subscriber`` connection, on which we hear the others. A server may
be newer than we are: what is unknown passes; what breaks the limits ends the session by RemoteWireError.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from livekit.protocol import rtc

from bridge.errors import LocalWireError
from bridge.wire.livekit import client_frames as frames
from bridge.wire.livekit.events import (
    AnswerReceived,
    ClientEvent,
    IceServer,
    Ignored,
    Joined,
    Left,
    Muted,
    PongReceived,
    Refused,
    SectionsWanted,
    Target,
    TokenRefreshed,
    TrackPublished,
    Version,
)
from bridge.wire.livekit.intake import NO_USE, Candidates, Intake
from bridge.wire.livekit.join_request import Description
from bridge.wire.livekit.limits import FROM_PEER, KIB, SessionLimits
from bridge.wire.livekit.reasons import leave_action, leave_reason

FROM_SERVER: Final = replace(
    FROM_PEER,
    message_bytes=512 * KIB,  # rooms of others may hold many participants
    offers_per_s=5.0,
    offers_burst=50.0,
    messages_per_s=200.0,
    messages_burst=2_000.0,
)
_LONGEST: Final = 200


class ClientSession:
    """Our signalling connection to somebody's room.

    Args:
        version: by the path we came on.
        limits: what the server may send.
    """

    def __init__(self, version: Version, *, limits: SessionLimits = FROM_SERVER) -> None:
        self.version: Version = version
        self.joined = False
        self._intake = Intake(limits, "the server's")
        self._candidates = Candidates(limits)
        self._over = False
        self._offers = 0
        self._open: int | None = None  # our offer without an answer
        self._to_answer: list[int] = []
        self._takers: Mapping[str, Callable[..., list[ClientEvent]]] = {
            "join": self._join,
            "offer": self._offer,
            "answer": self._answer,
            "trickle": self._trickle,
            "track_published": self._published,
            "mute": self._mute,
            "leave": self._leave,
            "pong_resp": self._pong,
            "refresh_token": self._token,
            "media_sections_requirement": self._sections,
            "request_response": self._response,
        }

    # From the server

    def receive(self, data: bytes, now_s: float) -> list[ClientEvent]:
        """Take a binary frame, one SignalResponse. Raises: RemoteWireError when the session must end."""
        if self._over:
            return [Ignored("after the end", "a signalling message came after the end")]
        response = self._intake.parse(data, rtc.SignalResponse(), now_s)
        if isinstance(response, Ignored):
            return [response]
        kind = response.WhichOneof("message")
        take = self._takers.get(kind or "")
        if take is None:
            return [Ignored(NO_USE, f"{kind or 'an unknown response'} means nothing here")]
        return take(getattr(response, str(kind)), now_s)

    def receive_text(self, now_s: float) -> list[ClientEvent]:
        """A text frame came; the protocol has none. Raises: RemoteWireError for one too many."""
        return [self._intake.bad("a text frame came on the signalling socket", now_s)]

    def _join(self, joined: rtc.JoinResponse, now_s: float) -> list[ClientEvent]:
        if self.joined:
            return [self._intake.bad("the server let us join twice", now_s)]
        self.joined = True
        server = joined.server_info
        return [
            Joined(
                room=joined.room.name,
                sid=joined.participant.sid,
                identity=joined.participant.identity,
                others=tuple(other.identity for other in joined.other_participants),
                can_publish=joined.participant.permission.can_publish,
                ping_interval_s=max(0, joined.ping_interval),
                ping_timeout_s=max(0, joined.ping_timeout),
                ice_servers=_ice_servers(joined.ice_servers),
                subscriber_primary=joined.subscriber_primary,
                server_version=server.version or joined.server_version,
            )
        ]

    def _offer(self, description: rtc.SessionDescription, now_s: float) -> list[ClientEvent]:
        if self.version == "v1":
            return [self._intake.bad("the server offered where it may only answer", now_s)]
        offer = self._intake.offer(description.id, description.sdp, "subscriber", now_s)
        self._to_answer.append(offer.id)
        return [offer, *self._candidates.open("subscriber")]

    def _answer(self, description: rtc.SessionDescription, now_s: float) -> list[ClientEvent]:
        # Older servers do not repeat the id.
        if self._open is None or description.id not in (0, self._open):
            return [self._intake.bad("an answer came that nobody asked for", now_s)]
        asked, self._open = self._open, None
        sdp = self._intake.sdp(description.sdp)
        sids = dict(description.mid_to_track_id)
        answer = AnswerReceived(asked, sdp, "publisher", sids)
        return [answer, *self._candidates.open("publisher")]

    def _trickle(self, asked: rtc.TrickleRequest, _now_s: float) -> list[ClientEvent]:
        return [*self._candidates.take(asked, self.version)]

    def _published(self, response: rtc.TrackPublishedResponse, _now_s: float) -> list[ClientEvent]:
        return [TrackPublished(response.cid, response.track.sid)]

    def _mute(self, asked: rtc.MuteTrackRequest, _now_s: float) -> list[ClientEvent]:
        return [Muted(asked.sid, asked.muted)]

    def _leave(self, asked: rtc.LeaveRequest, _now_s: float) -> list[ClientEvent]:
        self._over = True
        action = leave_action(asked.action)
        if action == "disconnect" and asked.can_reconnect:  # as older servers say it
            action = "reconnect"
        return [Left(leave_reason(asked.reason), action)]

    def _pong(self, pong: rtc.Pong, _now_s: float) -> list[ClientEvent]:
        return [PongReceived(pong.last_ping_timestamp)]

    def _token(self, token: str, _now_s: float) -> list[ClientEvent]:
        return [TokenRefreshed(token)]

    def _sections(self, wanted: rtc.MediaSectionsRequirement, _now_s: float) -> list[ClientEvent]:
        most = self._intake.limits.tracks
        return [SectionsWanted(min(wanted.num_audios, most), min(wanted.num_videos, most))]

    def _response(self, response: rtc.RequestResponse, _now_s: float) -> list[ClientEvent]:
        if response.reason in (
            rtc.RequestResponse.Reason.OK,
            rtc.RequestResponse.Reason.QUEUED,
        ):
            return []
        what = response.WhichOneof("request") or "a request"
        said = f", saying {response.message[:_LONGEST]!a}" if response.message else ""
        return [Refused(f"the server refused {what}{said}")]

    # To the server

    def first_offer(self, sdp: str) -> Description:
        """The offer that rides in the join request (v1). Raises: LocalWireError for a second one."""
        return Description(self._next_offer(), sdp)

    def offer(self, sdp: str) -> bytes:
        """An offer of ours, whose answer is an AnswerReceived. Raises: LocalWireError while another is open."""
        return frames.offer(self._next_offer(), sdp)

    def answer(self, offer_id: int, sdp: str) -> bytes:
        """The answer to an offer of the server. Raises: LocalWireError where there was no such offer."""
        if offer_id not in self._to_answer:
            raise LocalWireError("a LiveKit session answers an offer that it did not get")
        self._to_answer.remove(offer_id)
        return frames.answer(offer_id, sdp)

    def trickle(self, target: Target, init: str) -> bytes:
        """A candidate of ours, as browsers write it."""
        return frames.trickle(target, init)

    def add_track(self, cid: str, name: str) -> bytes:
        """Announce our microphone; `cid` is the track's id in our next offer. TrackPublished answers it."""
        return frames.add_track(cid, name)

    def mute(self, sid: str, *, muted: bool) -> bytes:
        """Our track carries no voice, or does again."""
        return frames.mute(sid, muted=muted)

    def track_setting(self, sids: Sequence[str], *, disabled: bool) -> bytes:
        """We do not want to hear these tracks, or do again."""
        return frames.track_setting(sids, disabled=disabled)

    def ping(self, now_ms: int, rtt_ms: int = 0) -> bytes:
        """A sign of life, every `Joined.ping_interval_s`."""
        return frames.ping(now_ms, rtt_ms)

    def leave(self) -> bytes:
        """We leave; the socket is closed after this."""
        self._over = True
        return frames.leave()

    def _next_offer(self) -> int:
        if self._open is not None:
            raise LocalWireError("a LiveKit session offers while another offer is open")
        self._offers += 1
        self._open = self._offers
        return self._offers


def _ice_servers(servers: Sequence[rtc.ICEServer]) -> tuple[IceServer, ...]:
    return tuple(
        IceServer(tuple(server.urls), server.username, server.credential) for server in servers
    )
