"""One connection to the front door, from its first byte to the hand-over or its end.

A visit reads the head of each request itself, under a deadline and within limits, asks the host policy, and
hands the connection to REST for one request, or for good to a media socket.
"""

import asyncio
import base64
import binascii
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Final, cast

from bridge.gateway.deadline import Deadline
from bridge.gateway.door import Door
from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.gateway.plain_answer import plain_answer
from bridge.gateway.request_head import HeadReader, HeadRefused, RequestHead
from bridge.gateway.rest import RestConnection
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.picows_socket import accept
from bridge.legs.reset import reset
from bridge.legs.write_watch import WriteWatch
from bridge.wire.close_codes import BROKE_OFF, GOING_AWAY, INTERNAL_ERROR

log = logging.getLogger(__name__)

KERNEL_BUFFER_BYTES: Final = 128 * 1024
"""Of what is sent and not yet acknowledged; enough for 1 MB/s to the other side of the earth."""


class Visit(asyncio.Protocol):
    """The protocol of a connection until a media socket takes it over."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._deadline = Deadline()
        self._reader = HeadReader(door.limits.head)
        self._receive: Callable[[bytes], None] = self._read_head
        self._rest: RestConnection | None = None
        self._watch: WriteWatch | None = None
        self._media: MediaSocket | None = None
        self._early = b""
        self._gone = False
        self._peer = ""
        self._secure = door.secure
        self.source = ""

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.source = self._peer = name[0] if isinstance(name, tuple) else ""
        _bound_kernel_buffer(transport)
        if too_many := self._door.enter(self):
            if self._door.overrun():
                reset(self._transport)
            else:
                self._answer(*too_many)
        else:
            self._deadline.set(self._door.limits.request_s, self._too_slow)
            self._door.wait(self)

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        self._receive(data)

    def pause_writing(self) -> None:
        """The client reads slowly."""
        if self._rest is not None and self._watch is not None:
            self._rest.pause_writing()
            self._watch.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._rest is not None and self._watch is not None:
            self._rest.resume_writing()
            self._watch.resume()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """The connection is gone."""
        self._gone = True
        self._deadline.clear()
        self._drop_rest()
        self._door.leave(self)

    # What the door calls

    def end(self) -> None:
        """Come to an end: finish what is being answered, close everything else."""
        if self._media is not None:
            self._media.close(GOING_AWAY, "the server is going away")
        elif self._rest is not None and not self._rest.between_requests:
            self._rest.shutdown()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def give_way(self) -> None:
        """Leave to another, with what is still on its way out."""
        idle = self._rest is None or self._rest.between_requests
        if idle and not self._reader.received:
            self._transport.close()
        else:
            self.abort()

    # Request heads, inside

    def _expect_head(self) -> None:
        if self.source != self._peer:
            self._door.recount(
                self, self._peer
            )  # between requests a proxy's connection is nobody's
        self._reader = HeadReader(self._door.limits.head)
        self._receive = self._read_next_head
        self._deadline.set(self._door.limits.idle_s, self._transport.close)
        self._door.wait(self)

    def _read_next_head(self, data: bytes) -> None:
        self._deadline.set(self._door.limits.request_s, self._too_slow)
        self._receive = self._read_head
        self._read_head(data)

    def _read_head(self, data: bytes) -> None:
        try:
            head = self._reader.feed(data)
        except HeadRefused as refused:
            self._answer(refused.status, str(refused))
            return
        if head is None:
            return
        if too_many := self._identify(head):
            self._answer(*too_many)
        else:
            self._decide(head)

    def _identify(self, head: RequestHead) -> tuple[int, str] | None:
        """Whom a trusted proxy speaks for; status and sentence if there are too many of it."""
        proxies = self._door.proxies
        self._secure = proxies.secure(self._peer, head.get("x-forwarded-proto"), self._door.secure)
        source = proxies.source(self._peer, head.get("x-forwarded-for"))
        return None if source == self.source else self._door.recount(self, source)

    def _decide(self, head: RequestHead) -> None:
        door = self._door
        why = door.policy.refusal(head.get("host"), head.get("origin"), secure=self._secure)
        route = door.route(head.path) if head.wants_websocket else None
        if why is not None:
            self._answer(403, why)
        elif route is None and head.wants_websocket:
            self._answer(404, "There is nothing to join at this address.")
        elif route is None:
            self._serve()
        elif head.get("sec-websocket-version") != "13":
            self._answer(426, "Only WebSocket version 13 is spoken.", ["Sec-WebSocket-Version: 13"])
        elif not _is_key(head.get("sec-websocket-key")):
            self._answer(400, "The Sec-WebSocket-Key is not 16 bytes in base64.")
        else:
            self._deadline.clear()
            door.received(self)
            self._early = self._reader.early
            self._receive = self._keep
            self._transport.pause_reading()
            door.run(self._admit(head, route))

    def _too_slow(self) -> None:
        if self._rest is not None and self._rest.answering:
            reset(self._transport)
        elif self._reader.received:
            self._answer(408, "The request took too long to arrive.")
        else:
            self._transport.close()

    # Media sockets, inside

    async def _admit(self, head: RequestHead, route: MediaRoute) -> None:
        """Ask whether this media socket is taken, and open or refuse it."""
        headers = {name: head.get(name) or "" for name, _ in head.headers}
        knock = Knock(head.target, headers, self.source, self._secure)
        try:
            async with asyncio.timeout(self._door.limits.admit_s):
                admission = await route.admit(knock)
            self._open(knock, route, admission)
        except UpgradeRefused as refused:
            wait_s = refused.retry_after_s
            headers_out = [] if wait_s is None else [f"Retry-After: {wait_s}"]
            self._answer(refused.status, refused.detail, headers_out)
        except TimeoutError:
            self._answer(503, "The server took too long to decide.")
        except Exception:
            log.exception("! a media socket could not be taken")
            self._answer(500, "Internal server error.")

    def _keep(self, data: bytes) -> None:
        # Reading is paused; what was on its way all the same belongs to the socket.
        self._early += data

    def _open(self, knock: Knock, route: MediaRoute, admission: Admission) -> None:
        if self._gone or self._transport.is_closing():
            admission.take(_closed_socket())
            return
        spoken = admission.subprotocol
        self._drop_rest()
        self._door.settle(self)
        self._media = accept(
            self._transport,
            knock.headers["sec-websocket-key"],
            limits=route.limits,
            early=self._early,
            on_gone=lambda: self._door.leave(self),
            subprotocol=spoken if spoken in knock.subprotocols else None,
        )
        self._transport.resume_reading()
        try:
            admission.take(self._media)
        except Exception:
            log.exception("! the taker of a media socket raised")
            self._media.close(INTERNAL_ERROR, "internal error")

    # REST requests, inside

    def _serve(self) -> None:
        if self._rest is None:
            self._rest = self._door.rest.connection(self._look, self._refuse_nonsense)
            self._rest.connection_made(self._transport)
            self._watch = WriteWatch(
                self._transport,
                max_buffered_bytes=self._door.limits.head.max_bytes,
                stall_s=self._door.limits.stall_s,
                give_up=lambda _why: reset(self._transport),
            )
        self._door.rest.stamp()
        self._receive = self._feed_rest
        self._feed_rest(self._reader.received)

    def _feed_rest(self, data: bytes) -> None:
        if self._rest is not None:
            self._rest.data_received(data)
            self._look()

    def _look(self) -> None:
        """See what REST has made of what it got."""
        rest = self._rest
        if rest is None or self._transport.is_closing():
            return
        if rest.between_requests:
            self._expect_head()
        elif not rest.client_owes:
            self._deadline.clear()
            self._door.received(self)
        elif not self._deadline.is_set:
            self._deadline.set(self._door.limits.request_s, self._too_slow)

    def _refuse_nonsense(self) -> None:
        self._answer(400, "The request cannot be read as HTTP.")

    def _drop_rest(self) -> None:
        rest, self._rest = self._rest, None
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if rest is not None:
            rest.drop()

    # Refusals, inside

    def _answer(self, status: int, detail: str, headers: list[str] | None = None) -> None:
        """Answer and close, but read on for a moment: closing at once would take the answer back."""
        self._drop_rest()
        self._receive = _ignore
        if self._gone or self._transport.is_closing():
            return
        self._transport.write(plain_answer(status, detail, headers or []))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        self._deadline.set(self._door.limits.linger_s, self._transport.abort)


def _bound_kernel_buffer(transport: asyncio.BaseTransport) -> None:
    """Left alone, the kernel takes 4 MB for a client that reads nothing, and REST works to fill them."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # gone already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)


def _ignore(_data: bytes) -> None:
    pass


def _is_key(key: str | None) -> bool:
    try:
        return len(base64.b64decode(key or "", validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _closed_socket() -> MediaSocket:
    """A socket whose client has left already."""
    near, far = memory_pair(asyncio.get_running_loop())
    far.close(BROKE_OFF, "the client left before it was let in")
    return near
