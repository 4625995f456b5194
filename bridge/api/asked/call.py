"""The whole request, from schema to settings."""

from typing import Final

from bridge.api.asked.medium import medium_from
from bridge.api.asked.speaking import check_voices, first_speaker_from, inactivity_from, vad_from
from bridge.api.asked.tools import tools_from
from bridge.api.problems import Problems
from bridge.api.schemas.base import JsonObject, seconds
from bridge.api.schemas.start_call import Message, StartCallRequest
from bridge.calls import settings

_DEFAULTS: Final = settings.CallSettings()
_RESERVED: Final = "ultravox."
_REDACTED: Final = "[redacted]"
_NOT_SERVED: Final = {
    "dataConnection": "This server has no data connections: leave this out.",
    "callbacks": "This server sends no callbacks: leave this out.",
    "retentionPolicy": "This server keeps a call until it is deleted: leave this out.",
}
_ROLES: Final[dict[str | None, settings.Role]] = {
    "MESSAGE_ROLE_USER": "user",
    "MESSAGE_ROLE_AGENT": "agent",
    "MESSAGE_ROLE_TOOL_CALL": "tool_call",
    "MESSAGE_ROLE_TOOL_RESULT": "tool_result",
}


def settings_from(asked: StartCallRequest, *, greeting_prompt: bool) -> settings.CallSettings:
    """The settings of the call. Raises: Refused with 400 and every reason, field by field."""
    problems = Problems()
    _check_served(asked, problems)
    _check_metadata(asked, problems)
    check_voices(asked, problems)
    made = settings.CallSettings(
        model=asked.model or _DEFAULTS.model,
        system_prompt=asked.system_prompt,
        temperature=asked.temperature or _DEFAULTS.temperature,
        voice=asked.voice or None,
        language_hint=asked.language_hint or None,
        medium=medium_from(asked.medium, problems.at("medium")),
        join_timeout_s=_seconds(asked.join_timeout, _DEFAULTS.join_timeout_s),
        max_duration_s=_seconds(asked.max_duration, _DEFAULTS.max_duration_s),
        time_exceeded_message=asked.time_exceeded_message or None,
        inactivity=inactivity_from(asked.inactivity_messages),
        first_speaker=first_speaker_from(asked, problems),
        vad=vad_from(asked.vad_settings),
        output_medium=_medium(asked.initial_output_medium, "voice"),
        tools=tools_from(asked.selected_tools, problems.at("selectedTools")),
        recording_enabled=bool(asked.recording_enabled),
        metadata=asked.metadata or {},
        initial_messages=_initial_messages(asked, problems.at("initialMessages")),
        initial_state=asked.initial_state or {},
        greeting_prompt_enabled=greeting_prompt,
        request=_echo(asked),
    )
    problems.raise_any()
    return made


def _check_served(asked: StartCallRequest, problems: Problems) -> None:
    deletes_itself = asked.retention_policy == "CALL_RETENTION_POLICY_AUTO_DELETE"
    for field, is_asked in (
        ("dataConnection", asked.data_connection is not None),
        ("callbacks", asked.callbacks is not None),
        ("retentionPolicy", deletes_itself),
    ):
        if is_asked:
            problems.add(_NOT_SERVED[field], field)


def _check_metadata(asked: StartCallRequest, problems: Problems) -> None:
    for key in asked.metadata or ():
        if key.startswith(_RESERVED):
            problems.add(f"Keys that begin with {_RESERVED} are reserved.", "metadata", key)


def _initial_messages(
    asked: StartCallRequest, problems: Problems
) -> tuple[settings.InitialMessage, ...]:
    given = asked.initial_messages or ()
    return tuple(_initial_message(each, problems.at(at)) for at, each in enumerate(given))


def _initial_message(asked: Message, problems: Problems) -> settings.InitialMessage:
    if asked.role not in _ROLES:
        problems.add("This field is required.", "role")
    return settings.InitialMessage(
        role=_ROLES.get(asked.role, "user"),
        text=asked.text or "",
        medium=_medium(asked.medium, "text"),
        invocation_id=asked.invocation_id,
        tool_name=asked.tool_name,
    )


def _medium(asked: str | None, default: settings.OutputMedium) -> settings.OutputMedium:
    if asked == "MESSAGE_MEDIUM_VOICE":
        return "voice"
    return "text" if asked == "MESSAGE_MEDIUM_TEXT" else default


def _seconds(asked: str | None, default_s: float) -> float:
    return default_s if asked is None else seconds(asked)


def _echo(asked: StartCallRequest) -> JsonObject:
    """The request in its own words, without secrets and without what other addresses show."""
    echo: JsonObject = asked.model_dump(
        mode="json",
        by_alias=True,
        exclude_unset=True,
        exclude={"shared_secrets", "selected_tools", "initial_messages", "callbacks"},
    )
    for field in ("externalVoice", "voiceOverrides"):
        headers = echo.get(field, {}).get("generic", {}).get("headers", {})
        headers.update(dict.fromkeys(headers, _REDACTED))
    return echo
