"""A media socket whose first message is looked at before anybody takes it."""

import asyncio

from bridge.legs.inbox import Inbox
from bridge.legs.media_socket import CLIENT_LIMITS, MediaSocket, SocketLimits, SocketReceiver
from bridge.wire.close_codes import NORMAL


class PeekedSocket:
    """Keeps what comes until it is started, the first message included, like the socket that it stands for.

    Args:
        socket: connected and not started; it belongs to this one from now on.
        limits: what may wait.
    """

    def __init__(self, socket: MediaSocket, limits: SocketLimits = CLIENT_LIMITS) -> None:
        self._socket = socket
        self._inbox = Inbox(limits, self.close)
        loop = asyncio.get_running_loop()
        self._first: asyncio.Future[str | None] = loop.create_future()
        self.send_text = socket.send_text
        self.send_bytes = socket.send_bytes
        socket.start(self)

    async def first_text(self, within_s: float) -> str | None:
        """The first message if it is a text; None: it is audio, the socket is over, or nothing came in time."""
        await asyncio.wait((self._first,), timeout=within_s)
        return self._first.result() if self._first.done() else None

    # A MediaSocket

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._inbox.start(receiver)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See MediaSocket."""
        self._inbox.mute()
        self._socket.close(code, reason)

    @property
    def buffered_bytes(self) -> int:
        """See MediaSocket."""
        return self._socket.buffered_bytes

    @property
    def peer(self) -> str:
        """See MediaSocket."""
        return self._socket.peer

    # A SocketReceiver

    def on_text(self, text: str) -> None:
        """A message came."""
        self._is_there(text)
        self._inbox.text(text)

    def on_bytes(self, data: bytes) -> None:
        """Audio came."""
        self._is_there(None)
        self._inbox.data(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The socket is over."""
        self._is_there(None)
        self._inbox.close(code, reason, ours=ours)

    def _is_there(self, first: str | None) -> None:
        if not self._first.done():
            self._first.set_result(first)
