"""The server's end of a LiveKit signalling connection, v0 or v1: bytes in, events out; commands in, bytes out.

Source: reference webrtc 2.2 to 2.5, measured with five clients. v1: one peer connection, the client always offers.
v0: the client offers its ``publisher`` connection, we offer the ``subscriber`` connection that carries the agent.
The machine answers pings itself (`Send`), keeps candidates until their description is there, gives tracks their SIDs,
and ends a client that breaks the limits by RemoteWireError (one sentence, and the close code to use).
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from livekit.protocol import models, rtc

from bridge.errors import LocalWireError
from bridge.wire.livekit import server_frames as frames
from bridge.wire.livekit.events import (
    AddTrack,
    AnswerReceived,
    IceServer,
    Ignored,
    LeaveAction,
    LeaveReason,
    Left,
    Muted,
    Send,
    ServerEvent,
    Target,
    TrackSetting,
    Version,
)
from bridge.wire.livekit.intake import NO_USE, Candidates, Intake
from bridge.wire.livekit.join_request import JoinRequest
from bridge.wire.livekit.limits import FROM_PEER, SessionLimits
from bridge.wire.livekit.names import RoomNames, make_sid
from bridge.wire.livekit.reasons import leave_action, leave_reason

ONLY_AUDIO: Final = "this call takes audio tracks only"


class ServerSession:
    """One client's signalling connection, from the upgrade on.

    Args:
        version: by the path the client came on.
        names: of its stay in the room.
        source: of chance, for SIDs.
        ice_servers: that the client shall use; none: host candidates only.
        limits: what the client may send.
    """

    def __init__(
        self,
        version: Version,
        names: RoomNames,
        source: random.Random,
        *,
        ice_servers: Sequence[IceServer] = (),
        limits: SessionLimits = FROM_PEER,
    ) -> None:
        self.version: Version = version
        self.names = names
        self._source = source
        self._ice_servers = ice_servers
        self._intake = Intake(limits, "the client's")
        self._candidates = Candidates(limits)
        self._joined = False
        self._over = False
        self._offered: list[int] = []  # by the client, without an answer of ours yet
        self._asked: int | None = None  # our open offer
        self._asks = 0
        self._tracks: dict[str, AddTrack] = {}
        self._sids: dict[str, str] = {}  # of the client's tracks, by cid
        self._takers: Mapping[str, Callable[..., list[ServerEvent]]] = {
            "offer": self._offer,
            "answer": self._answer,
            "trickle": self._trickle,
            "add_track": self._add_track,
            "mute": self._mute,
            "track_setting": self._track_setting,
            "leave": self._leave,
            "ping": self._ping,
            "ping_req": self._ping_request,
            "update_metadata": self._metadata,
        }

    # From the client

    def begin(self, request: JoinRequest, now_s: float) -> list[ServerEvent]:
        """The client is in: send the join, then take the offer that came with its request.

        Raises: RemoteWireError.
        """
        events: list[ServerEvent] = [Send(self.join())]
        if request.publisher_offer is not None:
            offer = request.publisher_offer
            events += self._take_offer(offer.id, offer.sdp, now_s)
        return events

    def receive(self, data: bytes, now_s: float) -> list[ServerEvent]:
        """Take a binary frame. Raises: RemoteWireError when the session must end.

        Args:
            data: one SignalRequest.
            now_s: seconds of a monotonic clock.
        """
        if self._over:
            return [Ignored("after the end", "a signalling message came after the client had left")]
        request = self._intake.parse(data, rtc.SignalRequest(), now_s)
        if isinstance(request, Ignored):
            return [request]
        kind = request.WhichOneof("message")
        take = self._takers.get(kind or "")
        if take is None:
            return [Ignored(NO_USE, f"{kind or 'an unknown request'} means nothing here")]
        return take(getattr(request, str(kind)), now_s)

    def receive_text(self, now_s: float) -> list[ServerEvent]:
        """A text frame came; the protocol has none. Raises: RemoteWireError for one too many."""
        return [self._intake.bad("a text frame came on the signalling socket", now_s)]

    def _offer(self, description: rtc.SessionDescription, now_s: float) -> list[ServerEvent]:
        return self._take_offer(description.id, description.sdp, now_s)

    def _take_offer(self, offer_id: int, sdp: str, now_s: float) -> list[ServerEvent]:
        offer = self._intake.offer(offer_id, sdp, "publisher", now_s)
        self._offered.append(offer_id)
        return [offer, *self._candidates.open("publisher")]

    def _answer(self, description: rtc.SessionDescription, now_s: float) -> list[ServerEvent]:
        # Older clients do not repeat the id.
        if self._asked is None or description.id not in (0, self._asked):
            return [self._intake.bad("an answer came that nobody asked for", now_s)]
        asked, self._asked = self._asked, None
        sdp = self._intake.sdp(description.sdp)
        answer = AnswerReceived(asked, sdp, "subscriber", {})
        return [answer, *self._candidates.open("subscriber")]

    def _trickle(self, asked: rtc.TrickleRequest, _now_s: float) -> list[ServerEvent]:
        return [*self._candidates.take(asked, self.version)]

    def _add_track(self, asked: rtc.AddTrackRequest, now_s: float) -> list[ServerEvent]:
        limits = self._intake.limits
        if not 0 < len(asked.cid) <= limits.name_bytes or len(asked.name) > limits.name_bytes:
            return [self._intake.bad("a track has no usable id or name", now_s)]
        if asked.type != models.TrackType.AUDIO:
            return self._refuse_track(asked, ONLY_AUDIO)
        if asked.cid not in self._tracks and len(self._tracks) >= limits.tracks:
            return self._refuse_track(asked, f"this call takes {limits.tracks} tracks at most")
        track = self._tracks[asked.cid] = AddTrack(asked.cid, asked.name, asked.muted)
        return [track]

    def _refuse_track(self, asked: rtc.AddTrackRequest, sentence: str) -> list[ServerEvent]:
        return [Send(frames.track_refused(asked, sentence)), Ignored("track", sentence)]

    def _mute(self, asked: rtc.MuteTrackRequest, _now_s: float) -> list[ServerEvent]:
        if asked.sid not in self._sids.values():
            return [Ignored("mute", "the client muted a track that it does not have")]
        return [Muted(asked.sid, asked.muted)]

    def _track_setting(self, asked: rtc.UpdateTrackSettings, _now_s: float) -> list[ServerEvent]:
        if self.names.agent_track_sid not in asked.track_sids:
            return [Ignored("track setting", "the client set up a track that is not there")]
        return [TrackSetting(asked.disabled)]

    def _leave(self, asked: rtc.LeaveRequest, _now_s: float) -> list[ServerEvent]:
        self._over = True
        return [Left(leave_reason(asked.reason), leave_action(asked.action))]

    def _ping(self, timestamp_ms: int, _now_s: float) -> list[ServerEvent]:
        return [Send(frames.pong(timestamp_ms))]

    def _ping_request(self, asked: rtc.Ping, now_s: float) -> list[ServerEvent]:
        return [Send(frames.pong_response(asked.timestamp, int(now_s * 1000)))]

    def _metadata(self, asked: rtc.UpdateParticipantMetadata, _now_s: float) -> list[ServerEvent]:
        return [Send(frames.metadata_noted(asked))]

    # To the client

    def join(self) -> bytes:
        """The first message. Raises: LocalWireError for a second one."""
        if self._joined:
            raise LocalWireError("a LiveKit session has joined already")
        self._joined = True
        return frames.join(self.version, self.names, self._ice_servers)

    def answer(self, offer_id: int, sdp: str, mid: str | None = None) -> bytes:
        """The answer to an offer of the client; `mid` is the media id that carries the agent (v1).

        Raises: LocalWireError where there was no such offer.
        """
        if offer_id not in self._offered:
            raise LocalWireError("a LiveKit session answers an offer that it did not get")
        self._offered.remove(offer_id)
        return frames.answer(offer_id, sdp, self._track_sids(mid))

    def offer(self, sdp: str, mid: str | None = None) -> bytes:
        """Our offer of the subscriber connection (v0), whose answer is an AnswerReceived.

        Raises: LocalWireError in v1, or while another offer is open.
        """
        if self.version != "v0" or not self._joined or self._asked is not None:
            raise LocalWireError("a LiveKit session cannot offer now")
        self._asks += 1
        self._asked = self._asks
        return frames.offer(self._asks, sdp, self._track_sids(mid))

    def trickle(self, target: Target, init: str) -> bytes:
        """A candidate of ours, as browsers write it."""
        return frames.trickle(target, init)

    def track_published(self, track: AddTrack) -> bytes:
        """Take the client's track; the same one again keeps its SID.

        Raises: LocalWireError for a track that the client did not announce.
        """
        if track.cid not in self._tracks:
            raise LocalWireError("a LiveKit session takes a track that was not announced")
        if track.cid not in self._sids:
            self._sids[track.cid] = make_sid("TR", self._source)
        sid = self._sids[track.cid]
        return frames.track_published(track.cid, sid, track.name, muted=track.muted)

    def leave(self, reason: LeaveReason, action: LeaveAction) -> bytes:
        """Send the client away (``disconnect``), or have it join anew (``reconnect``); nothing after this counts."""
        self._over = True
        return frames.leave(reason, action)

    def refresh_token(self, token: str) -> bytes:
        """The token for the client's next join."""
        return frames.refresh_token(token)

    def _track_sids(self, mid: str | None) -> dict[str, str]:
        return {} if mid is None else {mid: self.names.agent_track_sid}
