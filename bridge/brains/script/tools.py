"""The tools of a script as a call needs them: for the request that creates it, and to stand in."""

from typing import Any

from bridge.brains.script.model import Parameter, Script, ScriptTool

_BODY = "PARAMETER_LOCATION_BODY"


def selected_tools(script: Script) -> list[dict[str, Any]]:
    """The script's tools as `selectedTools` of a start-call request: temporary client tools."""
    return [{"temporaryTool": _definition(tool)} for tool in script.tools]


def canned_answers(script: Script) -> dict[str, str]:
    """The results that the script itself gives for its tools, by tool name."""
    return {tool.name: tool.answer for tool in script.tools if tool.answer is not None}


def _definition(tool: ScriptTool) -> dict[str, Any]:
    definition: dict[str, Any] = {"modelToolName": tool.name, "client": {}}
    if tool.description:
        definition["description"] = tool.description
    if tool.parameters:
        definition["dynamicParameters"] = [
            {
                "name": name,
                "location": _BODY,
                "schema": _schema(parameter),
                "required": parameter.required,
            }
            for name, parameter in tool.parameters.items()
        ]
    return definition


def _schema(parameter: Parameter) -> dict[str, Any]:
    return parameter.model_dump(include={"type", "description", "enum"}, exclude_none=True)
