"""What calls over WebRTC need of the gateway besides their sockets: voices, REST routes, settings."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from bridge.audio.lane import Lane
from bridge.gateway.room_route import room_router
from bridge.gateway.whip_route import whip_router
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.installed import missing_webrtc
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.legs.webrtc.speech import MakeVoice
from bridge.webrtc_config import WebRtcConfig

if TYPE_CHECKING:
    from bridge.calls.rooms import Rooms
    from bridge.calls.service import CallService
    from bridge.legs.webrtc.voice import Voice


def voices(options: RtcOptions) -> MakeVoice:
    """Makes what clients hear."""

    def make(lane: Lane, recorder: Recorder | None) -> "Voice":
        from bridge.legs.webrtc.voice import Voice  # noqa: PLC0415 - optional parts

        return Voice(lane, bitrate=options.bitrate, recorder=recorder)

    return make


def load_parts() -> None:
    """Load what connections are made of: half a second that no call shall wait for. For a thread."""
    if missing_webrtc() is None:
        import bridge.legs.webrtc.resume  # noqa: PLC0415 - optional parts
        import bridge.legs.webrtc.room_link  # noqa: PLC0415
        import bridge.legs.webrtc.whip_link  # noqa: F401, PLC0415


def rtc_options(config: WebRtcConfig) -> RtcOptions:
    """The configuration as the connections want it. Raises: ConfigError."""
    servers = (
        IceServer(
            each.url,
            each.username,
            None if each.credential is None else each.credential.get_secret_value(),
        )
        for each in config.ice_servers
    )
    return RtcOptions(
        ice_servers=tuple(servers),
        port_range=config.ports,
        external_address=config.external_address,
        addresses=config.addresses,
        private_peers=config.private_peers,
    )


def rtc_routers(service: "CallService", rooms: "Rooms", options: RtcOptions) -> list[APIRouter]:
    """The REST routes; none without what WebRTC needs."""
    if missing_webrtc() is not None:
        return []
    return [room_router(rooms), whip_router(service, rooms, options)]
