"""What can be asked of the calls in a store, beside the window to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

from bridge.calls.records import SEVERITIES, CallRecord, EventRecord, MessageRecord, Severity


@dataclass(frozen=True, slots=True)
class CallQuery:
    """A filter over calls; every part that is set must hold. Bounds are inclusive.

    `agent_ids` matches no call: calls of this server belong to no stored agent.
    """

    created_from: datetime | None = None
    created_to: datetime | None = None
    day_from: time | None = None
    day_to: time | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    search: str | None = None
    voice: str | None = None
    agent_ids: tuple[str, ...] = ()
    newest_first: bool = True

    def takes(self, call: CallRecord) -> bool:
        """Whether the call passes the filter."""
        return (
            not self.agent_ids
            and self._takes_time(call.created)
            and self._takes_duration(call.duration_s)
            and self._takes_words(call)
        )

    def _takes_time(self, created: datetime) -> bool:
        return (
            (self.created_from is None or self.created_from <= created)
            and (self.created_to is None or created <= self.created_to)
            and (self.day_from is None or self.day_from <= created.time())
            and (self.day_to is None or created.time() <= self.day_to)
        )

    def _takes_duration(self, duration_s: float | None) -> bool:
        if self.min_duration_s is None and self.max_duration_s is None:
            return True
        if duration_s is None:
            return False
        return (self.min_duration_s or 0.0) <= duration_s and (
            self.max_duration_s is None or duration_s <= self.max_duration_s
        )

    def _takes_words(self, call: CallRecord) -> bool:
        settings = call.settings
        if self.voice is not None and settings.voice != self.voice:
            return False
        if any(settings.metadata.get(key) != value for key, value in self.metadata.items()):
            return False
        if self.search is None:
            return True
        wanted = self.search.casefold()
        return any(wanted in text.casefold() for text in _searched(call))


def _searched(call: CallRecord) -> list[str]:
    texts = (call.call_id, call.settings.system_prompt, call.short_summary, call.summary)
    return [*filter(None, texts), *call.settings.metadata.values()]


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which messages: those of one stage, of the last stage, or of all stages.

    "in_call" leaves out the messages that a stage began with.
    """

    mode: Literal["last_stage", "in_call"] = "last_stage"
    stage_id: str | None = None

    def takes(self, message: MessageRecord, *, last_stage_id: str | None) -> bool:
        """Whether the message is asked for, in a call whose last stage is given."""
        if self.stage_id is not None:
            return message.stage_id == self.stage_id
        if self.mode == "in_call":
            return not message.initial
        return message.stage_id == last_stage_id


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events: of at least this severity and, if set, of one type."""

    minimum_severity: Severity = "info"
    type: str | None = None

    def takes(self, event: EventRecord) -> bool:
        """Whether the event is asked for."""
        severe = SEVERITIES.index(event.severity) >= SEVERITIES.index(self.minimum_severity)
        return severe and self.type in (None, event.type)
