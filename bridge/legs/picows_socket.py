"""Opens media sockets on picows: as a client to a URL, as a server over a connection that asked for it.

`WSProtocol` is how picows itself puts a parser on a transport; it stands in no public page, so it is touched
here only, in the form it has in picows 2.3. Compression is never offered and never accepted.
"""

import asyncio
import contextlib
import functools
import logging
import re
import ssl as tls
from collections.abc import Callable, Mapping, Sequence
from socket import SOCK_STREAM
from typing import Final

from picows import (
    WSAutoPingStrategy,
    WSError,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined] # not in its stub
from picows.url import WSInvalidURL, WSParsedURL, parse_url

from bridge.errors import JoinRefused
from bridge.legs.join_refusals import join_refused
from bridge.legs.media_socket import CLIENT_LIMITS, SERVER_LIMITS, MediaSocket, SocketLimits
from bridge.legs.picows_listener import PicowsSocket
from bridge.wire.close_codes import PROTOCOL_ERROR

_READ_BUFFER_BYTES: Final = 8 * 1024  # grows by itself up to twice the largest message
_DEFAULT_PORTS: Final = {"ws": 80, "wss": 443}
_SUBPROTOCOL: Final = "Sec-WebSocket-Protocol"
_HEADER: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e]*")
_ADDRESS_S: Final = 3.0  # for each address of a host but the last

# picows logs addresses and breaches at levels that suit a server with one peer; an adapter, because it makes
# a logger of its own for each connection out of anything else.
_QUIET: Final = logging.LoggerAdapter(
    logging.Logger("picows", logging.CRITICAL + 1)  # noqa: LOG001 - deaf on purpose, in no tree
)


async def connect(
    url: str,
    *,
    timeout_s: float = 10.0,
    ssl: tls.SSLContext | None = None,
    limits: SocketLimits = CLIENT_LIMITS,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
) -> MediaSocket:
    """Open a WebSocket to a ws:// or wss:// URL; look-up, TLS and handshake together within the deadline.

    Args:
        url: where to; it may have a query.
        timeout_s: the deadline, s.
        ssl: for wss://; None: the system's trust.
        limits: what the server may do.
        headers: further ones for the request, such as a signature.
        subprotocols: what is offered to speak; the server may choose one of them or none.

    Raises: JoinRefused with one sentence; it names host and port, never the path, which may be a secret.
    """
    target = _parse(url)
    asked = _further_headers(headers or {}, subprotocols)
    where = f"{_bracketed(target.host)}:{target.port}"
    if target.is_secure and ssl is None:
        ssl = _default_context()
    try:
        async with asyncio.timeout(timeout_s):
            socket = await _open(target, where, ssl if target.is_secure else None, limits, asked)
    except (OSError, UnicodeError, WSError) as error:
        raise join_refused(where, url, error, timeout_s) from error
    if socket.subprotocol not in (None, *subprotocols):
        socket.close(PROTOCOL_ERROR)
        raise JoinRefused(f"{where} chose a subprotocol that was not offered")
    return socket


