"""What is known of a call, its stages, messages, events and tools.

Times of day are aware UTC datetimes; spans are seconds. A record is plain data: the call's driver
writes it, a store keeps it, REST shows it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from bridge.calls.settings import CallSettings, OutputMedium, Role, ToolSpec

EndReason: TypeAlias = Literal[
    "unjoined", "hangup", "agent_hangup", "timeout", "connection_error", "system_error"
]
Severity: TypeAlias = Literal["debug", "info", "warning", "error"]
BillingStatus: TypeAlias = Literal[
    "BILLING_STATUS_PENDING",
    "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION",
    "BILLING_STATUS_FREE_SYSTEM_ERROR",
    "BILLING_STATUS_BILLED",
]

SEVERITIES: Final[tuple[Severity, ...]] = ("debug", "info", "warning", "error")
# The vendor bills in steps of six seconds, rounded up; clients that watch the bill see the same.
BILLING_STEP_S: Final = 6.0


class Timespan(NamedTuple):
    """From when to when, in seconds since the call was joined."""

    start_s: float
    end_s: float


@dataclass(slots=True)
class CallRecord:
    """One call from its creation to its end. `join_token` is a secret until it has been used."""

    call_id: str
    settings: CallSettings
    created: datetime
    join_token: str
    phone_call_id: str | None = None
    """The carrier's id of the phone call that was placed for this call."""
    request_context: Mapping[str, object] = field(default_factory=dict)
    """Who is on the line, as the carrier said when its stream started."""
    joined: datetime | None = None
    ended: datetime | None = None
    lasted_s: float | None = None
    """From its joining to its end by a clock that nobody sets: stamps jump when somebody sets the wall clock."""
    end_reason: EndReason | None = None
    client_version: str | None = None
    billing_status: BillingStatus = "BILLING_STATUS_PENDING"
    billed_duration_s: float | None = None
    short_summary: str | None = None
    summary: str | None = None

    @property
    def live(self) -> bool:
        """Whether somebody is in the call now."""
        return self.joined is not None and self.ended is None

    @property
    def duration_s(self) -> float | None:
        """How long the call lasted: 0 if nobody joined, None before its end."""
        if self.ended is None:
            return None
        if self.lasted_s is not None:
            return self.lasted_s
        return (self.ended - (self.joined or self.ended)).total_seconds()

    def end(self, reason: EndReason, at: datetime, lasted_s: float | None = None) -> bool:
        """Set the end and the bill, once; False if the call had already ended (nothing changes).

        Args:
            reason: why it ended.
            at: when.
            lasted_s: how long it was joined, s; None: what the stamps say.
        """
        if self.ended is not None:
            return False
        self.ended, self.end_reason = at, reason
        self.lasted_s = None if lasted_s is None else round(lasted_s, 6)
        seconds = self.duration_s or 0.0
        self.billed_duration_s = math.ceil(seconds / BILLING_STEP_S) * BILLING_STEP_S
        self.billing_status = "BILLING_STATUS_BILLED"
        if seconds <= 0:
            self.billing_status = "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION"
        elif reason == "system_error":
            self.billing_status = "BILLING_STATUS_FREE_SYSTEM_ERROR"
        return True


@dataclass(slots=True)
class MessageRecord:
    """One message of the conversation.

    `index` counts within its stage, initial messages included; `ordinal` is the number that the
    message's transcripts carry, None for initial messages. `timespan` is on the clock of the input
    audio, `wall_clock_timespan` on the wall clock; initial messages have neither.
    `error_details` is for people and is never shown to the model.
    """

    stage_id: str
    index: int
    role: Role
    text: str
    medium: OutputMedium = "voice"
    ordinal: int | None = None
    invocation_id: str | None = None
    tool_name: str | None = None
    error_details: str | None = None
    timespan: Timespan | None = None
    wall_clock_timespan: Timespan | None = None
    call_state: Mapping[str, object] | None = None
    initial: bool = False


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something worth telling that happened in a call; `type` has at most 50 characters."""

    stage_id: str
    type: str
    severity: Severity
    text: str
    call_timestamp_s: float
    wall_clock_s: float | None = None
    extras: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class ToolRecord:
    """A tool of one stage, under the id that this call gives it."""

    call_tool_id: str
    spec: ToolSpec


@dataclass(slots=True)
class StageRecord:
    """A part of a call with its own prompt, tools and voice; a call has at least one."""

    stage_id: str
    call_id: str
    created: datetime
    settings: CallSettings
    tools: tuple[ToolRecord, ...] = field(default=())
    error_count: int = 0


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a deleted call."""

    call_id: str
    created: datetime
    deleted: datetime
    joined: datetime | None
    ended: datetime | None
    end_reason: EndReason | None
    max_duration_s: float
    recording_enabled: bool
    had_summary: bool
