"""What is kept of a call from its first moment on."""

from bridge.calls.call import Parts
from bridge.calls.records import CallRecord, MessageRecord, StageRecord, ToolRecord
from bridge.calls.settings import CallSettings


def new_records(settings: CallSettings, parts: Parts) -> tuple[CallRecord, StageRecord]:
    """A new call and its first stage, with ids of their own."""
    ids, now = parts.ids, parts.now()
    record = CallRecord(ids.uuid(), settings, created=now, join_token=ids.token())
    tools = tuple(ToolRecord(ids.uuid(), spec) for spec in settings.tools)
    return record, StageRecord(ids.uuid(), record.call_id, now, settings, tools)


def initial_messages(settings: CallSettings, stage_id: str) -> list[MessageRecord]:
    """The messages that the call begins with, as those of its first stage."""
    return [
        MessageRecord(
            stage_id=stage_id,
            index=index,
            role=message.role,
            text=message.text,
            medium=message.medium,
            invocation_id=message.invocation_id,
            tool_name=message.tool_name,
            initial=True,
        )
        for index, message in enumerate(settings.initial_messages)
    ]
