"""Records as the bodies that show them."""

from collections.abc import Mapping
from typing import Final

from bridge.api.schemas.base import JsonObject, duration_text
from bridge.api.schemas.call import Call, CallEvent, CallStage
from bridge.api.schemas.start_call import Message
from bridge.api.schemas.tools import CallTool
from bridge.calls.records import (
    CallRecord,
    EventRecord,
    MessageRecord,
    StageRecord,
    Timespan,
    ToolRecord,
)
from bridge.calls.settings import (
    AgentFirst,
    CallSettings,
    Fallback,
    Medium,
    PhoneMedium,
    UserFirst,
    WebRtcMedium,
)
from bridge.clock import rfc3339

_REACTIONS: Final = {
    "speaks": "AGENT_REACTION_SPEAKS",
    "listens": "AGENT_REACTION_LISTENS",
    "speaks-once": "AGENT_REACTION_SPEAKS_ONCE",
}
_BODY: Final = "PARAMETER_LOCATION_BODY"
# Shown as asked, or not at all.
_VOICES: Final = ("externalVoice", "voiceOverrides")


def call_view(call: CallRecord, join_url: str | None) -> Call:
    """The Call object."""
    asked = call.settings
    return Call.model_validate(
        {
            **_shared(asked),
            "callId": call.call_id,
            "clientVersion": call.client_version,
            "created": rfc3339(call.created),
            "joined": None if call.joined is None else rfc3339(call.joined),
            "ended": None if call.ended is None else rfc3339(call.ended),
            "endReason": call.end_reason,
            "billedDuration": _duration(call.billed_duration_s),
            "billedSideInputTokens": None,
            "billedSideOutputTokens": None,
            "billingStatus": call.billing_status,
            **_first_speaker(asked.first_speaker),
            "initialOutputMedium": _medium(asked.output_medium),
            "joinTimeout": duration_text(asked.join_timeout_s),
            "joinUrl": join_url,
            "maxDuration": duration_text(asked.max_duration_s),
            "medium": asked.request.get("medium") or _medium_asked(asked.medium),
            "recordingEnabled": asked.recording_enabled,
            "retentionPolicy": "retain",
            "transcriptOptional": asked.request.get("transcriptOptional", True),
            "vadSettings": asked.request.get("vadSettings"),
            "shortSummary": call.short_summary,
            "summary": call.summary,
            "agent": None,
            "agentId": None,
            "experimentalSettings": asked.request.get("experimentalSettings", {}),
            "metadata": dict(asked.metadata),
            "requestContext": dict(call.request_context),
            "sipDetails": None,
        }
    )


def stage_view(stage: StageRecord) -> CallStage:
    """The CallStage object."""
    return CallStage.model_validate(
        {
            **_shared(stage.settings),
            "callId": stage.call_id,
            "callStageId": stage.stage_id,
            "created": rfc3339(stage.created),
            "initialTokenCount": None,
            "latestTokenCount": None,
            "errorCount": stage.error_count,
            "experimentalSettings": stage.settings.request.get("experimentalSettings"),
        }
    )


def message_view(message: MessageRecord) -> Message:
    """The Message object; what a message does not have is left out."""
    return Message.model_validate(
        {
            "role": f"MESSAGE_ROLE_{message.role.upper()}",
            "text": message.text,
            "invocationId": message.invocation_id,
            "toolName": message.tool_name,
            "errorDetails": message.error_details,
            "medium": _medium(message.medium),
            "callStageMessageIndex": message.index,
            "callStageId": message.stage_id,
            "callState": None if message.call_state is None else dict(message.call_state),
            "timespan": _timespan(message.timespan),
            "wallClockTimespan": _timespan(message.wall_clock_timespan),
        }
    )


def event_view(call_id: str, event: EventRecord) -> CallEvent:
    """The CallEvent object."""
    return CallEvent(
        call_id=call_id,
        call_stage_id=event.stage_id,
        call_timestamp=duration_text(event.call_timestamp_s),
        severity=event.severity,
        type=event.type,
        text=event.text,
        extras=None if event.extras is None else dict(event.extras),
        wall_clock_timestamp=_duration(event.wall_clock_s),
    )