def accept(
    transport: asyncio.Transport,
    key: str,
    *,
    limits: SocketLimits = SERVER_LIMITS,
    early: bytes = b"",
    on_gone: Callable[[], None] | None = None,
    subprotocol: str | None = None,
) -> MediaSocket:
    """Answer an upgrade request on a transport and take it over; `key` is its Sec-WebSocket-Key, checked.

    Args:
        transport: a connection whose request head has been read and found to ask for a WebSocket.
        key: 16 bytes in base64.
        limits: what the client may do.
        early: what came behind the head already.
        on_gone: called once when the connection is gone.
        subprotocol: the one of those offered that is spoken.
    """
    socket = PicowsSocket(limits, _printable(transport), on_gone)
    told = {} if subprotocol is None else {_SUBPROTOCOL: subprotocol}
    protocol = _protocol(None, "/", socket, limits, client=False, headers=told)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    # picows wants to read the head itself. It gets one that says the same in the one way it accepts.
    head = (
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    _feed(protocol, head.encode("ascii") + early)
    return socket


class _Protocol(WSProtocol):  # type: ignore[misc] # the class is not in its stub
    """picows' protocol, which drops the reason for which a connection is lost."""

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self.listener is not None:
            self.listener.lost(exc)
        super().connection_lost(exc)


async def _open(
    target: WSParsedURL,
    where: str,
    ssl: tls.SSLContext | None,
    limits: SocketLimits,
    headers: Mapping[str, str],
) -> PicowsSocket:
    socket = PicowsSocket(limits, where)
    host = where if target.port != _DEFAULT_PORTS[target.scheme] else _bracketed(target.host)
    path = target.resource_name
    transport, protocol = await _dial(
        target,
        ssl,
        lambda: _protocol(host, path, socket, limits, client=True, headers=headers),
    )
    try:
        await protocol.wait_until_handshake_complete()
        if protocol.listener is None:
            raise ConnectionResetError  # noqa: TRY301 - picows calls a lost connection complete
    except BaseException:
        transport.abort()
        raise
    return socket


async def _dial(
    target: WSParsedURL, ssl: tls.SSLContext | None, make: Callable[[], _Protocol]
) -> tuple[asyncio.Transport, _Protocol]:
    """Connect to the first address that answers; only the last may use up the deadline."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(target.host, target.port, type=SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_ADDRESS_S):
                return await _dial_one(loop, address, target, ssl, make)
    return await _dial_one(loop, addresses[-1], target, ssl, make)


async def _dial_one(
    loop: asyncio.AbstractEventLoop,
    address: str,
    target: WSParsedURL,
    ssl: tls.SSLContext | None,
    make: Callable[[], _Protocol],
) -> tuple[asyncio.Transport, _Protocol]:
    name = target.host if ssl else None
    return await loop.create_connection(make, address, target.port, ssl=ssl, server_hostname=name)


def _protocol(
    host: str | None,
    path: str,
    socket: PicowsSocket,
    limits: SocketLimits,
    *,
    client: bool,
    headers: Mapping[str, str],
) -> _Protocol:
    def made(*_request: object) -> PicowsSocket | WSUpgradeResponseWithListener:
        if client or not headers:
            return socket
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), socket)

    return _Protocol(
        host,
        path,
        client,
        made,
        _QUIET,
        True,  # disconnect on an exception of the listener
        None,  # no deadline for the handshake: the caller has one
        False,  # no automatic ping: it takes a task for each connection
        1.0,
        1.0,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # no automatic pong: it has no limit
        limits.max_message_bytes,
        headers if client else None,
        _READ_BUFFER_BYTES,
    )


def _feed(protocol: _Protocol, data: bytes) -> None:
    """Give a buffered protocol bytes that were read before it was there."""
    while data:
        buffer = protocol.get_buffer(len(data))
        n_bytes = min(len(buffer), len(data))
        buffer[:n_bytes] = data[:n_bytes]
        protocol.buffer_updated(n_bytes)
        data = data[n_bytes:]


def _parse(url: str) -> WSParsedURL:
    try:
        target = parse_url(url)
    except (ValueError, WSInvalidURL) as error:
        raise JoinRefused(
            "the join URL is no WebSocket address: ws:// or wss:// and a host"
        ) from error
    if any(character <= " " or character == "\x7f" for character in target.resource_name):
        raise JoinRefused("the join URL has a blank or a control character in it")
    return target


def _further_headers(headers: Mapping[str, str], subprotocols: Sequence[str]) -> Mapping[str, str]:
    asked = dict(headers)
    if subprotocols:
        asked[_SUBPROTOCOL] = ", ".join(subprotocols)
    for name, value in asked.items():
        if not _HEADER.fullmatch(f"{name}: {value}"):
            raise JoinRefused(
                "a header for the request is malformed: a name, and no control characters"
            )
    return asked


@functools.cache
def _default_context() -> tls.SSLContext:
    # One for all: making one reads every certificate the system trusts.
    return tls.create_default_context()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _printable(transport: asyncio.Transport) -> str:
    name = transport.get_extra_info("peername")
    return f"{_bracketed(name[0])}:{name[1]}" if isinstance(name, tuple) else "unknown"
