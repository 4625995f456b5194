"""What a call shall be: one frozen tree, made once, read by everything that runs the call.

The API makes it from a validated request; a program may make it by hand. Names and defaults follow
the vendor's StartCallRequest, in our units: seconds (`_s`), milliseconds (`_ms`), Hz (`_hz`).
Enum values are the short words of the data messages ("voice", "speaks-once"), not the long ones
of the REST bodies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, TypeAlias

from bridge.audio.endpoint import VadSettings
from bridge.legs.brain.host import (
    AgentFirst,
    EndBehavior,
    Fallback,
    TimedMessage,
    UserFirst,
)
from bridge.legs.carrier.dtmf import DtmfHandling
from bridge.wire.messages.enabled import EnabledDataMessages

OutputMedium: TypeAlias = Literal["voice", "text"]
Role: TypeAlias = Literal["user", "agent", "tool_call", "tool_result"]
Reaction: TypeAlias = Literal["speaks", "listens", "speaks-once"]
KnownValue: TypeAlias = Literal[
    "call_id",
    "conversation_history",
    "output_sample_rate",
    "call_state",
    "call_stage_id",
    "thread_id",
    "thread_states",
    "call_metadata",
]

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_TOOL_TIMEOUT_S",
    "MIN_MEDIA_IDLE_S",
    "SAMPLE_RATES_HZ",
    "AgentFirst",
    "AutomaticParameter",
    "CallSettings",
    "Dial",
    "DtmfHandling",
    "DynamicParameter",
    "EndBehavior",
    "Fallback",
    "InitialMessage",
    "JoinKind",
    "KnownValue",
    "Medium",
    "OutputMedium",
    "PhoneCarrier",
    "PhoneMedium",
    "Reaction",
    "Role",
    "ServerSocketMedium",
    "StaticParameter",
    "TimedMessage",
    "ToolSpec",
    "UserFirst",
    "VadSettings",
    "WebRtcMedium",
    "join_kind",
]

DEFAULT_MODEL: Final = "ultravox-v0.7"
DEFAULT_TOOL_TIMEOUT_S: Final = 2.5
# The resampler has a kernel for every pair of these; other rates are refused at creation.
SAMPLE_RATES_HZ: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
MIN_MEDIA_IDLE_S: Final = 10.0


def _data_messages() -> EnabledDataMessages:
    return EnabledDataMessages.for_carrier("server_web_socket")


@dataclass(frozen=True, slots=True)
class ServerSocketMedium:
    """A plain WebSocket: s16le mono audio in binary frames, data messages in text frames.

    `media_idle_timeout_s`: no user audio for longer than this ends the call; None never does.
    """

    input_hz: int = 48_000
    output_hz: int = 48_000
    client_buffer_ms: int = 60
    data_messages: EnabledDataMessages = field(default_factory=_data_messages)
    media_idle_timeout_s: float | None = None


def _web_rtc_messages() -> EnabledDataMessages:
    return EnabledDataMessages.for_carrier("web_rtc")


@dataclass(frozen=True, slots=True)
class WebRtcMedium:
    """A browser or app: Opus over WebRTC, data messages on a data channel. What a call has that asks for nothing."""

    data_messages: EnabledDataMessages = field(default_factory=_web_rtc_messages)
    # Opus is decoded and encoded at these; what no speech model wants is not made.
    input_hz: ClassVar[int] = 16_000
    output_hz: ClassVar[int] = 24_000


PhoneCarrier: TypeAlias = Literal["twilio", "telnyx", "plivo", "exotel"]
# What the vendor has its users ask these carriers for (reference 7.9); the stream's own start decides.
_PHONE_HZ: Final = {"twilio": 8_000, "telnyx": 16_000, "plivo": 16_000, "exotel": 8_000}


@dataclass(frozen=True, slots=True)
class Dial:
    """A phone call that the carrier shall place; `more` goes into the carrier's request as it is."""

    to: str
    from_: str
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhoneMedium:
    """A carrier's media stream: pointed at the join URL by somebody, or opened by a call that we place (`outgoing`).

    `media_idle_timeout_s`: nothing from the carrier for longer than this ends the call.
    """

    carrier: PhoneCarrier
    dtmf: DtmfHandling = field(default_factory=DtmfHandling)
    outgoing: Dial | None = None
    media_idle_timeout_s: float = 60.0

    @property
    def input_hz(self) -> int:
        """The rate expected of the caller's audio, Hz."""
        return _PHONE_HZ[self.carrier]

    @property
    def output_hz(self) -> int:
        """The rate expected of the agent's audio, Hz."""
        return _PHONE_HZ[self.carrier]


