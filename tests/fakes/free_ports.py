"""Ports that are free, for tests that must name them before anybody opens them."""

import contextlib
import os
import socket
from typing import Final

_FIRST: Final = 20_000
_LAST: Final = 30_000
"""Below those that a system gives to whoever asks for any port: Linux begins at 32,768."""
_next = _FIRST + 97 * os.getpid() % (_LAST - _FIRST)


def free_udp_ports(count: int) -> range:
    """So many ports in a row on loopback that nobody has now; others each time, and others in each process.

    Raises:
        RuntimeError: There are none.
    """
    return _free_ports(count, socket.SOCK_DGRAM)


def free_tcp_port() -> int:
    """Likewise one port to listen on."""
    return _free_ports(1, socket.SOCK_STREAM)[0]


def _free_ports(count: int, kind: socket.SocketKind) -> range:
    global _next  # noqa: PLW0603 - where the next search begins
    for _ in range(_FIRST, _LAST, count):
        if _next + count > _LAST:
            _next = _FIRST
        ports = range(_next, _next + count)
        _next += count
        if all(_is_free(port, kind) for port in ports):
            return ports
    raise RuntimeError(f"there are no {count} free ports in a row")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
