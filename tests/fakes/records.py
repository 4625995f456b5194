"""Records for tests, as short as they can be made."""

from datetime import UTC, datetime, timedelta

from bridge.calls.records import CallRecord, EventRecord, MessageRecord, Severity, StageRecord
from bridge.calls.settings import CallSettings

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def call_record(
    name: str, created_s: float = 0.0, settings: CallSettings | None = None
) -> CallRecord:
    return CallRecord(name, settings or CallSettings(), at(created_s), join_token="token")


def stage_record(call: CallRecord, name: str) -> StageRecord:
    return StageRecord(name, call.call_id, call.created, call.settings)


def message_record(stage: str, index: int, *, initial: bool = False) -> MessageRecord:
    return MessageRecord(stage, index, "user", f"{stage} {index}", initial=initial)


def event_record(text: str, severity: Severity = "info", type_: str = "test") -> EventRecord:
    return EventRecord("stage", type_, severity, text, 0.0)
