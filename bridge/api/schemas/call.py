"""What the server tells of a call: Call, its stages, messages, events, and pages of all of them."""

from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import ConfigDict, Field

from bridge.api.schemas.base import JsonObject, Shown
from bridge.api.schemas.medium import CallMedium
from bridge.api.schemas.start_call import (
    FirstSpeakerSettings,
    Message,
    TimedMessage,
    VadSettings,
)
from bridge.api.schemas.voices import ExternalVoice
from bridge.calls.records import EndReason, Severity

T = TypeVar("T")

BillingStatus: TypeAlias = Literal[
    "BILLING_STATUS_PENDING",
    "BILLING_STATUS_FREE_CONSOLE",
    "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION",
    "BILLING_STATUS_FREE_MINUTES",
    "BILLING_STATUS_FREE_SYSTEM_ERROR",
    "BILLING_STATUS_FREE_OTHER",
    "BILLING_STATUS_BILLED",
    "BILLING_STATUS_REFUNDED",
    "BILLING_STATUS_UNSPECIFIED",
]


class AgentBasic(Shown):
    """The stored agent that a call was made from."""

    agent_id: str
    name: str


class CallSipDetails(Shown):
    """How a SIP call went."""

    billed_duration: str | None
    termination_reason: str | None


class Call(Shown):
    """A call, asked for and lived. What has no `null` is left out when it was not asked for."""

    call_id: str
    client_version: str | None
    created: str = Field(json_schema_extra={"format": "date-time"})
    joined: str | None = Field(json_schema_extra={"format": "date-time"})
    ended: str | None = Field(json_schema_extra={"format": "date-time"})
    end_reason: EndReason | None
    billed_duration: str | None
    billed_side_input_tokens: int | None
    billed_side_output_tokens: int | None
    billing_status: BillingStatus
    first_speaker: Literal["FIRST_SPEAKER_AGENT", "FIRST_SPEAKER_USER"]
    first_speaker_settings: FirstSpeakerSettings
    inactivity_messages: list[TimedMessage]
    initial_output_medium: Literal["MESSAGE_MEDIUM_VOICE", "MESSAGE_MEDIUM_TEXT"]
    join_timeout: str
    join_url: str | None
    language_hint: str | None
    max_duration: str
    medium: CallMedium | None
    model: str
    recording_enabled: bool
    retention_policy: Literal["retain", "auto_delete"] | None
    system_prompt: str | None
    temperature: float
    time_exceeded_message: str | None
    voice: str | None
    external_voice: ExternalVoice = Field(default_factory=ExternalVoice)
    voice_overrides: ExternalVoice = Field(default_factory=ExternalVoice)
    transcript_optional: bool
    vad_settings: VadSettings | None
    short_summary: str | None
    summary: str | None
    agent: AgentBasic | None
    agent_id: str | None
    experimental_settings: JsonObject
    metadata: dict[str, str]
    initial_state: JsonObject
    request_context: JsonObject
    sip_details: CallSipDetails | None


class CallStage(Shown):
    """A part of a call with its own prompt, tools and voice."""

    call_id: str
    call_stage_id: str
    created: str = Field(json_schema_extra={"format": "date-time"})
    inactivity_messages: list[TimedMessage]
    initial_token_count: int | None
    language_hint: str | None
    latest_token_count: int | None
    model: str
    system_prompt: str | None
    temperature: float
    time_exceeded_message: str | None
    voice: str | None
    external_voice: ExternalVoice = Field(default_factory=ExternalVoice)
    voice_overrides: ExternalVoice = Field(default_factory=ExternalVoice)
    error_count: int
    experimental_settings: JsonObject | None
    initial_state: JsonObject


class CallEvent(Shown):
    """Something worth telling that happened in a call."""

    call_id: str
    call_stage_id: str
    call_timestamp: str
    severity: Severity
    type: str = Field(max_length=50)
    text: str
    extras: dict[str, Any] | None
    wall_clock_timestamp: str | None


class ModelAlias(Shown):
    """A name that `model` may have."""

    name: str


class Paginated(Shown, Generic[T]):
    """One page of a list; `next` and `previous` are absolute addresses of the pages beside it."""

    next: str | None = Field(json_schema_extra={"format": "uri"})
    previous: str | None = Field(json_schema_extra={"format": "uri"})
    results: list[T]
    total: int


class PaginatedCallList(Paginated[Call]):
    """Calls."""


class PaginatedMessageList(Paginated[Message]):
    """Messages."""


class PaginatedCallEventList(Paginated[CallEvent]):
    """Events."""


class PaginatedCallStageList(Paginated[CallStage]):
    """Stages."""


class PaginatedModelAliasList(Paginated[ModelAlias]):
    """Models."""


class Detail(Shown):
    """What is wrong, in one sentence."""

    detail: str


class FieldErrors(Shown):
    """What is wrong, field by field: names to sentences, nested as the request is nested."""

    model_config = ConfigDict(extra="allow")


class Health(Shown):
    """That the server is up."""

    status: Literal["ok"]
