"""Tools: as a call selects them, and as a call shows them afterwards, without secrets."""

from typing import Any, Literal, TypeAlias

from pydantic import Field

from bridge.api.schemas.base import ApiModel, JsonObject, PositiveDuration, Shown

ParameterLocation: TypeAlias = Literal[
    "PARAMETER_LOCATION_UNSPECIFIED",
    "PARAMETER_LOCATION_QUERY",
    "PARAMETER_LOCATION_PATH",
    "PARAMETER_LOCATION_HEADER",
    "PARAMETER_LOCATION_BODY",
]
KnownParam: TypeAlias = Literal[
    "KNOWN_PARAM_UNSPECIFIED",
    "KNOWN_PARAM_CALL_ID",
    "KNOWN_PARAM_CONVERSATION_HISTORY",
    "KNOWN_PARAM_OUTPUT_SAMPLE_RATE",
    "KNOWN_PARAM_CALL_STATE",
    "KNOWN_PARAM_CALL_STAGE_ID",
    "KNOWN_PARAM_THREAD_ID",
    "KNOWN_PARAM_THREAD_STATES",
    "KNOWN_PARAM_CALL_METADATA",
]
AgentReaction: TypeAlias = Literal[
    "AGENT_REACTION_UNSPECIFIED",
    "AGENT_REACTION_SPEAKS",
    "AGENT_REACTION_LISTENS",
    "AGENT_REACTION_SPEAKS_ONCE",
]


class DynamicParameter(ApiModel):
    """A parameter that the model sets; `schema` is its JSON Schema."""

    name: str | None = None
    location: ParameterLocation | None = None
    schema_: JsonObject | None = Field(None, alias="schema")
    required: bool | None = None


class StaticParameter(ApiModel):
    """A parameter that is always added and that the model never sees."""

    name: str | None = None
    location: ParameterLocation | None = None
    value: Any = None


class AutomaticParameter(ApiModel):
    """A parameter that the call fills in."""

    name: str | None = None
    location: ParameterLocation | None = None
    known_value: KnownParam | None = None


class QueryApiKeyRequirement(ApiModel):
    """An API key in the query string."""

    name: str | None = None


class HeaderApiKeyRequirement(ApiModel):
    """An API key in a header."""

    name: str | None = None


class HttpAuthRequirement(ApiModel):
    """An Authorization header."""

    scheme: str | None = None


class SecurityRequirement(ApiModel):
    """One way to be let in."""

    query_api_key: QueryApiKeyRequirement | None = None
    header_api_key: HeaderApiKeyRequirement | None = None
    http_auth: HttpAuthRequirement | None = None


class UltravoxCallTokenRequirement(ApiModel):
    """A token that names the call and its scopes."""

    scopes: list[str] | None = None


class SecurityRequirements(ApiModel):
    """Requirements that must all be met."""

    requirements: dict[str, SecurityRequirement] | None = None
    ultravox_call_token_requirement: UltravoxCallTokenRequirement | None = None


class SecurityOptions(ApiModel):
    """Requirements of which one set must be met."""

    options: list[SecurityRequirements] | None = None


class ToolRequirements(ApiModel):
    """What a call must bring along to use the tool."""

    http_security_options: SecurityOptions | None = None
    required_parameter_overrides: list[str] | None = None


class BaseHttpToolDetails(ApiModel):
    """A tool behind a URL."""

    base_url_pattern: str | None = None
    http_method: str | None = None


class BaseClientToolDetails(ApiModel):
    """A tool that the joined client runs."""


class BaseDataConnectionToolDetails(ApiModel):
    """A tool behind the data connection."""


class StaticToolResponse(ApiModel):
    """A result that is known before the tool has run."""

    response_text: str | None = None


class BaseToolDefinition(ApiModel):
    """A tool; exactly one of `http`, `client` and `dataConnection` is its implementation."""

    model_tool_name: str | None = None
    description: str | None = None
    dynamic_parameters: list[DynamicParameter] | None = None
    static_parameters: list[StaticParameter] | None = None
    automatic_parameters: list[AutomaticParameter] | None = None
    requirements: ToolRequirements | None = None
    timeout: PositiveDuration | None = None
    precomputable: bool | None = None
    http: BaseHttpToolDetails | None = None
    client: BaseClientToolDetails | None = None
    data_connection: BaseDataConnectionToolDetails | None = None
    default_reaction: AgentReaction | None = None
    static_response: StaticToolResponse | None = None


class SelectedTool(ApiModel):
    """A tool for one call; exactly one of `toolId`, `toolName` and `temporaryTool` says which."""

    tool_id: str | None = None
    tool_name: str | None = None
    temporary_tool: BaseToolDefinition | None = None
    name_override: str | None = None
    description_override: str | None = None
    auth_tokens: dict[str, str] | None = None
    parameter_overrides: JsonObject | None = None
    transition_id: str | None = None


class CallToolDefinition(Shown):
    """A tool as a call uses it."""

    description: str
    dynamic_parameters: list[DynamicParameter]
    static_parameters: list[StaticParameter]
    automatic_parameters: list[AutomaticParameter]
    timeout: str
    precomputable: bool
    client: BaseClientToolDetails
    default_reaction: AgentReaction
    static_response: StaticToolResponse | None = None


class CallTool(Shown):
    """A tool of a call; `name` is the model's name for it, overrides applied."""

    call_tool_id: str
    tool_id: str | None
    name: str
    definition: CallToolDefinition
