"""What stands between a socket and its receiver: the waiting room, the guard and the one close.

Both kinds of media socket deliver through this, so that both keep the same promises.
"""

import asyncio
import logging
from collections.abc import Callable

from bridge.legs.media_socket import SocketLimits, SocketReceiver
from bridge.wire.close_codes import INTERNAL_ERROR, POLICY

log = logging.getLogger(__name__)


class Inbox:
    """Delivers to a receiver once there is one, and `on_close` exactly once, after everything else.

    `fail(code, reason)` is called when the socket has to be closed: the receiver raised, or too much came
    before there was one.

    Attributes:
        on_text: takes a text message now; `text` around it does not let what the receiver raises through.
        on_bytes: the same for a binary message and `data`.
    """

    def __init__(self, limits: SocketLimits, fail: Callable[[int, str], None]) -> None:
        self.on_text: Callable[[str], None] = self._keep
        self.on_bytes: Callable[[bytes], None] = self._keep
        self._limits = limits
        self._fail = fail
        self._receiver: SocketReceiver | None = None
        self._kept: list[str | bytes] = []
        self._kept_bytes = 0
        self._started = False
        self._muted = False
        self._closed: tuple[int, str, bool] | None = None

    def start(self, receiver: SocketReceiver) -> None:
        """Deliver to this receiver from the loop's next round on."""
        assert not self._started, "a socket has one receiver"
        self._started = True
        asyncio.get_running_loop().call_soon(self._begin, receiver)

    def text(self, text: str) -> None:
        """A text message arrived."""
        try:
            self.on_text(text)
        except Exception as error:  # noqa: BLE001 - whatever the receiver raises ends its own socket only
            self.blame(error)

    def data(self, data: bytes) -> None:
        """A binary message arrived."""
        try:
            self.on_bytes(data)
        except Exception as error:  # noqa: BLE001
            self.blame(error)

    def mute(self) -> None:
        """Deliver no more messages: the socket is being closed from our side."""
        self._muted = True
        self.on_text = self.on_bytes = _forget
        self._kept.clear()

    def close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The socket is over, closed by this end or not; the receiver hears it after what came before."""
        if self._closed is None:
            self._closed = (code, reason, ours)
            if self._receiver is not None:
                self._finish(self._receiver)

    def blame(self, error: Exception) -> None:
        """The receiver has raised: its socket ends."""
        log.error("! the receiver of a media socket raised", exc_info=error)
        self._fail(INTERNAL_ERROR, "internal error")

    def _begin(self, receiver: SocketReceiver) -> None:
        self._receiver = receiver
        if not self._muted:
            self.on_text, self.on_bytes = receiver.on_text, receiver.on_bytes
        kept, self._kept = self._kept, []
        for message in kept:
            if isinstance(message, str):
                self.text(message)
            else:
                self.data(message)
        if self._closed is not None:
            self._finish(receiver)

    def _finish(self, receiver: SocketReceiver) -> None:
        assert self._closed is not None
        self.mute()
        try:
            code, reason, ours = self._closed
            receiver.on_close(code, reason, ours=ours)
        except Exception:
            log.exception("! on_close of a media socket raised")

    def _keep(self, message: str | bytes) -> None:
        self._kept.append(message)
        self._kept_bytes += len(message)
        if (
            len(self._kept) > self._limits.max_kept_messages
            or self._kept_bytes > self._limits.max_kept_bytes
        ):
            self._fail(POLICY, "too much was sent before the call began")


def _forget(message: str | bytes) -> None:
    """Nothing is delivered any more."""
