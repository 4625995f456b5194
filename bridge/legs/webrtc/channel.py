"""A data channel: messages, bounded in both directions.

Sources: reference webrtc 2 and 4, reliability 4.10 (B5) and 5. A peer that does not read what it is sent, or sends
messages of a size that nobody has use for, loses them; both are counted.
"""

from collections.abc import Callable
from typing import Final

from aiortc import RTCDataChannel
from aiortc.exceptions import InvalidStateError

MAX_MESSAGE_BYTES: Final = 256 * 1024
MAX_BUFFERED_BYTES: Final = 1024 * 1024


class Channel:
    """One channel of a peer. The callbacks are set by whoever uses it; they must not wait."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self.label = channel.label
        self.on_open: Callable[[], None] | None = None
        self.on_message: Callable[[bytes | str], None] | None = None
        self.on_close: Callable[[], None] | None = None
        self.on_too_long: Callable[[], None] | None = None
        """Called for a message of the peer's that is longer than anybody has use for."""
        self.dropped = 0
        """Messages that were too long for one of the two, or more than the peer reads."""
        self._channel = channel
        channel.on("open", self._opened)
        channel.on("message", self._came)
        channel.on("close", self._closed)

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self._channel.readyState == "open"

    def send(self, message: bytes | str) -> bool:
        """Send; false if it cannot be: the channel is not open, or the peer reads too slowly or takes none so long."""
        if not self.open:
            return False
        if self._channel.bufferedAmount > MAX_BUFFERED_BYTES:
            self.dropped += 1
            return False
        try:
            self._channel.send(message)
        except InvalidStateError:
            return False
        except ValueError:  # longer than the peer's description says that it takes
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Close; may be called again."""
        if self._channel.readyState in ("open", "connecting"):
            self._channel.close()

    def forget(self) -> None:
        """Call nobody back any more."""
        self.on_open = self.on_message = self.on_close = self.on_too_long = None

    def _opened(self) -> None:
        if self.on_open is not None:
            self.on_open()

    def _came(self, message: bytes | str) -> None:
        if len(message) > MAX_MESSAGE_BYTES:
            self.dropped += 1
            if self.on_too_long is not None:
                self.on_too_long()
        elif self.on_message is not None:
            self.on_message(message)

    def _closed(self) -> None:
        if self.on_close is not None:
            self.on_close()
