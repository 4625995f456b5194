"""Where a peer may have us send packets: it names addresses, and each of them is asked whether the peer is there.

Source: reliability 4.10 (B4). A client that names addresses of our own network would have us knock there. So those that
are nobody's are never asked, and private ones only where that is the network that clients come from. Who sends a check
that is signed with our password has shown that it is there: its address counts, whatever it is, unless private peers
are refused altogether.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Literal, TypeAlias

PrivatePeers: TypeAlias = Literal["auto", "allow", "deny"]
_Address: TypeAlias = IPv4Address | IPv6Address

LOWEST_PORT: Final = 1_024
HTTPS: Final = 443
"""Below `LOWEST_PORT`, and yet of media servers that want to be reached through a firewall."""

_NOBODY: Final = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "fe80::/10", "ff00::/8"),
    )
)
"""No host in particular, the neighbours on a cable (and where clouds keep their secrets), many at once."""
_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_PRIVATE: Final = tuple(
    ip_network(each)
    for each in (
        *("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "fc00::/7", "fec0::/10", "64:ff9b:1::/48"),
    )
)
"""The last one is a network's own translation to IPv4, whose addresses need not be public (RFC 8215)."""
_NAT64: Final = ip_network("64:ff9b::/96")


class Reach:
    """What one connection may send packets to.

    Args:
        policy: of private addresses; ``auto``: where all our own of IPv4 are private too, and nothing is configured for
            others to reach us from elsewhere. Those of IPv6 count where there is no other: homes have global ones.
        own: the addresses of our sockets.
        external: under which the network reaches us, whatever it is; None: our own.
        servers: whether a STUN or TURN server helps others to reach us.
    """

    def __init__(
        self,
        policy: PrivatePeers,
        own: Iterable[str],
        *,
        external: str | None = None,
        servers: bool = False,
    ) -> None:
        ours = [ip_address(each) for each in own]
        counted = [each for each in ours if each.version == 4] or ours
        elsewhere = external is not None or servers
        at_home = policy == "auto" and not elsewhere and all(map(_is_inside, counted))
        self._policy = policy
        self._loopback = policy == "allow" or (at_home and any(_is_in(o, _LOOPBACK) for o in ours))
        self._private = policy == "allow" or at_home

    def may_ask(self, host: str, port: int) -> bool:
        """Whether an address that the peer has named is asked."""
        address = _address(host)
        if address is None or _is_in(address, _NOBODY):
            return False
        if self._policy != "allow" and port < LOWEST_PORT and port != HTTPS:
            return False
        if _is_in(address, _LOOPBACK):
            return self._loopback
        return self._private or not _is_in(address, _PRIVATE)

    def may_answer(self, host: str) -> bool:
        """Whether a signed check from this address is answered."""
        address = _address(host)
        if address is None or _is_in(address, _NOBODY):
            return False
        return self._policy != "deny" or not _is_inside(address)


def _address(host: str) -> _Address | None:
    """The address, or the IPv4 address that is written as one of IPv6."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_in(address: _Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _is_inside(address: _Address) -> bool:
    return _is_in(address, _LOOPBACK) or _is_in(address, _PRIVATE)
