"""The request that makes a call: `POST /api/calls`, every field the vendor names."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bridge.api.schemas.base import ApiModel, Duration, Int32, JsonObject, Offset, PositiveDuration
from bridge.api.schemas.medium import CallMedium
from bridge.api.schemas.tools import SelectedTool
from bridge.api.schemas.voices import ExternalVoice
from bridge.wire.messages import EnabledDataMessages

MessageMedium: TypeAlias = Literal[
    "MESSAGE_MEDIUM_UNSPECIFIED", "MESSAGE_MEDIUM_VOICE", "MESSAGE_MEDIUM_TEXT"
]
MessageRole: TypeAlias = Literal[
    "MESSAGE_ROLE_UNSPECIFIED",
    "MESSAGE_ROLE_USER",
    "MESSAGE_ROLE_AGENT",
    "MESSAGE_ROLE_TOOL_CALL",
    "MESSAGE_ROLE_TOOL_RESULT",
]
FirstSpeaker: TypeAlias = Literal[
    "FIRST_SPEAKER_UNSPECIFIED", "FIRST_SPEAKER_AGENT", "FIRST_SPEAKER_USER"
]
EndBehavior: TypeAlias = Literal[
    "END_BEHAVIOR_UNSPECIFIED", "END_BEHAVIOR_HANG_UP_SOFT", "END_BEHAVIOR_HANG_UP_STRICT"
]
RetentionPolicy: TypeAlias = Literal[
    "CALL_RETENTION_POLICY_UNSPECIFIED",
    "CALL_RETENTION_POLICY_RETAIN",
    "CALL_RETENTION_POLICY_AUTO_DELETE",
]
ChannelMode: TypeAlias = Literal[
    "CHANNEL_MODE_UNSPECIFIED", "CHANNEL_MODE_MIXED", "CHANNEL_MODE_SEPARATED"
]

# BCP 47: a language and its subtags, "en" or "zh-Hant-TW". Empty is unset.
LANGUAGE_PATTERN = r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$"


class InCallTimespan(ApiModel):
    """From when to when, as offsets from the start of the call."""

    start: Offset | None = None
    end: Offset | None = None


class Message(ApiModel):
    """A message of a conversation."""

    role: MessageRole | None = None
    text: str | None = None
    invocation_id: str | None = None
    tool_name: str | None = None
    error_details: str | None = None
    medium: MessageMedium | None = None
    call_stage_message_index: Int32 | None = None
    call_stage_id: str | None = None
    call_state: JsonObject | None = None
    timespan: InCallTimespan | None = None
    wall_clock_timespan: InCallTimespan | None = None
    metadata: JsonObject | None = None


class TimedMessage(ApiModel):
    """What the agent says after some time, and what follows it."""

    duration: PositiveDuration
    message: str | None = None
    end_behavior: EndBehavior | None = None


class VadSettings(ApiModel):
    """When user speech counts as a turn, and as an interruption."""

    turn_endpoint_delay: Duration | None = None
    minimum_turn_duration: Duration | None = None
    minimum_interruption_duration: Duration | None = None
    frame_activation_threshold: Annotated[float, Field(ge=0.1, le=1)] | None = None


class FallbackAgentGreeting(ApiModel):
    """How the agent opens when the user does not."""

    delay: Duration
    text: str | None = None
    prompt: str | None = None


class UserGreeting(ApiModel):
    """The user speaks first."""

    fallback: FallbackAgentGreeting | None = None


class AgentGreeting(ApiModel):
    """The agent speaks first."""

    uninterruptible: bool | None = None
    text: str | None = None
    prompt: str | None = None
    delay: Duration | None = None


class FirstSpeakerSettings(ApiModel):
    """Who speaks first, and how; `agent: {}` unless asked otherwise."""

    user: UserGreeting | None = None
    agent: AgentGreeting | None = None


class DataConnectionAudioConfig(ApiModel):
    """The audio of a data connection."""

    sample_rate: Int32 | None = None
    channel_mode: ChannelMode | None = None


class DataConnectionConfig(ApiModel):
    """An auxiliary WebSocket that the server opens for data messages and audio."""

    websocket_url: str | None = None
    audio_config: DataConnectionAudioConfig | None = None
    data_messages: EnabledDataMessages | None = None
    headers: dict[str, str] | None = None


class Callback(ApiModel):
    """A URL told of one step of the call's life."""

    url: str | None = None
    secrets: list[str] | None = None


class Callbacks(ApiModel):
    """URLs told of the call's life."""

    joined: Callback | None = None
    ended: Callback | None = None
    billed: Callback | None = None


class StartCallRequest(ApiModel):
    """A call to be made."""

    system_prompt: str | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    model: str | None = None
    voice: str | None = None
    external_voice: ExternalVoice | None = None
    voice_overrides: ExternalVoice | None = None
    language_hint: Annotated[str, Field(max_length=16, pattern=LANGUAGE_PATTERN)] | None = None
    initial_messages: list[Message] | None = None
    join_timeout: PositiveDuration | None = None
    max_duration: PositiveDuration | None = None
    time_exceeded_message: str | None = None
    inactivity_messages: list[TimedMessage] | None = None
    selected_tools: list[SelectedTool] | None = None
    medium: CallMedium | None = None
    recording_enabled: bool | None = None
    first_speaker: FirstSpeaker | None = None
    first_speaker_settings: FirstSpeakerSettings | None = None
    transcript_optional: bool | None = None
    initial_output_medium: MessageMedium | None = None
    vad_settings: VadSettings | None = None
    experimental_settings: JsonObject | None = None
    metadata: dict[str, str] | None = None
    initial_state: JsonObject | None = None
    data_connection: DataConnectionConfig | None = None
    callbacks: Callbacks | None = None
    retention_policy: RetentionPolicy | None = None
    shared_secrets: list[Annotated[str, Field(min_length=16, max_length=127)]] | None = None


class SendCallDataMessage(ApiModel):
    """A data message for a live call; its other fields are those of its type."""

    type: Literal["forced_agent_message", "hang_up", "user_text_message"]
