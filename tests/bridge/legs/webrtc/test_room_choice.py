"""Who stays in a room for us."""

import pytest

from bridge.legs.webrtc import room_choice
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room_choice import RoomClient, chosen, room_maker
from bridge.wire.messages import RoomInfo

ELSEWHERE = "wss://project.livekit.example"


@pytest.mark.parametrize(
    ("asked", "room_url", "join_host", "library", "choice"),
    [
        ("auto", "ws://127.0.0.1:8080/rooms/a", "127.0.0.1:8080", True, "own"),
        ("auto", "http://Calls.example/rooms/a", "calls.example:443", True, "own"),
        ("auto", "ws://[::1]:9/rooms/a", "[::1]:8080", True, "own"),
        ("auto", ELSEWHERE, "api.example:443", True, "livekit"),
        ("auto", ELSEWHERE, "api.example:443", False, "own"),
        ("auto", "ws://[::1", "api.example:443", True, "livekit"),
        ("own", ELSEWHERE, "api.example:443", True, "own"),
        ("livekit", "ws://127.0.0.1:8080/rooms/a", "127.0.0.1:8080", False, "livekit"),
    ],
)
def test_a_room_on_another_host_is_left_to_its_own_library_where_that_is_installed(
    monkeypatch: pytest.MonkeyPatch,
    *,
    asked: RoomClient,
    room_url: str,
    join_host: str,
    library: bool,
    choice: str,
) -> None:
    monkeypatch.setattr(room_choice, "_library", lambda: library)

    assert chosen(asked, room_url, join_host) == choice


def test_what_is_missing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_choice, "_library", lambda: False)
    monkeypatch.setattr(room_choice, "missing_webrtc", lambda: "pip install 'tipring[webrtc]'")
    info = RoomInfo(room_url=ELSEWHERE, token="t")

    own = room_maker("own", info, "h:1", RtcOptions())
    library = room_maker("livekit", info, "h:1", RtcOptions())

    assert isinstance(own, str)
    assert "tipring[webrtc]" in own
    assert isinstance(library, str)
    assert "tipring[livekit]" in library