Medium: TypeAlias = ServerSocketMedium | WebRtcMedium | PhoneMedium
JoinKind: TypeAlias = Literal["server_web_socket", "webrtc", "telephony"]
"""What a join URL ends with."""


def join_kind(medium: Medium) -> JoinKind:
    """How a call of this medium is joined."""
    if isinstance(medium, PhoneMedium):
        return "telephony"
    return "webrtc" if isinstance(medium, WebRtcMedium) else "server_web_socket"


@dataclass(frozen=True, slots=True)
class InitialMessage:
    """One message of the history that a call starts from."""

    role: Role
    text: str = ""
    medium: OutputMedium = "text"
    invocation_id: str | None = None
    tool_name: str | None = None


@dataclass(frozen=True, slots=True)
class DynamicParameter:
    """An argument that the model chooses; `schema` is JSON Schema."""

    name: str
    schema: Mapping[str, object] = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True, slots=True)
class StaticParameter:
    """An argument with a fixed JSON value that the model never sees."""

    name: str
    value: object = None


@dataclass(frozen=True, slots=True)
class AutomaticParameter:
    """An argument that the call itself fills in, such as its id or its history."""

    name: str
    known_value: KnownValue


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A client tool as this call uses it; `name` is the model's name for it, overrides applied."""

    name: str
    description: str = ""
    dynamic: tuple[DynamicParameter, ...] = ()
    static: tuple[StaticParameter, ...] = ()
    automatic: tuple[AutomaticParameter, ...] = ()
    timeout_s: float = DEFAULT_TOOL_TIMEOUT_S
    precomputable: bool = False
    default_reaction: Reaction = "speaks"
    static_response: str | None = None
    parameter_overrides: Mapping[str, object] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[DynamicParameter, ...]:
        """The parameters the model is asked for: those without an override."""
        return tuple(each for each in self.dynamic if each.name not in self.parameter_overrides)

    @property
    def fixed(self) -> dict[str, object]:
        """The arguments every invocation carries whatever the model says; overrides win."""
        return {each.name: each.value for each in self.static} | dict(self.parameter_overrides)


@dataclass(frozen=True, slots=True)
class CallSettings:
    """Everything asked for one call; `request` is the echo of the asker's own words.

    `request` is plain JSON with the vendor's key names, and holds no secrets.
    """

    model: str = DEFAULT_MODEL
    system_prompt: str | None = None
    temperature: float = 0.0
    voice: str | None = None
    language_hint: str | None = None
    medium: Medium = field(default_factory=WebRtcMedium)
    join_timeout_s: float = 30.0
    max_duration_s: float = 3600.0
    time_exceeded_message: str | None = None
    inactivity: tuple[TimedMessage, ...] = ()
    first_speaker: AgentFirst | UserFirst = field(default_factory=AgentFirst)
    vad: VadSettings = field(default_factory=VadSettings)
    output_medium: OutputMedium = "voice"
    tools: tuple[ToolSpec, ...] = ()
    recording_enabled: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    initial_messages: tuple[InitialMessage, ...] = ()
    initial_state: Mapping[str, object] = field(default_factory=dict)
    greeting_prompt_enabled: bool = True
    request: Mapping[str, object] = field(default_factory=dict)
