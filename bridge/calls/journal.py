"""What one call writes down while it runs: messages with their ordinals, and events.

Records are made at once and in order; keeping them in the store is a task of the call, so that nothing in the
conversation waits for a store.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bridge.brains.base import HistoryItem
from bridge.calls.records import (
    CallRecord,
    EventRecord,
    MessageRecord,
    Severity,
    StageRecord,
    Timespan,
)
from bridge.calls.settings import OutputMedium, Role
from bridge.calls.store import Store
from bridge.ids import Ids
from bridge.log import whereabouts

log = logging.getLogger(__name__)

OnEvent = Callable[[EventRecord], None]

MAX_CHARACTERS: Final = 1_000_000
"""Text that one call may add: some fifteen hours of talk, and far less than a client can send."""


class CallJournal:
    """The journal of one live call.

    Args:
        record: the call, joined.
        stage: its stage.
        initial: messages the call starts from, already in the store.
        store: keeps the records.
        ids: makes invocation ids.
        now: wall clock, aware UTC.

    Attributes:
        on_event: told of each event (the ``call_event`` message).
        call_state: the state that tools read and replace (reference 7.14: we replace, not merge).
    """

    def __init__(
        self,
        record: CallRecord,
        stage: StageRecord,
        initial: Sequence[MessageRecord],
        *,
        store: Store,
        ids: Ids,
        now: Callable[[], datetime],
    ) -> None:
        self.call_state: Mapping[str, object] = record.settings.initial_state
        self.on_event: OnEvent | None = None
        self.stage_id = stage.stage_id
        self._record = record
        self._messages: list[MessageRecord] = list(initial)
        self._n_initial = len(initial)
        self._n_characters = 0
        self._store = store
        self._ids = ids
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._unkept: deque[Callable[[], Awaitable[None]]] = deque()
        self._something = asyncio.Event()
        self._closed = False

    def add(  # noqa: PLR0913 - a message has that many parts
        self,
        role: Role,
        text: str,
        *,
        medium: OutputMedium,
        invocation_id: str | None = None,
        tool_name: str | None = None,
        error: str | None = None,
        heard_span_ms: tuple[float, float] | None = None,
        call_state: Mapping[str, object] | None = None,
    ) -> int:
        """Add a message and return its ordinal (reference 1.6: from 0, shared by all roles)."""
        if call_state is not None:
            self.call_state = call_state
        at = self._call_s()
        heard = heard_span_ms or (1000 * at, 1000 * at)
        message = MessageRecord(
            stage_id=self.stage_id,
            index=len(self._messages),
            role=role,
            text=text,
            medium=medium,
            ordinal=len(self._messages) - self._n_initial,
            invocation_id=invocation_id,
            tool_name=tool_name,
            error_details=error,
            timespan=Timespan(heard[0] / 1000, heard[1] / 1000),
            wall_clock_timespan=Timespan(at if heard_span_ms is None else heard[0] / 1000, at),
            call_state=call_state,
        )
        self._messages.append(message)
        self._n_characters += len(text)
        self._keep(lambda: self._store.add_message(self._record.call_id, message))
        assert message.ordinal is not None
        return message.ordinal

    @property
    def full(self) -> bool:
        """Whether the call has added so much text that it should take no more from its client."""
        return self._n_characters >= MAX_CHARACTERS

    def finish(self, ordinal: int, text: str) -> None:
        """The agent's message is over: ``text`` is what was heard of it."""
        message = self._messages[self._n_initial + ordinal]
        self._n_characters += len(text) - len(message.text)
        message.text = text
        at = self._call_s()
        start_s = at if message.timespan is None else message.timespan.start_s
        message.timespan = message.wall_clock_timespan = Timespan(start_s, at)

    def event(self, type_: str, text: str, severity: Severity = "info", **extras: object) -> None:
        """Record an event; ``type_`` has at most 50 characters."""
        at = self._call_s()
        record = EventRecord(
            self.stage_id, type_, severity, text, at, wall_clock_s=at, extras=extras or None
        )
        self._keep(lambda: self._store.add_event(self._record.call_id, record))
        if self.on_event is not None:
            self.on_event(record)

    def history(self) -> Sequence[HistoryItem]:
        """The conversation so far, as a brain reads it; blank agent messages are left out."""
        return [
            HistoryItem(message.role, message.text, message.tool_name or "")
            for message in self._messages
            if message.text or message.role != "agent"
        ]

    def messages(self) -> Sequence[MessageRecord]:
        """All messages so far, initial ones included."""
        return self._messages

    def invocation_id(self) -> str:
        """A new id for a tool invocation."""
        return self._ids.invocation_id()

    async def keep(self) -> None:
        """Hand records to the store until `close`: a task of the call.

        A record that the store refuses is lost, and no other.
        """
        while self._unkept or not self._closed:
            await self._something.wait()
            self._something.clear()
            while self._unkept:
                try:
                    await self._unkept.popleft()()
                except Exception as exc:  # noqa: BLE001 - whatever the store raises, the call goes on
                    call_id, where = self._record.call_id, whereabouts(exc)
                    log.error("! a record of call %s is lost: %s", call_id, where)  # noqa: TRY400 - no words of it

    def close(self) -> None:
        """Nothing comes any more: `keep` returns when all is kept."""
        self._closed = True
        self._something.set()

    def _keep(self, write: Callable[[], Awaitable[None]]) -> None:
        self._unkept.append(write)
        self._something.set()

    def _call_s(self) -> float:
        return self._loop.time() - self._started_s
