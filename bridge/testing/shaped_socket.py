"""A media socket with a network in front of it: messages take their time both ways, in order, or the line breaks."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from bridge.legs.media_socket import MediaSocket, SocketReceiver
from bridge.testing.profiles import Path
from bridge.wire.close_codes import BROKE_OFF, NORMAL


class ShapedSocket:
    """The carrier's end of a socket, behind a network of some kind.

    Args:
        inner: the socket itself.
        out: the way to the application.
        back: the way from it.
    """

    def __init__(self, inner: MediaSocket, out: Path, back: Path) -> None:
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._out = _Delay(self._loop, out)
        self._back = _Delay(self._loop, back)
        self._receiver: SocketReceiver | None = None
        self._unsent = 0
        self._broken = False

    @property
    def buffered_bytes(self) -> int:
        """Bytes on the way in the network, and what the socket itself holds."""
        return self._unsent + self._inner.buffered_bytes

    @property
    def peer(self) -> str:
        """The application's address."""
        return self._inner.peer

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._receiver = receiver
        self._inner.start(self)

    def send_text(self, text: str) -> None:
        """See MediaSocket."""
        self._send(len(text), partial(self._inner.send_text, text))

    def send_bytes(self, data: bytes) -> None:
        """See MediaSocket."""
        self._send(len(data), partial(self._inner.send_bytes, data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See MediaSocket; the closing comes behind what was sent."""
        self._out.pass_on(partial(self._inner.close, code, reason))

    def break_off(self) -> None:
        """The connection is lost, without a word, both ways."""
        if not self._broken:
            self._broken = True
            self._out.drop()
            self._back.drop()
            abort(self._inner)

    # What comes from the application

    def on_text(self, text: str) -> None:
        """A text message has left the application."""
        self._deliver(lambda receiver: receiver.on_text(text))

    def on_bytes(self, data: bytes) -> None:
        """A binary message has left it."""
        self._deliver(lambda receiver: receiver.on_bytes(data))

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The socket is over."""
        self._out.drop()
        if self._broken:
            code, reason, ours = BROKE_OFF, "the network broke", False
        self._deliver(lambda receiver: receiver.on_close(code, reason, ours=ours))

    def _send(self, size: int, send: Callable[[], None]) -> None:
        if self._broken:
            return
        self._unsent += size

        def leave() -> None:
            self._unsent -= size
            send()

        self._out.pass_on(leave)

    def _deliver(self, deliver: Callable[[SocketReceiver], None]) -> None:
        receiver = self._receiver
        assert receiver is not None
        self._back.pass_on(lambda: deliver(receiver))


class _Delay:
    """Does things later, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path) -> None:
        self._loop = loop
        self._path = path
        self._waiting: deque[Callable[[], None]] = deque()
        self._timers: deque[asyncio.TimerHandle] = deque()

    def pass_on(self, work: Callable[[], None]) -> None:
        """Do it when a message that leaves now would arrive."""
        self._waiting.append(work)
        at_s = self._path.arrival(self._loop.time())
        self._timers.append(self._loop.call_at(at_s, self._next))

    def drop(self) -> None:
        """Nothing that is on the way arrives."""
        self._waiting.clear()
        while self._timers:
            self._timers.popleft().cancel()

    def _next(self) -> None:
        # Two timers of one instant may fire in either order: what comes first is in the queue.
        self._timers.popleft()
        self._waiting.popleft()()


def abort(socket: MediaSocket) -> None:
    """Lose a socket's connection without a closing handshake, where it can be; else close it."""
    cut = getattr(socket, "abort", None)
    if cut is None:
        socket.close()
    else:
        cut()
