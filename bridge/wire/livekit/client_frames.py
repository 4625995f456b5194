"""What a LiveKit client says, as bytes: one function per SignalRequest."""

from collections.abc import Sequence

from livekit.protocol import models, rtc

from bridge.wire.livekit.events import Target
from bridge.wire.livekit.server_frames import TARGETS


def offer(offer_id: int, sdp: str) -> bytes:
    """An offer of the client's own connection."""
    description = rtc.SessionDescription(type="offer", sdp=sdp, id=offer_id)
    return rtc.SignalRequest(offer=description).SerializeToString()


def answer(offer_id: int, sdp: str) -> bytes:
    """The answer to the server's offer (v0)."""
    description = rtc.SessionDescription(type="answer", sdp=sdp, id=offer_id)
    return rtc.SignalRequest(answer=description).SerializeToString()


def trickle(target: Target, init: str) -> bytes:
    """A candidate of ours."""
    request = rtc.TrickleRequest(candidateInit=init, target=TARGETS[target])
    return rtc.SignalRequest(trickle=request).SerializeToString()


def add_track(cid: str, name: str) -> bytes:
    """Announce a microphone. It is neither sent redundantly nor stops in silence."""
    request = rtc.AddTrackRequest(
        cid=cid,
        name=name,
        type=models.TrackType.AUDIO,
        source=models.TrackSource.MICROPHONE,
        disable_dtx=True,
        disable_red=True,
    )
    return rtc.SignalRequest(add_track=request).SerializeToString()


def mute(sid: str, *, muted: bool) -> bytes:
    """Our track carries no voice, or does again."""
    request = rtc.MuteTrackRequest(sid=sid, muted=muted)
    return rtc.SignalRequest(mute=request).SerializeToString()


def track_setting(sids: Sequence[str], *, disabled: bool) -> bytes:
    """We do not want to hear these tracks, or do again."""
    request = rtc.UpdateTrackSettings(track_sids=sids, disabled=disabled)
    return rtc.SignalRequest(track_setting=request).SerializeToString()


def ping(now_ms: int, rtt_ms: int) -> bytes:
    """A sign of life."""
    request = rtc.Ping(timestamp=now_ms, rtt=rtt_ms)
    return rtc.SignalRequest(ping_req=request).SerializeToString()


def leave() -> bytes:
    """We leave for good."""
    request = rtc.LeaveRequest(
        reason=models.DisconnectReason.CLIENT_INITIATED,
        action=rtc.LeaveRequest.Action.DISCONNECT,
    )
    return rtc.SignalRequest(leave=request).SerializeToString()
