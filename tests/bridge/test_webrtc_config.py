from pathlib import Path

import pytest

from bridge.config import load_config
from bridge.errors import ConfigError
from bridge.gateway.rtc import rtc_options
from bridge.legs.webrtc.options import IceServer, RtcOptions


def options(tmp_path: Path, text: str) -> RtcOptions:
    file = tmp_path / "a.toml"
    file.write_text(f"[webrtc]\n{text}")
    return rtc_options(load_config(file).webrtc)


def test_without_the_table_nobody_else_is_asked_and_any_port_is_used(tmp_path: Path) -> None:
    assert options(tmp_path, "") == RtcOptions()
    assert rtc_options(load_config(None).webrtc) == RtcOptions()


def test_the_table_says_how_connections_come_about(tmp_path: Path) -> None:
    text = """
external_address = "203.0.113.7"
addresses = ["10.0.0.5", "fd00::1"]
port_min = 40_000
port_max = 40_999
private_peers = "deny"
ice_servers = [
  { url = "stun:stun.example.com:3478" },
  { url = "turns:turn.example.com:5349?transport=tcp", username = "u", credential = "p" },
]
"""
    assert options(tmp_path, text) == RtcOptions(
        ice_servers=(
            IceServer("stun:stun.example.com:3478"),
            IceServer("turns:turn.example.com:5349?transport=tcp", "u", "p"),
        ),
        port_range=(40_000, 40_999),
        external_address="203.0.113.7",
        addresses=("10.0.0.5", "fd00::1"),
        private_peers="deny",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port_min = 40_000", "webrtc: port_min and port_max belong together"),
        ("port_min = 40_001\nport_max = 40_000", "webrtc: port_min must not be above port_max"),
        ("port_min = 1023\nport_max = 40_000", "webrtc.port_min: "),
        ("port_min = 1024\nport_max = 65_536", "webrtc.port_max: "),
        (
            "external_address = 'calls.example.com'",
            "webrtc.external_address: must be an IP address",
        ),
        ("private_peers = 'never'", "webrtc.private_peers: "),
        ("addresses = ['x']", "webrtc.addresses.0: must be an IP address"),
        ("ice_servers = [{ url = 'http://x' }]", "webrtc.ice_servers.0.url: must be an address"),
        ("ice_servers = [{ }]", "webrtc.ice_servers.0.url: "),
        ("port = 5", "unknown key 'webrtc.port'; did you mean 'port_m"),
        ("ice_servers = [{ url = 'stun:x', user = 1 }]", "unknown key 'webrtc.ice_servers.0.user'"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        options(tmp_path, text)
    assert sentence in str(caught.value)


def test_a_range_of_one_port_and_both_ends_of_it_are_taken(tmp_path: Path) -> None:
    assert options(tmp_path, "port_min = 1024\nport_max = 1024").port_range == (1024, 1024)
    assert options(tmp_path, "port_min = 1024\nport_max = 65535").port_range == (1024, 65_535)


def test_a_credential_is_not_shown(tmp_path: Path) -> None:
    text = "ice_servers = [{ url = 'turn:x:1', username = 'u', credential = 'hush-hush' }]"
    made = options(tmp_path, text)
    assert "hush" not in repr(made)
    assert "hush" not in repr(load_config(tmp_path / "a.toml"))
