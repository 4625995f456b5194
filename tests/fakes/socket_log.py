"""A socket's receiver that writes down what it hears."""

import asyncio
from collections.abc import Callable


class SocketLog:
    """Collects messages and closes; `closed` is set at the close, `react` is called for each message."""

    def __init__(self, react: Callable[[str | bytes], None] | None = None) -> None:
        self.heard: list[str | bytes] = []
        self.closes: list[tuple[int, str]] = []
        self.ours = False
        self.closed = asyncio.Event()
        self.changed = asyncio.Event()
        self._react = react

    def on_text(self, text: str) -> None:
        self._hear(text)

    def on_bytes(self, data: bytes) -> None:
        self._hear(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closes.append((code, reason))
        self.ours = ours
        self.closed.set()
        self.changed.set()

    async def wait_heard(self, n: int) -> list[str | bytes]:
        """Wait until n messages have come."""
        while len(self.heard) < n:
            self.changed.clear()
            await self.changed.wait()
        return self.heard

    def _hear(self, message: str | bytes) -> None:
        assert not self.closes, "on_close comes last"
        self.heard.append(message)
        self.changed.set()
        if self._react is not None:
            self._react(message)
