"""AudioSocket's plain TCP connections as media sockets: each frame is one binary message, header included.

Source: reference telephony 5.7; the frames are cut by `bridge.wire.carriers.audiosocket.TlvReader`. `TcpSocket` is a
connection whose messages are pieces of any size; `FrameSocket` makes frames of the pieces of any such socket, so that
it can stand on one in memory too. A connection has no closing handshake: a close sends what waits, for a while.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from bridge.errors import RemoteWireError
from bridge.legs.inbox import Inbox
from bridge.legs.media_socket import (
    SERVER_LIMITS,
    MediaSocket,
    SocketLimits,
    SocketReceiver,
    fit_reason,
)
from bridge.legs.reset import reset
from bridge.legs.write_watch import WriteWatch
from bridge.wire.carriers.audiosocket import TlvReader
from bridge.wire.close_codes import BROKE_OFF, NORMAL, NOTHING_SAID, POLICY, TRY_LATER

MAX_CONNECTIONS: Final = 500

Take = Callable[[MediaSocket], None]
"""Takes a connection over; the socket is not started yet."""


class TcpSocket(asyncio.Protocol):
    """A `MediaSocket` over one TCP connection; what comes is handed on in pieces of any size.

    Args:
        limits: what the peer may do.
        on_made: called once when the connection is there.
        on_gone: called once when it is gone, after the receiver's `on_close`.
    """

    def __init__(
        self,
        limits: SocketLimits,
        on_made: Callable[["TcpSocket"], None],
        on_gone: Callable[["TcpSocket"], None],
    ) -> None:
        self._limits = limits
        self._on_made = on_made
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox(limits, self.close)
        self._peer = "unknown"
        self._end: tuple[int, str] | None = None
        self._ours = False
        self._cutting: asyncio.TimerHandle | None = None

    # The MediaSocket side

    @property
    def buffered_bytes(self) -> int:
        """Bytes that wait for the kernel."""
        return self._transport.get_write_buffer_size()

    @property
    def peer(self) -> str:
        """Host and port of the other end."""
        return self._peer

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._inbox.start(receiver)

    def send_text(self, text: str) -> None:
        """A stream of bytes knows no text.

        Raises: TypeError.
        """
        raise TypeError(f"{len(text)} characters of text cannot be sent over a stream of bytes")

    def send_bytes(self, data: bytes) -> None:
        """See MediaSocket."""
        if not self._transport.is_closing():
            self._transport.write(data)
            if self._watch.paused:
                self._watch.wrote(len(data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close once everything is sent, or cut the connection when that takes too long; only we hear the code."""
        if self._end is not None:
            return
        self._inbox.mute()
        self._end, self._ours = (code, fit_reason(reason)), True
        self._watch.stop()
        self._transport.close()
        self._cutting = self._loop.call_later(self._limits.close_s, reset, self._transport)

    def cut(self) -> None:
        """Be rid of the connection at once."""
        self.close(TRY_LATER)
        reset(self._transport)

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The peer has connected."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        if isinstance(name, tuple):
            self._peer = f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
        self._watch = WriteWatch(
            self._transport,
            max_buffered_bytes=self._limits.max_buffered_bytes,
            stall_s=self._limits.stall_s,
            give_up=lambda sentence: self.close(TRY_LATER, sentence),
        )
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """The peer has sent something."""
        self._inbox.data(data)

    def eof_received(self) -> None:
        """The peer is done; the connection closes by itself."""
        self._end = self._end or (NOTHING_SAID, "")

    def pause_writing(self) -> None:
        """The write buffer has passed its mark."""
        if self._end is None:
            self._watch.pause()

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        self._watch.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._watch.stop()
        if self._cutting is not None:
            self._cutting.cancel()
        why = "it was closed" if exc is None else str(exc)
        code, reason = self._end or (BROKE_OFF, f"the connection broke: {why}")
        self._inbox.close(code, reason, ours=self._ours)
        self._on_gone(self)


class FrameSocket:
    """A `MediaSocket` whose messages are AudioSocket frames, over one whose messages are pieces of the stream.

    Args:
        stream: not started yet; what is sent over this socket goes through as it is.
    """

    def __init__(self, stream: MediaSocket) -> None:
        self._stream = stream
        self._reader = TlvReader()
        self._receiver: SocketReceiver | None = None

    @property
    def buffered_bytes(self) -> int:
        """See MediaSocket."""
        return self._stream.buffered_bytes

    @property
    def peer(self) -> str:
        """See MediaSocket."""
        return self._stream.peer

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._receiver = receiver
        self._stream.start(self)

    def send_text(self, text: str) -> None:
        """See TcpSocket."""
        self._stream.send_text(text)

    def send_bytes(self, data: bytes) -> None:
        """Send a frame."""
        self._stream.send_bytes(data)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See MediaSocket."""
        self._stream.close(code, reason)

    # What comes

    def on_text(self, text: str) -> None:
        """No stream of bytes delivers text."""
        self._stream.close(POLICY, f"{len(text)} characters of text on a stream of bytes")

    def on_bytes(self, data: bytes) -> None:
        """A piece of the stream."""
        assert self._receiver is not None
        try:
            frames = self._reader.feed(data)
        except RemoteWireError as exc:
            self._stream.close(exc.close_code, str(exc))
            return
        for frame in frames:
            self._receiver.on_bytes(frame)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The stream is over; half a frame is lost with it."""
        assert self._receiver is not None
        self._receiver.on_close(code, reason, ours=ours)


class AudioSocketListener:
    """A port for AudioSocket connections; `listen` opens it.

    Args:
        take: takes each connection over.
        limits: what a peer may do.
        max_connections: at once; one more is cut.
    """

    def __init__(self, take: Take, limits: SocketLimits, max_connections: int) -> None:
        self._take = take
        self._limits = limits
        self._max = max_connections
        self._open: set[TcpSocket] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen. Raises: OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Take no more connections; those that are open go on."""
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Take no more, and cut those that are open."""
        self.stop()
        for socket in list(self._open):
            socket.cut()

    def _connection(self) -> TcpSocket:
        return TcpSocket(self._limits, self._made, self._gone)

    def _made(self, socket: TcpSocket) -> None:
        if len(self._open) >= self._max:
            socket.cut()
            return
        self._open.add(socket)
        self._take(FrameSocket(socket))

    def _gone(self, socket: TcpSocket) -> None:
        self._open.discard(socket)


async def listen(
    host: str,
    port: int,
    take: Take,
    *,
    limits: SocketLimits = SERVER_LIMITS,
    max_connections: int = MAX_CONNECTIONS,
) -> AudioSocketListener:
    """Listen for AudioSocket connections; a port of 0 is any that is free.

    Raises: OSError if the port cannot be had.
    """
    listener = AudioSocketListener(take, limits, max_connections)
    await listener.open(host, port)
    return listener
