"""Who stays in a room for us: our own client, or LiveKit's own library.

`auto` takes our own client for a room on the host of the join URL, as ours and other servers of our kind have it: it
costs a third of the processor time and no threads. A room on another host is a LiveKit server's, and the library
is what those are made for and tested with; where it is not installed, our own client has to do.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from bridge.legs.webrtc.installed import missing_webrtc
from bridge.wire.messages import RoomInfo

if TYPE_CHECKING:
    from bridge.audio.lane import Lane
    from bridge.legs.webrtc.options import RtcOptions
    from bridge.legs.webrtc.room import Access, MakeRoom, Room, RoomUser

RoomClient: TypeAlias = Literal["auto", "own", "livekit"]
NO_LIBRARY: Final = (
    "Rooms by LiveKit's own library need another part: pip install 'tipring[livekit]'."
)


def chosen(asked: RoomClient, room_url: str, join_host: str) -> Literal["own", "livekit"]:
    """Which of the two it is.

    Args:
        asked: by the configuration.
        room_url: as the join socket told it.
        join_host: host and port of the join socket.
    """
    if asked != "auto":
        return asked
    return "own" if _host(f"//{join_host}") == _host(room_url) or not _library() else "livekit"


def room_maker(
    asked: RoomClient, info: RoomInfo, join_host: str, options: "RtcOptions"
) -> "MakeRoom | str":
    """Makes stays in the room; or the sentence that says what has to be installed."""
    if chosen(asked, info.room_url, join_host) == "livekit":
        return _by_library(options.ear_hz) if _library() else NO_LIBRARY
    return missing_webrtc() or _by_ourselves(options)


def _library() -> bool:
    try:
        return find_spec("livekit.rtc") is not None
    except ModuleNotFoundError:
        return False


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _by_library(ear_hz: int) -> "MakeRoom":
    from bridge.legs.webrtc.wheel_room import WheelRoom  # noqa: PLC0415 - optional

    def make(access: "Access", user: "RoomUser", say: "Lane") -> "Room":
        return WheelRoom(access, user, say, ear_hz=ear_hz)

    return make


def _by_ourselves(options: "RtcOptions") -> "MakeRoom":
    from bridge.legs.picows_socket import connect  # noqa: PLC0415 - with the rest
    from bridge.legs.webrtc.rtc_room import RtcRoom  # noqa: PLC0415 - optional

    def make(access: "Access", user: "RoomUser", say: "Lane") -> "Room":
        return RtcRoom(access, user, say, options=options, connect=connect)

    return make
