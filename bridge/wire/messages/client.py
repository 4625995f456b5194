"""Data messages from a client (or a data connection) to the call server.

Source: docs.ultravox.ai, data messages, and the vendor's SDKs, as of April 2026.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import AliasChoices, Field

from bridge.wire.messages.base import (
    MAIN_THREAD,
    AgentReaction,
    DataMessage,
    Identifier,
    JsonObject,
    Medium,
    ResponseType,
    WireModel,
)

Urgency: TypeAlias = Literal["immediate", "soon", "later"]
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Ping(DataMessage):
    """Answered by a pong with the same timestamp: Unix seconds with fraction."""

    type: Literal["ping"] = "ping"
    timestamp: float


class UserTextMessage(DataMessage):
    """Adds a typed user message.

    `immediate` cuts the agent off and has it answer, `soon` has it answer at the next chance,
    `later` waits for an answer that something else causes.
    """

    type: Literal["user_text_message"] = "user_text_message"
    text: str
    urgency: Urgency = "soon"
    thread_id: Identifier = MAIN_THREAD


class InputTextMessage(DataMessage):
    """The older user text message; every published SDK still sends it."""

    type: Literal["input_text_message"] = "input_text_message"
    text: str
    defer_response: bool | None = None

    def as_user_text(self) -> UserTextMessage:
        """The same in today's words: a deferred response is `later`, any other `soon`."""
        return UserTextMessage(text=self.text, urgency="later" if self.defer_response else "soon")


class SetOutputMedium(DataMessage):
    """Voice or text from now on; an utterance that is being spoken ends first."""

    type: Literal["set_output_medium"] = "set_output_medium"
    medium: Medium


class ToolResult(WireModel):
    """What a tool gave back.

    `agent_reaction` None is not said: then the tool's default reaction counts, else `speaks`.
    """

    invocation_id: Identifier
    result: str | None = None
    response_type: ResponseType = "tool-response"
    agent_reaction: AgentReaction | None = None


class _ToolResultMessage(ToolResult, DataMessage):
    error_type: Literal["undefined", "implementation-error"] | None = None
    error_message: str | None = None  # for people; the model does not see it
    update_call_state: JsonObject | None = None


class ClientToolResult(_ToolResultMessage):
    """Answers a client_tool_invocation."""

    type: Literal["client_tool_result"] = "client_tool_result"


class DataConnectionToolResult(_ToolResultMessage):
    """Answers a data_connection_tool_invocation."""

    type: Literal["data_connection_tool_result"] = "data_connection_tool_result"


class ToolCall(WireModel):
    """A tool to run. Two spellings are documented: `toolName` and `parameters` are read too."""

    id: Identifier | None = None
    name: str = Field(
        validation_alias=AliasChoices("name", "toolName", "tool_name"), serialization_alias="name"
    )
    arguments: JsonObject = Field(
        default_factory=dict,
        validation_alias=AliasChoices("arguments", "parameters"),
        serialization_alias="arguments",
    )


class ForcedAgentMessage(DataMessage):
    """Makes the agent say the content, run the tools, or both.

    A known tool result with the id of a tool call stands for running that tool.
    """

    type: Literal["forced_agent_message"] = "forced_agent_message"
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = Field(default=(), strict=False)
    known_tool_results: tuple[ToolResult, ...] = Field(default=(), strict=False)
    uninterruptible: bool = False
    urgency: Literal["immediate", "soon"] = "soon"
    thread_id: Identifier = MAIN_THREAD


class HangUp(DataMessage):
    """The agent says the message, if there is one, and ends the call."""

    type: Literal["hang_up"] = "hang_up"
    message: str = ""


class ToolFilter(WireModel):
    """Which tools a thread may use; None is all, and none forbidden."""

    allowed_tools: tuple[str, ...] | None = Field(default=None, strict=False)
    disallowed_tools: tuple[str, ...] | None = Field(default=None, strict=False)


class ThreadLimits(WireModel):
    """When a thread is ended; None is no limit."""

    thread_output_token_limit: Count | None = None
    thread_fuzzy_input_token_limit: Count | None = None
    generation_limit: Count | None = None
    generation_output_token_limit: Count | None = None
    generation_fuzzy_input_token_limit: Count | None = None


ThreadMessage: TypeAlias = Annotated[
    UserTextMessage | ForcedAgentMessage, Field(discriminator="type")
]


class SpawnThread(DataMessage):
    """Forks the conversation into a thread that runs without audio."""

    type: Literal["spawn_thread"] = "spawn_thread"
    new_thread_id: Identifier | None = None
    parent_thread_id: Identifier = MAIN_THREAD
    if_exists: Literal["reject", "replace"] = "reject"
    additional_messages: tuple[ThreadMessage, ...] = Field(default=(), strict=False)
    tool_filter: ToolFilter | None = None
    limits: ThreadLimits | None = None


ClientMessage: TypeAlias = (
    Ping
    | UserTextMessage
    | InputTextMessage
    | SetOutputMedium
    | ClientToolResult
    | DataConnectionToolResult
    | ForcedAgentMessage
    | HangUp
    | SpawnThread
)
