"""Data messages from the call server to a client (or a data connection).

Source: docs.ultravox.ai, data messages, and the vendor's SDKs, as of April 2026. The fields of
call_event, tool_used and invoking_tool are documented nowhere: ours follow the REST objects, and
whatever else a server sends in them is kept.
"""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from bridge.wire.messages.base import DataMessage, Identifier, JsonObject, Medium
from bridge.wire.messages.client import ToolCall

AgentState: TypeAlias = Literal["idle", "listening", "thinking", "speaking"]
Ordinal: TypeAlias = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Pong(DataMessage):
    """Answers a ping with its timestamp."""

    type: Literal["pong"] = "pong"
    timestamp: float


class State(DataMessage):
    """The agent's state changed."""

    type: Literal["state"] = "state"
    state: AgentState


class Transcript(DataMessage):
    """What was said or typed: all of it so far in `text`, or an addition in `delta`.

    Exactly one of the two. Role, medium, final and ordinal are always written: SDKs disagree on
    what is meant without them. Ordinals count the messages of the call, both roles together.
    """

    type: Literal["transcript"] = "transcript"
    role: Literal["user", "agent"]
    medium: Medium = "voice"
    text: str | None = None
    delta: str | None = None
    final: bool
    ordinal: Ordinal

    @model_validator(mode="after")
    def _text_or_delta(self) -> Self:
        if (self.text is None) == (self.delta is None):
            raise ValueError("must have exactly one of text and delta")
        return self


class _ToolInvocation(DataMessage):
    tool_name: str  # as the model knows it
    invocation_id: Identifier
    # Always written, and always an object: some SDKs break without it.
    parameters: JsonObject = Field(default_factory=dict)


class ClientToolInvocation(_ToolInvocation):
    """The client must answer with a client_tool_result."""

    type: Literal["client_tool_invocation"] = "client_tool_invocation"


class DataConnectionToolInvocation(_ToolInvocation):
    """The data connection must answer with a data_connection_tool_result."""

    type: Literal["data_connection_tool_invocation"] = "data_connection_tool_invocation"


class CallStarted(DataMessage):
    """The first message of a call."""

    type: Literal["call_started"] = "call_started"
    call_id: Identifier


class PlaybackClearBuffer(DataMessage):
    """Drop all agent audio that has not been played."""

    type: Literal["playback_clear_buffer"] = "playback_clear_buffer"


class Debug(DataMessage):
    """Free text without a contract."""

    type: Literal["debug"] = "debug"
    message: str = ""


class _OpaqueMessage(DataMessage):
    model_config = ConfigDict(extra="allow")


class CallEvent(_OpaqueMessage):
    """A call event was recorded. `event_type` is the REST object's `type`, whose key is taken."""

    type: Literal["call_event"] = "call_event"
    event_type: str | None = None
    call_id: Identifier | None = None
    call_stage_id: Identifier | None = None
    call_timestamp: str | None = None  # since the start of the call: "1.5s"
    wall_clock_timestamp: str | None = None
    severity: Literal["debug", "info", "warning", "error"] | None = None
    text: str | None = None
    extras: JsonObject | None = None


class ToolUsed(_OpaqueMessage):
    """A tool was used."""

    type: Literal["tool_used"] = "tool_used"
    tool_name: str | None = None
    invocation_id: Identifier | None = None


class InvokingTool(_OpaqueMessage):
    """A tool invocation began."""

    type: Literal["invoking_tool"] = "invoking_tool"
    tool_name: str | None = None
    invocation_id: Identifier | None = None


class UserStartedSpeaking(DataMessage):
    """Voice activity began; no decision about a turn."""

    type: Literal["user_started_speaking"] = "user_started_speaking"


class UserStoppedSpeaking(DataMessage):
    """Voice activity ended; no decision about a turn."""

    type: Literal["user_stopped_speaking"] = "user_stopped_speaking"


class ThreadSpawned(DataMessage):
    """A side thread runs."""

    type: Literal["thread_spawned"] = "thread_spawned"
    thread_id: Identifier


class ThreadRejected(DataMessage):
    """A side thread was not started."""

    type: Literal["thread_rejected"] = "thread_rejected"
    thread_id: Identifier
    reason: str = ""


class ThreadTerminated(DataMessage):
    """A side thread ended."""

    type: Literal["thread_terminated"] = "thread_terminated"
    thread_id: Identifier
    reason: str = ""


class SideGenerationDelta(DataMessage):
    """A piece of a side thread's text."""

    type: Literal["side_generation_delta"] = "side_generation_delta"
    thread_id: Identifier
    delta: str


class SideGenerationCompleted(DataMessage):
    """A side thread's whole text and the tools it called."""

    type: Literal["side_generation_completed"] = "side_generation_completed"
    thread_id: Identifier
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = Field(default=(), strict=False)


class RoomInfo(DataMessage):
    """Where the WebRTC room of the call is; only on the WebRTC join socket."""

    type: Literal["room_info"] = "room_info"
    room_url: str
    token: str = Field(repr=False)  # a credential


ServerMessage: TypeAlias = (
    Pong
    | State
    | Transcript
    | ClientToolInvocation
    | DataConnectionToolInvocation
    | CallStarted
    | PlaybackClearBuffer
    | Debug
    | CallEvent
    | ToolUsed
    | InvokingTool
    | UserStartedSpeaking
    | UserStoppedSpeaking
    | ThreadSpawned
    | ThreadRejected
    | ThreadTerminated
    | SideGenerationDelta
    | SideGenerationCompleted
    | RoomInfo
)
