"""Where records are kept: what a store must do, and the store that keeps them in memory.

Records handed to a store stay the caller's to change; `save_call` tells the store that it happened.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from bridge.calls.errors import CallNotFound, StageNotFound
from bridge.calls.paging import Key, Page, Window, cut
from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.records import CallRecord, EventRecord, MessageRecord, StageRecord, Tombstone

T = TypeVar("T")

MAX_KEPT: Final = 10_000
"""How many calls are remembered unless said otherwise."""


class Store(Protocol):
    """Records of calls. An id that is not there raises CallNotFound or StageNotFound."""

    async def add_call(self, call: CallRecord) -> None:
        """Keep a new call."""

    async def save_call(self, call: CallRecord) -> None:
        """Keep what has changed in a call."""

    async def call(self, call_id: str) -> CallRecord:
        """The call of that id."""

    async def calls(self, query: CallQuery, window: Window) -> Page[CallRecord]:
        """Calls in order of their creation."""

    async def delete_call(self, call_id: str, at: datetime) -> Tombstone:
        """Forget a call and all that belongs to it but its tombstone."""

    async def tombstone(self, call_id: str) -> Tombstone:
        """What is left of a deleted call."""

    async def add_stage(self, stage: StageRecord) -> None:
        """Keep a new stage; the last one added is the call's last stage."""

    async def stage(self, call_id: str, stage_id: str | None = None) -> StageRecord:
        """The stage of that id, or the last one."""

    async def stages(self, call_id: str, window: Window) -> Page[StageRecord]:
        """The stages of a call, oldest first."""

    async def add_message(self, call_id: str, message: MessageRecord) -> None:
        """Keep a new message."""

    async def messages(
        self, call_id: str, query: MessageQuery, window: Window
    ) -> Page[MessageRecord]:
        """The messages of a call, oldest first."""

    async def add_event(self, call_id: str, event: EventRecord) -> None:
        """Keep a new event."""

    async def events(self, call_id: str, query: EventQuery, window: Window) -> Page[EventRecord]:
        """The events of a call, oldest first."""


class _Log(Generic[T]):
    """A list that forgets its oldest entries; each entry keeps the number it came with."""

    def __init__(self, limit: int | None = None) -> None:
        self._entries: deque[T] = deque(maxlen=limit)
        self._added = 0

    def add(self, entry: T) -> None:
        self._entries.append(entry)
        self._added += 1

    def page(self, window: Window, takes: Callable[[T], bool]) -> Page[T]:
        first = self._added - len(self._entries)
        taken = [(at, each) for at, each in enumerate(self._entries, first) if takes(each)]
        keys: list[Key] = [(at, "") for at, _ in taken]
        return cut([each for _, each in taken], keys, window)


@dataclass(slots=True)
class _Shelf:
    """All that is kept of one call."""

    call: CallRecord
    messages: _Log[MessageRecord]
    events: _Log[EventRecord]
    stages: list[StageRecord] = field(default_factory=list)

    @property
    def last_stage_id(self) -> str | None:
        return self.stages[-1].stage_id if self.stages else None


