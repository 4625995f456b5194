"""What a LiveKit server says, as bytes: one function per SignalResponse."""

from collections.abc import Sequence
from typing import Final

from livekit.protocol import models, rtc

from bridge.wire.livekit.events import IceServer, LeaveAction, LeaveReason, Target, Version
from bridge.wire.livekit.names import RoomNames

PING_INTERVAL_S: Final = 5
PING_TIMEOUT_S: Final = 15
"""A client that says nothing for so long is gone."""
PROTOCOL: Final = 16
SERVER_VERSION: Final = "1.9.0"
"""The level of the protocol, in the numbers of LiveKit's own server: browsers refuse a server that names none."""
AUDIO_MIME: Final = "audio/opus"
TARGETS: Final[dict[Target, rtc.SignalTarget]] = {
    "publisher": rtc.SignalTarget.PUBLISHER,
    "subscriber": rtc.SignalTarget.SUBSCRIBER,
}


def join(version: Version, names: RoomNames, ice_servers: Sequence[IceServer] = ()) -> bytes:
    """The first message: the room, the client itself, and the agent with its track."""
    response = rtc.JoinResponse(
        room=models.Room(sid=names.room_sid, name=names.room),
        participant=_user(names),
        other_participants=[_agent(names)],
        ice_servers=[_ice(server) for server in ice_servers],
        subscriber_primary=version == "v0",
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        server_version=SERVER_VERSION,
        server_info=models.ServerInfo(
            edition=models.ServerInfo.Edition.Standard, version=SERVER_VERSION, protocol=PROTOCOL
        ),
    )
    return rtc.SignalResponse(join=response).SerializeToString()


def _user(names: RoomNames) -> models.ParticipantInfo:
    return models.ParticipantInfo(
        sid=names.user.sid,
        identity=names.user.identity,
        state=models.ParticipantInfo.State.JOINED,
        permission=models.ParticipantPermission(
            can_publish=True, can_subscribe=True, can_publish_data=True
        ),
    )


def _agent(names: RoomNames) -> models.ParticipantInfo:
    track = models.TrackInfo(
        sid=names.agent_track_sid,
        type=models.TrackType.AUDIO,
        source=models.TrackSource.MICROPHONE,
        name=names.agent.identity,
        mime_type=AUDIO_MIME,
    )
    return models.ParticipantInfo(
        sid=names.agent.sid,
        identity=names.agent.identity,
        name=names.agent.identity,
        state=models.ParticipantInfo.State.ACTIVE,
        kind=models.ParticipantInfo.Kind.AGENT,
        is_publisher=True,
        tracks=[track],
    )


def _ice(server: IceServer) -> rtc.ICEServer:
    return rtc.ICEServer(urls=server.urls, username=server.username, credential=server.credential)


def answer(offer_id: int, sdp: str, track_sids: dict[str, str]) -> bytes:
    """The answer to an offer; `track_sids` names our tracks by media id."""
    description = rtc.SessionDescription(
        type="answer", sdp=sdp, id=offer_id, mid_to_track_id=track_sids
    )
    return rtc.SignalResponse(answer=description).SerializeToString()


def offer(offer_id: int, sdp: str, track_sids: dict[str, str]) -> bytes:
    """An offer of ours (v0, subscriber connection)."""
    description = rtc.SessionDescription(
        type="offer", sdp=sdp, id=offer_id, mid_to_track_id=track_sids
    )
    return rtc.SignalResponse(offer=description).SerializeToString()


def trickle(target: Target, init: str, *, final: bool = False) -> bytes:
    """A candidate of ours."""
    request = rtc.TrickleRequest(candidateInit=init, target=TARGETS[target], final=final)
    return rtc.SignalResponse(trickle=request).SerializeToString()


def track_published(cid: str, sid: str, name: str, *, muted: bool) -> bytes:
    """The client's track is known under this SID now."""
    track = models.TrackInfo(
        sid=sid,
        type=models.TrackType.AUDIO,
        source=models.TrackSource.MICROPHONE,
        name=name,
        muted=muted,
        mime_type=AUDIO_MIME,
    )
    published = rtc.TrackPublishedResponse(cid=cid, track=track)
    return rtc.SignalResponse(track_published=published).SerializeToString()


def track_refused(asked: rtc.AddTrackRequest, sentence: str) -> bytes:
    """The client's track is not taken."""
    response = rtc.RequestResponse(
        reason=rtc.RequestResponse.Reason.NOT_ALLOWED, message=sentence, add_track=asked
    )
    return rtc.SignalResponse(request_response=response).SerializeToString()


def metadata_noted(asked: rtc.UpdateParticipantMetadata) -> bytes:
    """The client's metadata are accepted (and of no use)."""
    response = rtc.RequestResponse(
        request_id=asked.request_id,
        reason=rtc.RequestResponse.Reason.OK,
        update_metadata=asked,
    )
    return rtc.SignalResponse(request_response=response).SerializeToString()


def leave(reason: LeaveReason, action: LeaveAction) -> bytes:
    """Send the client away (``disconnect``), or have it join anew (``reconnect``)."""
    request = rtc.LeaveRequest(
        reason=reason.upper(),
        action=action.upper(),
        can_reconnect=action != "disconnect",
    )
    return rtc.SignalResponse(leave=request).SerializeToString()


def reconnect() -> bytes:
    """Accept a client that resumes."""
    return rtc.SignalResponse(reconnect=rtc.ReconnectResponse()).SerializeToString()


def refresh_token(token: str) -> bytes:
    """From now on the client joins with this token."""
    return rtc.SignalResponse(refresh_token=token).SerializeToString()


def pong(timestamp_ms: int) -> bytes:
    """Answer the older ping."""
    return rtc.SignalResponse(pong=timestamp_ms).SerializeToString()


def pong_response(last_ping_ms: int, now_ms: int) -> bytes:
    """Answer the newer ping."""
    response = rtc.Pong(last_ping_timestamp=last_ping_ms, timestamp=now_ms)
    return rtc.SignalResponse(pong_resp=response).SerializeToString()
