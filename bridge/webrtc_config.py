"""The part of the configuration that is about calls over WebRTC: how connections come about.

Without any of it connections use the machine's own addresses and any free port, and nobody else is asked.
"""

import re
from ipaddress import ip_address
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.config_table import Table

_ICE: Final = re.compile(r"(?:stuns?|turns?):[^\s?]{1,253}(?:\?transport=(?:udp|tcp))?", re.ASCII)

_PLAIN: Final = re.compile(r"[ -~]{1,512}")
"""What can stand in a header field; see `gateway.whip_route`."""


def _is_ice_url(text: str) -> str:
    if not _ICE.fullmatch(text):
        raise ValueError("must be an address such as stun:stun.example.com:3478 or turn:…")
    return text


def _is_plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise ValueError("must be 1 to 512 printable ASCII characters")
    return text


def _is_plain_secret(secret: SecretStr) -> SecretStr:
    _is_plain(secret.get_secret_value())
    return secret


def _is_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("must be an IP address") from None


RtcPort = Annotated[int, Field(strict=True, ge=1024, le=65_535)]


class IceServerConfig(Table):
    """A STUN or TURN server, which clients are told of too."""

    url: Annotated[str, AfterValidator(_is_ice_url)]
    username: Annotated[str, AfterValidator(_is_plain)] | None = None
    credential: Annotated[SecretStr, AfterValidator(_is_plain_secret)] | None = None


class WebRtcConfig(Table):
    """How connections come about."""

    ice_servers: tuple[IceServerConfig, ...] = ()
    port_min: RtcPort | None = None
    """UDP ports of calls, one for each connection and address: first and last."""
    port_max: RtcPort | None = None
    external_address: Annotated[str, AfterValidator(_is_address)] | None = None
    """Under which clients reach this machine where it stands behind NAT or in a container."""
    addresses: tuple[Annotated[str, AfterValidator(_is_address)], ...] = ()
    """This machine's own addresses that are offered to clients; none given: all."""

    private_peers: Literal["auto", "allow", "deny"] = "auto"
    """Whether clients are asked at private addresses that they name: `auto` where all of this machine's own of IPv4 are
    private too (of IPv6 where it has no other), and neither `external_address` nor `ice_servers` is set. Who calls from
    one is answered, but with `deny`."""

    @model_validator(mode="after")
    def _has_a_range(self) -> "WebRtcConfig":
        if (self.port_min is None) != (self.port_max is None):
            raise ValueError("port_min and port_max belong together")
        if self.ports is not None and self.ports[0] > self.ports[1]:
            raise ValueError("port_min must not be above port_max")
        return self

    @property
    def ports(self) -> tuple[int, int] | None:
        """The first and the last port; None: any."""
        return (
            None
            if self.port_min is None or self.port_max is None
            else (self.port_min, self.port_max)
        )
