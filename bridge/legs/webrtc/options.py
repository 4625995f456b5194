"""How peer connections are made: what the configuration says of WebRTC, checked once.

Sources: reference webrtc 4, 5 and 6, reliability 4.10. Without servers named here nobody but the peer is spoken to: no
STUN server is asked by default.
"""

import re
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Final

from bridge.errors import ConfigError
from bridge.legs.webrtc.reach import PrivatePeers

OPUS_HZ: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
"""Rates at which Opus works, Hz."""
BITRATES: Final = range(6_000, 128_001)
_SERVER: Final = re.compile(r"(stun|turns?):[^?:/\s\[\]]+(:\d{1,5})?(\?transport=(udp|tcp))?")


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server: ``stun:host:port``, ``turn:host:port?transport=udp``, ``turns:…`` (RFC 7064, 7065)."""

    url: str
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        stun_over = self.url.startswith("stun:") and "?" in self.url
        if not _SERVER.fullmatch(self.url) or stun_over:
            raise ConfigError(
                "an ICE server is written stun:host:port, turn:host:port?transport=udp or turns:host:port"
            )


@dataclass(frozen=True, slots=True)
class RtcOptions:
    """Settings of all peer connections of a process.

    Args:
        ice_servers: asked for our addresses as others see them; of each kind, STUN and TURN, the first is used.
        port_range: first and last UDP port to use, each connection takes one per address; None: any port.
        external_address: the address under which the network reaches us, where it is not our own (1:1 NAT, a
            container); offered instead of our IPv4 addresses.
        addresses: our own addresses to offer; empty: those of all interfaces, and loopback where there is no other.
        loopback: whether loopback is offered beside the others, for clients on this machine.
        private_peers: whether peers are asked at private addresses that they name; see `reach`.
        bitrate: of what we send, bit/s.
        ear_hz: rate at which audio of the peer is decoded, Hz.
        voice_hz: rate of the audio that is encoded for the peer, Hz.
        room_servers: whether `ice_servers` were named by a room that we have joined, not by the configuration.

    Raises: ConfigError, one sentence that says what to change.
    """

    ice_servers: tuple[IceServer, ...] = ()
    port_range: tuple[int, int] | None = None
    external_address: str | None = None
    addresses: tuple[str, ...] = ()
    loopback: bool = False
    private_peers: PrivatePeers = "auto"
    bitrate: int = 28_000
    ear_hz: int = 16_000
    voice_hz: int = 24_000
    room_servers: bool = False

    def __post_init__(self) -> None:
        for rate_hz in (self.ear_hz, self.voice_hz):
            if rate_hz not in OPUS_HZ:
                raise ConfigError(f"Opus works at {_listed(OPUS_HZ)} Hz, not at {rate_hz}")
        if self.bitrate not in BITRATES:
            raise ConfigError(
                f"a bitrate is {BITRATES[0]} to {BITRATES[-1]} bit/s, not {self.bitrate}"
            )
        self._check_ports()
        for address in (*self.addresses, *filter(None, (self.external_address,))):
            _check_address(address)

    def to_join(self) -> "RtcOptions":
        """For a room that we join: whoever named it may have it in our own network, whoever calls us from elsewhere."""
        return replace(self, private_peers="allow") if self.private_peers == "auto" else self

    def _check_ports(self) -> None:
        if self.port_range is not None:
            first, last = self.port_range
            if not 1_024 <= first <= last <= 65_535:
                raise ConfigError(
                    f"a range of UDP ports lies within 1024 to 65535 and rises; {first} to {last} does not"
                )


def _check_address(address: str) -> None:
    try:
        ip_address(address)
    except ValueError:
        raise ConfigError(f"{address!r} is no IP address; write one such as 203.0.113.7") from None


def _listed(rates: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, rates[:-1]))} or {rates[-1]}"
