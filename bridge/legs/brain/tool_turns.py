"""The tools of one reply: all calls are recorded before all results (reference 5.4), then what comes of them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.brains.base import CallTool, ToolReturn
from bridge.errors import RemoteWireError
from bridge.legs.base import MessageEvent, Port
from bridge.legs.brain.host import Journal, Medium, ToolOutcome, Tools
from bridge.wire.messages import InvokingTool, ToolUsed
from bridge.wire.strict_json import decode


@dataclass(frozen=True, slots=True)
class Invocation:
    """A tool call with its id; ``known`` is a result given beforehand, which replaces running it."""

    id: str
    call: CallTool
    known: ToolOutcome | None = None


@dataclass(frozen=True, slots=True)
class AfterTools:
    """What comes after the tools: a reply to ``returns``, a hang-up, or nothing."""

    returns: tuple[ToolReturn, ...]
    reply: bool
    hang_up: "HangUpRequest | None"


@dataclass(frozen=True, slots=True)
class HangUpRequest:
    """A tool asked to end the call (reference 5.5); not ``strict``: the user may keep it alive by talking."""

    message: str = ""
    strict: bool = True


async def run_tools(
    invocations: Sequence[Invocation],
    *,
    tools: Tools,
    journal: Journal,
    port: Port,
    medium: Medium,
    agent_spoke: bool,
) -> AfterTools:
    """Run the tools of one reply side by side and say what comes after them."""
    for invocation in invocations:
        _record_call(invocation, journal, port, medium)
    async with asyncio.TaskGroup() as side_by_side:
        running = [
            side_by_side.create_task(_outcome(tools, each), name=f"tool {each.id}")
            for each in invocations
        ]
    outcomes = [task.result() for task in running]
    for invocation, outcome in zip(invocations, outcomes, strict=True):
        _record_result(invocation, outcome, journal, port, medium)
    return AfterTools(
        tuple(map(_as_return, invocations, outcomes)),
        any(_speaks(outcome, agent_spoke=agent_spoke) for outcome in outcomes),
        next((_hang_up(o) for o in outcomes if o.response_type == "hang-up"), None),
    )


async def _outcome(tools: Tools, invocation: Invocation) -> ToolOutcome:
    if invocation.known is not None:
        return invocation.known
    return await tools.run(invocation.id, invocation.call.name, invocation.call.arguments)


def _record_call(invocation: Invocation, journal: Journal, port: Port, medium: Medium) -> None:
    name = invocation.call.name
    arguments = json.dumps(invocation.call.arguments, ensure_ascii=False)
    journal.add("tool_call", arguments, medium=medium, invocation_id=invocation.id, tool_name=name)
    port.emit(MessageEvent(InvokingTool(tool_name=name, invocation_id=invocation.id)))


def _record_result(
    invocation: Invocation, outcome: ToolOutcome, journal: Journal, port: Port, medium: Medium
) -> None:
    name = invocation.call.name
    journal.add(
        "tool_result",
        outcome.result,
        medium=medium,
        invocation_id=invocation.id,
        tool_name=name,
        error=outcome.error,
        call_state=outcome.call_state,
    )
    port.emit(MessageEvent(ToolUsed(tool_name=name, invocation_id=invocation.id)))


def _as_return(invocation: Invocation, outcome: ToolOutcome) -> ToolReturn:
    # The details of a failure are for the record alone (reference 5.4).
    error = None if outcome.error is None else outcome.result
    return ToolReturn(invocation.call.name, invocation.id, outcome.result, error)


def _speaks(outcome: ToolOutcome, *, agent_spoke: bool) -> bool:
    if outcome.reaction == "speaks-once":
        return not agent_spoke
    return outcome.reaction == "speaks"


def _hang_up(outcome: ToolOutcome) -> HangUpRequest:
    try:
        body = decode(outcome.result)  # foreign text
    except RemoteWireError:
        return HangUpRequest()
    if not isinstance(body, dict):
        return HangUpRequest()
    message = body.get("message")
    return HangUpRequest(
        message if isinstance(message, str) else "", body.get("strict") is not False
    )
