"""What a plan asks of a call API: the body of the request that makes its call.

Source: the vendor's StartCallRequest and StartAgentCallRequest (reference 4.4, 4.5). A stored agent brings its own
model, prompt, VAD settings and tools; the request has no fields for them.
"""

from collections.abc import Mapping

from bridge.batch.plan import CallPlan
from bridge.brains.script.model import Script
from bridge.brains.script.tools import selected_tools
from bridge.client import JsonDict


def create_body(
    plan: CallPlan, tools: Mapping[str, str], *, model: str | None, script: Script | None
) -> JsonDict:
    """The request's body.

    Args:
        plan: the call to be made.
        tools: client tools that the caller's side answers, by name.
        model: of the request; None leaves the choice to the API.
        script: what the embedded agent follows; it declares its own tools.
    """
    body: JsonDict = {"medium": {"webRtc": {}} if plan.webrtc else _socket(plan)}
    if plan.max_duration_s is not None:
        body["maxDuration"] = f"{plan.max_duration_s:g}s"
    return body if plan.stored_agent is not None else body | _agent(plan, tools, model, script)


def _socket(plan: CallPlan) -> JsonDict:
    medium: JsonDict = {
        "inputSampleRate": plan.sample_rate_hz,
        "outputSampleRate": plan.sample_rate_hz,
        "clientBufferSizeMs": plan.client_buffer_ms,
    }
    return {"serverWebSocket": medium}


def _agent(
    plan: CallPlan, tools: Mapping[str, str], model: str | None, script: Script | None
) -> JsonDict:
    """The part that says who the agent is."""
    asked: JsonDict = {
        "model": model,
        "systemPrompt": plan.system_prompt,
        "vadSettings": plan.vad.as_request() or None,
        "selectedTools": _selected_tools(tools, script) or None,
    }
    return {key: value for key, value in asked.items() if value is not None}


def _selected_tools(tools: Mapping[str, str], script: Script | None) -> list[JsonDict]:
    """The script's tools as it declares them, and those that only the caller's side knows."""
    declared = [] if script is None else selected_tools(script)
    known = set() if script is None else {tool.name for tool in script.tools}
    return [*declared, *(_bare_tool(name) for name in tools if name not in known)]


def _bare_tool(name: str) -> JsonDict:
    return {"temporaryTool": {"modelToolName": name, "description": name, "client": {}}}
