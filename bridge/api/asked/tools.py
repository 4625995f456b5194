"""Which tools the agent has: temporary client tools and a few built-in ones, with their parameters and overrides.

Rules: the vendor's schema (SelectedTool, BaseToolDefinition) as of 2026-07-02. A parameter that is
overridden must exist, so that a misspelt override is found before the call and not in it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, cast

from bridge.api.asked.built_in import BUILT_IN, MUST_OVERRIDE
from bridge.api.problems import Problems
from bridge.api.schemas.base import seconds
from bridge.api.schemas.tools import (
    AutomaticParameter,
    BaseToolDefinition,
    DynamicParameter,
    SelectedTool,
    StaticParameter,
)
from bridge.calls import settings

_Parameter: TypeAlias = DynamicParameter | StaticParameter | AutomaticParameter

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_LONGEST_TIMEOUT_S: Final = 40.0
_LOCATIONS: Final = (None, "PARAMETER_LOCATION_UNSPECIFIED", "PARAMETER_LOCATION_BODY")
_KNOWN: Final = "KNOWN_PARAM_"
_REACTIONS: Final[dict[str | None, settings.Reaction]] = {
    "AGENT_REACTION_LISTENS": "listens",
    "AGENT_REACTION_SPEAKS_ONCE": "speaks-once",
}
_STORED: Final = "This server keeps no tools: give the tool as temporaryTool."


def tools_from(
    asked: Sequence[SelectedTool] | None, problems: Problems
) -> tuple[settings.ToolSpec, ...]:
    """The tools; what is wrong goes to `problems`, and then the result is of no use."""
    chosen = list(asked or ())
    tools = [_tool(each, problems.at(at)) for at, each in enumerate(chosen)]
    names = Counter(tool.name for tool in tools if tool is not None)
    for at, tool in enumerate(tools):
        if tool is not None and names[tool.name] > 1:
            problems.add("Another tool of this call has the same name.", at)
    return tuple(tool for tool in tools if tool is not None)


def _tool(asked: SelectedTool, problems: Problems) -> settings.ToolSpec | None:
    if asked.tool_name in BUILT_IN and asked.tool_id is None and asked.temporary_tool is None:
        return _built_in(BUILT_IN[asked.tool_name], asked, problems)
    for field, value in (("toolId", asked.tool_id), ("toolName", asked.tool_name)):
        if value is not None:
            problems.add(_STORED, field)
    definition = asked.temporary_tool
    if definition is None:
        if asked.tool_id is None and asked.tool_name is None:
            problems.add("Exactly one of toolId, toolName and temporaryTool is needed here.")
        return None
    name = asked.name_override or definition.model_tool_name or ""
    if not _NAME.fullmatch(name):
        place = ("nameOverride",) if asked.name_override else ("temporaryTool", "modelToolName")
        problems.add("1 to 64 letters, digits, _ and - are needed here.", *place)
    inside = problems.at("temporaryTool")
    _check_implementation(definition, inside)
    _check_overrides(asked, definition, problems)
    return _spec(name, asked, definition, inside)


def _built_in(
    tool: settings.ToolSpec, asked: SelectedTool, problems: Problems
) -> settings.ToolSpec:
    if asked.name_override:
        problems.add("A built-in tool keeps its name.", "nameOverride")
    overrides = asked.parameter_overrides or {}
    known = {parameter.name for parameter in tool.dynamic}
    _check_override_names(overrides, known, MUST_OVERRIDE.get(tool.name, ()), problems)
    return replace(
        tool,
        description=asked.description_override or tool.description,
        parameter_overrides=overrides,
    )


def _spec(
    name: str, asked: SelectedTool, definition: BaseToolDefinition, problems: Problems
) -> settings.ToolSpec:
    _check_parameters(definition, problems)
    static = definition.static_response
    return settings.ToolSpec(
        name=name,
        description=asked.description_override or definition.description or "",
        dynamic=tuple(
            settings.DynamicParameter(each.name or "", each.schema_ or {}, bool(each.required))
            for each in definition.dynamic_parameters or ()
        ),
        static=tuple(
            settings.StaticParameter(each.name or "", each.value)
            for each in definition.static_parameters or ()
        ),
        automatic=tuple(
            settings.AutomaticParameter(each.name or "", _known_value(each))
            for each in definition.automatic_parameters or ()
        ),
        timeout_s=_timeout_s(definition, problems),
        precomputable=bool(definition.precomputable),
        default_reaction=_REACTIONS.get(definition.default_reaction, "speaks"),
        static_response=None if static is None else static.response_text or "",
        parameter_overrides=asked.parameter_overrides or {},
    )


def _timeout_s(definition: BaseToolDefinition, problems: Problems) -> float:
    if definition.timeout is None:
        return settings.DEFAULT_TOOL_TIMEOUT_S
    timeout_s = seconds(definition.timeout)
    if timeout_s > _LONGEST_TIMEOUT_S:
        problems.add("A tool may take 40s at most.", "timeout")
    return timeout_s


def _check_implementation(definition: BaseToolDefinition, problems: Problems) -> None:
    given = [definition.http, definition.client, definition.data_connection]
    if sum(each is not None for each in given) != 1:
        problems.add("Exactly one of http, client and dataConnection is needed here.")
    if definition.http is not None:
        problems.add("This server does not run http tools: make it a client tool.", "http")
    if definition.data_connection is not None:
        problems.add(
            "This server has no data connections: make it a client tool.", "dataConnection"
        )


def _parameters(definition: BaseToolDefinition) -> Iterator[tuple[str, int, _Parameter]]:
    lists: tuple[tuple[str, Sequence[_Parameter] | None], ...] = (
        ("dynamicParameters", definition.dynamic_parameters),
        ("staticParameters", definition.static_parameters),
        ("automaticParameters", definition.automatic_parameters),
    )
    for kind, parameters in lists:
        for at, parameter in enumerate(parameters or ()):
            yield kind, at, parameter


def _check_parameters(definition: BaseToolDefinition, problems: Problems) -> None:
    seen: set[str] = set()
    for kind, at, parameter in _parameters(definition):
        here = problems.at(kind, at)
        if not parameter.name:
            here.add("This field is required.", "name")
        elif parameter.name in seen:
            here.add("Another parameter of this tool has the same name.", "name")
        seen.add(parameter.name or "")
        if parameter.location not in _LOCATIONS:
            here.add("A client tool has parameters in the body only.", "location")
        if isinstance(parameter, AutomaticParameter) and parameter.known_value in (
            None,
            "KNOWN_PARAM_UNSPECIFIED",
        ):
            here.add("This field is required.", "knownValue")


def _check_overrides(
    asked: SelectedTool, definition: BaseToolDefinition, problems: Problems
) -> None:
    names = {parameter.name for _, _, parameter in _parameters(definition)}
    required = definition.requirements and definition.requirements.required_parameter_overrides
    _check_override_names(asked.parameter_overrides or {}, names, required or (), problems)


def _check_override_names(
    overrides: Mapping[str, object],
    known: Collection[str | None],
    required: Sequence[str],
    problems: Problems,
) -> None:
    for name in overrides:
        if name not in known:
            problems.add("The tool has no parameter of this name.", "parameterOverrides", name)
    for name in required:
        if name not in overrides:
            problems.add("The tool needs an override here.", "parameterOverrides", name)


def _known_value(parameter: AutomaticParameter) -> settings.KnownValue:
    value = (parameter.known_value or "").removeprefix(_KNOWN).lower()
    return cast("settings.KnownValue", value)
