"""Who wants to know what happens in a call: callbacks and readers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, get_args

from bridge.errors import UsageError, did_you_mean
from bridge.talk.events import CallEnded, Noted, SessionEvent
from bridge.talk.faults import fault

MAX_BEHIND: Final = 1_000
"""Events that a reader may be behind; then the oldest are left out."""

_KINDS: Final[dict[str, type[SessionEvent]]] = {each.kind: each for each in get_args(SessionEvent)}


class News:
    """Hands events on, in order, to all who asked for them.

    Args:
        now: seconds since the call was joined.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._callbacks: list[tuple[type[SessionEvent], Callable[[Any], object]]] = []
        self._readers: list[_Reader] = []
        self._over: CallEnded | None = None

    def on(self, event: type[Any] | str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """See CallSession.on."""
        entry = (_kind(event), callback)
        self._callbacks.append(entry)

        def take_back() -> None:
            if entry in self._callbacks:
                self._callbacks.remove(entry)

        return take_back

    def tell(self, event: SessionEvent) -> None:
        """Something happened; who asked is told now, a reader when it reads."""
        if isinstance(event, CallEnded):
            self._over = event
        for reader in self._readers:
            reader.put(event)
        for kind, callback in tuple(self._callbacks):
            if isinstance(event, kind):
                self._call(callback, event)

    def read(self) -> AsyncIterator[SessionEvent]:
        """See CallSession.events."""
        reader = _Reader(self._now)
        if self._over is not None:
            reader.put(self._over)
        self._readers.append(reader)
        return reader

    def _call(self, callback: Callable[[Any], object], event: SessionEvent) -> None:
        try:
            callback(event)
        except Exception as exc:  # noqa: BLE001 - the border of the call: another's bug is no reason to end it
            if not isinstance(event, Noted):
                what = f"a callback for {event.kind} failed: {fault(exc)}"
                self.tell(Noted(self._now(), what))


class _Reader:
    """One reader's events that are not read yet."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._events: deque[SessionEvent] = deque()
        self._missed = 0
        self._came = asyncio.Event()
        self._over = False

    def put(self, event: SessionEvent) -> None:
        """One more."""
        if len(self._events) >= MAX_BEHIND:
            self._events.popleft()
            self._missed += 1
        self._events.append(event)
        self._came.set()

    def __aiter__(self) -> "_Reader":
        return self

    async def __anext__(self) -> SessionEvent:
        if self._missed:
            missed, self._missed = self._missed, 0
            return Noted(self._now(), f"{missed} events were not read in time and are left out")
        while not self._events:
            if self._over:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        event = self._events.popleft()
        self._over = isinstance(event, CallEnded)
        return event


def _kind(event: type[Any] | str) -> type[Any]:
    if not isinstance(event, str):
        return event
    if event not in _KINDS:
        raise UsageError(f"there is no event {event[:80]!r}{did_you_mean(event, list(_KINDS))}")
    return _KINDS[event]
