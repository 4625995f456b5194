"""Under which address others reach the service: for webhooks and for sockets.

Configured, or else what a request itself says. The configured one may be written with any of the four schemes; what
stands behind the host is a proxy's prefix, which it takes off again.
"""

from typing import Final
from urllib.parse import urlsplit

_WEB: Final = {"https": "https", "wss": "https", "http": "http", "ws": "http"}
_SOCKETS: Final = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}


class PublicUrl:
    """The configured address, or None: each request tells its own."""

    def __init__(self, configured: str | None = None) -> None:
        self.configured = configured

    @property
    def host(self) -> str:
        """The configured host, without its port; empty where none is configured."""
        return urlsplit(self.configured or "").hostname or ""

    def web(self, host: str, *, secure: bool) -> str:
        """``https://…`` or ``http://…``, without a slash at the end.

        Args:
            host: of the request, with its port.
            secure: whether the request came over TLS.
        """
        return self._with(_WEB, host, secure=secure)

    def sockets(self, host: str, *, secure: bool) -> str:
        """``wss://…`` or ``ws://…``, likewise."""
        return self._with(_SOCKETS, host, secure=secure)

    def _with(self, schemes: dict[str, str], host: str, *, secure: bool) -> str:
        url = self.configured or f"{'https' if secure else 'http'}://{host}"
        scheme, _, rest = url.partition("://")
        return f"{schemes[scheme]}://{rest.rstrip('/')}"
