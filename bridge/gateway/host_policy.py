"""Which Host and Origin are served: the guard against web pages that reach for a local server.

A page on another site can send requests to 127.0.0.1, and a name of its own can be made to point there (DNS
rebinding). It cannot choose the Host and Origin that its browser sends, so these two are looked at, for REST
and media sockets alike. Rules: promise S22 of the reliability reference; the same-origin test is RFC 6454's.
"""

import re
from dataclasses import dataclass
from typing import Final

_HOST: Final = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """What is served; everything else is refused with 403."""

    loopback_only: bool = False
    """Only localhost, 127.0.0.1 and [::1], at any port, and no Origin but their own."""
    allowed_hosts: frozenset[str] = frozenset()
    """Host names served, in lower case, without port; empty serves every name. Not for `loopback_only`."""
    allowed_origins: frozenset[str] = frozenset()
    """Origins served besides the same one (`https://shop.example`); empty serves every origin, unless
    `loopback_only`."""

    def refusal(self, host: str | None, origin: str | None, *, secure: bool = False) -> str | None:
        """A sentence that says why a request with these headers is not served, or None if it is.

        Args:
            host: the Host header; None if there is none.
            origin: the Origin header; None if there is none.
            secure: whether the request came over TLS.
        """
        scheme = "https" if secure else "http"
        place = _place(host or "", scheme)
        if place is None or not self._serves(place[0]):
            return "This host name is not served here."
        if origin is None or self._allows(origin.lower(), (scheme, *place)):
            return None
        return "Requests from this origin are not served here."

    def _serves(self, name: str) -> bool:
        if self.loopback_only:
            return name in _LOOPBACK_NAMES
        return not self.allowed_hosts or name in self.allowed_hosts

    def _allows(self, origin: str, ours: tuple[str, str, int]) -> bool:
        if not self.loopback_only and (not self.allowed_origins or origin in self.allowed_origins):
            return True
        scheme, separator, host = origin.partition("://")
        place = _place(host, scheme)
        return bool(separator) and place is not None and (scheme, *place) == ours


def _place(host: str, scheme: str) -> tuple[str, int] | None:
    """Name in lower case and port; None if it is no host, or the scheme is not HTTP's."""
    match = _HOST.fullmatch(host.lower())
    default = _DEFAULT_PORTS.get(scheme)
    if match is None or default is None:
        return None
    port = int(match["port"]) if match["port"] else default
    return (match["name"], port) if 0 < port < 2**16 else None
