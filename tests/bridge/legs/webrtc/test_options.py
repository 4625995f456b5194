"""Settings that cannot be are refused where they are said."""

from typing import Any

import pytest

from bridge.errors import ConfigError
from bridge.legs.webrtc.options import BITRATES, IceServer, RtcOptions


def test_nobody_else_is_spoken_to_by_default() -> None:
    assert RtcOptions().ice_servers == ()


@pytest.mark.parametrize(
    "url", ["stun:stun.example:3478", "turn:t.example", "turns:t.example?transport=tcp"]
)
def test_stun_and_turn_servers_are_taken(url: str) -> None:
    assert IceServer(url).url == url


def test_a_credential_is_not_shown() -> None:
    assert "hush" not in repr(RtcOptions(ice_servers=(IceServer("turn:x", "me", "hush"),)))


GOOD: list[dict[str, Any]] = [
    {"port_range": (1_024, 1_024)},
    {"port_range": (1_024, 65_535)},
    {"ear_hz": 12_000, "voice_hz": 48_000},
    {"bitrate": BITRATES[0]},
    {"bitrate": BITRATES[-1]},
    {"external_address": "2001:db8::1", "addresses": ("127.0.0.1", "::1")},
]
BAD: list[dict[str, Any]] = [
    {"port_range": (1_023, 2_000)},
    {"port_range": (2_000, 1_999)},
    {"port_range": (2_000, 65_536)},
    {"ear_hz": 44_100},
    {"voice_hz": 0},
    {"bitrate": BITRATES[0] - 1},
    {"bitrate": BITRATES[-1] + 1},
    {"external_address": "example.com"},
    {"addresses": ("localhost",)},
]


@pytest.mark.parametrize("settings", GOOD)
def test_what_can_be_is_taken(settings: dict[str, Any]) -> None:
    RtcOptions(**settings)


@pytest.mark.parametrize("settings", BAD)
def test_what_cannot_be_is_refused_in_a_sentence(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refused:
        RtcOptions(**settings)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com", "stun:", "stun", "turn:host:port", "turn:host:1?transport=sctp"),
        *("stun:host?transport=udp", "turn:two words", "", "stun://host", "turn:host:123456"),
    ],
)
def test_a_server_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="stun:host:port"):
        IceServer(url)


def test_a_room_that_we_join_may_be_in_our_own_network_unless_it_is_denied() -> None:
    said = {policy: RtcOptions(private_peers=policy) for policy in ("auto", "allow", "deny")}
    joins = {policy: options.to_join().private_peers for policy, options in said.items()}
    assert joins == {"auto": "allow", "allow": "allow", "deny": "deny"}
