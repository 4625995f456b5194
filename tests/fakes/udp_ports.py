"""UDP ports that are free, for tests that must name a range."""

import contextlib
import os
import socket
from typing import Final

_FIRST: Final = 20_000
_LAST: Final = 30_000
"""Below those that a system gives to whoever asks for any port: Linux begins at 32,768."""
_next = _FIRST + 97 * os.getpid() % (_LAST - _FIRST)


def free_udp_ports(count: int, host: str = "127.0.0.1") -> range:
    """So many ports in a row that nobody has now; other ones each time, and other ones in each process.

    Raises:
        RuntimeError: There are none.
    """
    global _next  # noqa: PLW0603 - where the next search begins
    for _ in range(_FIRST, _LAST, count):
        if _next + count > _LAST:
            _next = _FIRST
        ports = range(_next, _next + count)
        _next += count
        if all(_is_free(host, port) for port in ports):
            return ports
    raise RuntimeError(f"there are no {count} free UDP ports in a row")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.bind((host, port))
        return True
    return False