class MemoryStore:
    """A Store in memory, bounded: beyond a limit the oldest entry gives way.

    Calls that have not ended never give way, so `max_calls` is a bound on the ended ones; admission
    bounds the others. `on_forget` is told of each call that gave way (its recording may go too).
    """

    def __init__(
        self,
        *,
        max_calls: int = MAX_KEPT,
        max_messages: int = 10_000,
        max_events: int = 2_000,
        on_forget: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self._max_calls = max_calls
        self._max_messages = max_messages
        self._max_events = max_events
        self._on_forget = on_forget
        self._shelves: dict[str, _Shelf] = {}
        self._tombstones: dict[str, Tombstone] = {}

    async def add_call(self, call: CallRecord) -> None:
        """Keep a new call; the oldest ended one gives way when there are too many."""
        self._make_room()
        messages = _Log[MessageRecord](self._max_messages)
        self._shelves[call.call_id] = _Shelf(call, messages, _Log(self._max_events))

    async def save_call(self, call: CallRecord) -> None:
        """Keep what has changed in a call."""
        self._shelf(call.call_id).call = call

    async def call(self, call_id: str) -> CallRecord:
        """The call of that id."""
        return self._shelf(call_id).call

    async def calls(self, query: CallQuery, window: Window) -> Page[CallRecord]:
        """Calls in order of their creation, newest first unless asked otherwise."""
        sign = -1 if query.newest_first else 1
        taken = [each.call for each in self._shelves.values() if query.takes(each.call)]
        taken.sort(key=lambda call: _created_key(call, sign))
        return cut(taken, [_created_key(call, sign) for call in taken], window)

    async def delete_call(self, call_id: str, at: datetime) -> Tombstone:
        """Forget a call and all that belongs to it but its tombstone."""
        call = self._shelf(call_id).call
        del self._shelves[call_id]
        while len(self._tombstones) >= self._max_calls:
            del self._tombstones[next(iter(self._tombstones))]
        self._tombstones[call_id] = tombstone = _tombstone(call, at)
        return tombstone

    async def tombstone(self, call_id: str) -> Tombstone:
        """What is left of a deleted call."""
        if call_id not in self._tombstones:
            raise CallNotFound("No deleted call has this id.")
        return self._tombstones[call_id]

    async def add_stage(self, stage: StageRecord) -> None:
        """Keep a new stage; the last one added is the call's last stage."""
        self._shelf(stage.call_id).stages.append(stage)

    async def stage(self, call_id: str, stage_id: str | None = None) -> StageRecord:
        """The stage of that id, or the last one."""
        for stage in reversed(self._shelf(call_id).stages):
            if stage_id in (None, stage.stage_id):
                return stage
        raise StageNotFound("This call has no such stage.")

    async def stages(self, call_id: str, window: Window) -> Page[StageRecord]:
        """The stages of a call, oldest first."""
        stages: Sequence[StageRecord] = self._shelf(call_id).stages
        return cut(stages, [(at, "") for at in range(len(stages))], window)

    async def add_message(self, call_id: str, message: MessageRecord) -> None:
        """Keep a new message."""
        self._shelf(call_id).messages.add(message)

    async def messages(
        self, call_id: str, query: MessageQuery, window: Window
    ) -> Page[MessageRecord]:
        """The messages of a call, oldest first."""
        if query.stage_id is not None:
            await self.stage(call_id, query.stage_id)
        shelf = self._shelf(call_id)
        last = shelf.last_stage_id
        return shelf.messages.page(window, lambda each: query.takes(each, last_stage_id=last))

    async def add_event(self, call_id: str, event: EventRecord) -> None:
        """Keep a new event."""
        self._shelf(call_id).events.add(event)

    async def events(self, call_id: str, query: EventQuery, window: Window) -> Page[EventRecord]:
        """The events of a call, oldest first."""
        return self._shelf(call_id).events.page(window, query.takes)

    def _shelf(self, call_id: str) -> _Shelf:
        shelf = self._shelves.get(call_id)
        if shelf is None:
            raise CallNotFound("No call has this id.")
        return shelf

    def _make_room(self) -> None:
        too_many = len(self._shelves) + 1 - self._max_calls
        if too_many <= 0:
            return
        ended = [each.call for each in self._shelves.values() if each.call.ended is not None]
        for gone in ended[:too_many]:
            del self._shelves[gone.call_id]
            if self._on_forget is not None:
                self._on_forget(gone)


def _created_key(call: CallRecord, sign: int) -> Key:
    return sign * round(call.created.timestamp() * 1_000_000), call.call_id


def _tombstone(call: CallRecord, at: datetime) -> Tombstone:
    return Tombstone(
        call_id=call.call_id,
        created=call.created,
        deleted=at,
        joined=call.joined,
        ended=call.ended,
        end_reason=call.end_reason,
        max_duration_s=call.settings.max_duration_s,
        recording_enabled=call.settings.recording_enabled,
        had_summary=call.summary is not None,
    )