def tool_view(tool: ToolRecord) -> CallTool:
    """The CallTool object: the tool as this call uses it, overridden parameters fixed."""
    spec = tool.spec
    static = [{"name": name, "location": _BODY, "value": spec.fixed[name]} for name in spec.fixed]
    definition: JsonObject = {
        "description": spec.description,
        "dynamicParameters": [
            {
                "name": each.name,
                "location": _BODY,
                "schema": dict(each.schema),
                "required": each.required,
            }
            for each in spec.shown
        ],
        "staticParameters": static,
        "automaticParameters": [
            {
                "name": each.name,
                "location": _BODY,
                "knownValue": f"KNOWN_PARAM_{each.known_value.upper()}",
            }
            for each in spec.automatic
            if each.name not in spec.parameter_overrides
        ],
        "timeout": duration_text(spec.timeout_s),
        "precomputable": spec.precomputable,
        "client": {},
        "defaultReaction": _REACTIONS[spec.default_reaction],
    }
    if spec.static_response is not None:
        definition["staticResponse"] = {"responseText": spec.static_response}
    return CallTool.model_validate(
        {
            "callToolId": tool.call_tool_id,
            "toolId": None,
            "name": spec.name,
            "definition": definition,
        }
    )


def _shared(asked: CallSettings) -> JsonObject:
    """What a call and its stages show alike."""
    voices = {name: asked.request[name] for name in _VOICES if name in asked.request}
    return {
        **voices,
        "inactivityMessages": [
            {
                "duration": duration_text(each.duration_s),
                "message": each.message,
                "endBehavior": _end_behavior(each.end_behavior),
            }
            for each in asked.inactivity
        ],
        "languageHint": asked.language_hint,
        "model": asked.model,
        "systemPrompt": asked.system_prompt,
        "temperature": asked.temperature,
        "timeExceededMessage": asked.time_exceeded_message,
        "voice": asked.voice,
        "initialState": dict(asked.initial_state),
    }


def _first_speaker(first: AgentFirst | UserFirst) -> JsonObject:
    if isinstance(first, AgentFirst):
        opening = _opening(first)
        if first.uninterruptible:
            opening["uninterruptible"] = True
        return {
            "firstSpeaker": "FIRST_SPEAKER_AGENT",
            "firstSpeakerSettings": {"agent": opening},
        }
    user = {} if first.fallback is None else {"fallback": _opening(first.fallback)}
    return {"firstSpeaker": "FIRST_SPEAKER_USER", "firstSpeakerSettings": {"user": user}}


def _opening(opening: AgentFirst | Fallback) -> JsonObject:
    shown: JsonObject = {"text": opening.text, "prompt": opening.prompt}
    if isinstance(opening, Fallback) or opening.delay_s:
        shown["delay"] = duration_text(opening.delay_s)
    return {name: value for name, value in shown.items() if value is not None}


def _medium_asked(medium: Medium) -> Mapping[str, object]:
    if isinstance(medium, PhoneMedium):
        return {medium.carrier: {}}
    if isinstance(medium, WebRtcMedium):
        return {"webRtc": {}}
    return {
        "serverWebSocket": {
            "inputSampleRate": medium.input_hz,
            "outputSampleRate": medium.output_hz,
            "clientBufferSizeMs": medium.client_buffer_ms,
        }
    }


def _end_behavior(behavior: str) -> str:
    return f"END_BEHAVIOR_{'UNSPECIFIED' if behavior == 'go_on' else behavior.upper()}"


def _medium(medium: str) -> str:
    return f"MESSAGE_MEDIUM_{medium.upper()}"


def _timespan(span: Timespan | None) -> Mapping[str, str] | None:
    if span is None:
        return None
    return {"start": duration_text(span.start_s), "end": duration_text(span.end_s)}


def _duration(duration_s: float | None) -> str | None:
    return None if duration_s is None else duration_text(duration_s)
