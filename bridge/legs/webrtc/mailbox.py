"""Data messages for a client that is not always there.

They wait until the client has published its microphone and opened its data channel (reference webrtc 1, ultravox 3.2):
some clients lose what comes earlier. What went out on a connection after the last sign of life that came on it was
lost with it, and goes out again on the next one; nothing goes out twice that may have arrived, nor on a connection that
comes to life again: it repeats by itself what was lost on the way.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

MAX_WAITING: Final = 1_000
"""Messages kept for a client that is away; the oldest give way."""
SIGNS_S: Final = 0.06
"""While a client speaks or is silent, packets of its microphone come more often than this."""
UNCERTAIN_S: Final = 60.0
"""For so long a message may turn out to be lost."""


class Mailbox:
    """Sends in order, keeps in order.

    Args:
        now: the loop's time, s.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._dropped = 0
        self._now = now
        self._waiting: deque[str] = deque()
        self._sent: deque[tuple[float, str]] = deque()
        self._send: Callable[[str], None] | None = None
        self._last: Callable[[str], None] | None = None
        self._n_again = 0
        """Of those that wait, the first ones: they went out by the last way."""

    def post(self, text: str) -> None:
        """Send a message now, or when the way is open."""
        if self._send is not None:
            self._send_now(self._send, text)
            return
        self._waiting.append(text)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self._dropped += 1
            self._n_again = max(0, self._n_again - 1)

    def open(self, send: Callable[[str], None]) -> None:
        """The way is open: what waits goes out first."""
        if send == self._last:
            for _ in range(self._n_again):
                self._waiting.popleft()
        self._n_again = 0
        self._send = self._last = send
        self._sent.clear()  # of a connection before
        while self._waiting and self._send is send:
            self._send_now(send, self._waiting.popleft())

    def shut(self, heard_s: float) -> None:
        """The way is shut; `heard_s`: when the last sign of life came on it."""
        if self._send is None:
            return
        self._send = None
        lost = [text for sent_s, text in self._sent if sent_s > heard_s + SIGNS_S]
        self._waiting.extendleft(reversed(lost))
        self._n_again = len(lost)
        self._sent.clear()

    def take_dropped(self) -> int:
        """How many messages gave way since the last time, because too many waited."""
        n, self._dropped = self._dropped, 0
        return n

    def _send_now(self, send: Callable[[str], None], text: str) -> None:
        now_s = self._now()
        while self._sent and self._sent[0][0] < now_s - UNCERTAIN_S:
            self._sent.popleft()
        self._sent.append((now_s, text))
        send(text)
