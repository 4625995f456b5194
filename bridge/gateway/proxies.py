"""Whom we believe about clients: proxies in front of us that tell a client's address and scheme.

Anybody can send `X-Forwarded-For` and `X-Forwarded-Proto`; they count only on a connection that comes from an
address of the configuration. A proxy appends to what it was given, so these are read from the right: the first
address that is no trusted proxy is the client.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from bridge.errors import ConfigError


class TrustedProxies:
    """Addresses and networks (`10.0.0.7`, `10.0.0.0/8`) whose word is taken.

    Raises: ConfigError if one of them is neither.
    """

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks = tuple(_network(text) for text in networks)

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        plain = _plain(address)
        if plain is None or not self._networks:
            return False
        ip = ip_address(plain)
        return any(ip in network for network in self._networks)

    def source(self, peer: str, forwarded_for: str | None) -> str:
        """The client's address: the peer's own, unless the peer is trusted and tells another.

        Args:
            peer: the address that the connection comes from.
            forwarded_for: the X-Forwarded-For header; None if there is none.
        """
        source = peer
        told = (forwarded_for or "").split(",")
        while told and self.trusts(source):
            address = _plain(told.pop().strip())
            if address is None:
                break
            source = address
        return source

    def secure(self, peer: str, forwarded_proto: str | None, ours: bool) -> bool:
        """Whether the client came over TLS; `ours`: whether the connection to us did."""
        if not forwarded_proto or not self.trusts(peer):
            return ours
        return forwarded_proto.rpartition(",")[2].strip().lower() in {"https", "wss"}


NO_PROXIES: Final = TrustedProxies()
"""Nobody is believed."""


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(f"{text!r} is neither an address nor a network of proxies") from None


def _plain(text: str) -> str | None:
    """An address in its one plain form, port, brackets and zone taken off; None if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return str(mapped or ip)
