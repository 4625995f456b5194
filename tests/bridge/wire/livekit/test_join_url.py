"""Where a client opens the signalling socket."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.livekit.events import Version
from bridge.wire.livekit.join_request import Description, JoinRequest, read_join
from bridge.wire.livekit.join_url import signal_url

OFFER = Description(1, "v=0\r\n" * 500)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.mark.parametrize(
    ("room_url", "version", "opened"),
    [
        ("ws://127.0.0.1:1/rooms/a", "v1", "ws://127.0.0.1:1/rooms/a/rtc/v1"),
        ("http://127.0.0.1:1/rooms/a/", "v0", "ws://127.0.0.1:1/rooms/a/rtc"),
        ("https://room.example", "v1", "wss://room.example/rtc/v1"),
        ("WSS://room.example", "v0", "wss://room.example/rtc"),
    ],
)
def test_the_rooms_path_is_kept(room_url: str, version: Version, opened: str) -> None:
    url = signal_url(room_url, version, "t.o.k")

    assert url.partition("?")[0] == opened
    assert query_of(url)["access_token"] == "t.o.k"


def test_a_query_of_the_rooms_url_is_kept() -> None:
    assert query_of(signal_url("ws://h/?region=x", "v0", "t"))["region"] == "x"


def test_our_server_reads_what_we_say_in_v1() -> None:
    request = read_join("v1", query_of(signal_url("ws://h", "v1", "t", OFFER)))

    assert request == JoinRequest("v1", "python", "1.2.0", 16, publisher_offer=OFFER)


def test_our_server_reads_what_we_say_in_v0() -> None:
    request = read_join("v0", query_of(signal_url("ws://h", "v0", "t")))

    assert request == JoinRequest("v0", "python", "1.2.0", 16)


@pytest.mark.parametrize("room_url", ["", "room", "ftp://h", "ws://", "ws://[::1", "ws:///x", "\0"])
def test_what_is_no_rooms_url_is_refused_without_repeating_it(room_url: str) -> None:
    with pytest.raises(RemoteWireError, match="is not one of ws, wss, http or https"):
        signal_url(room_url, "v1", "t")
