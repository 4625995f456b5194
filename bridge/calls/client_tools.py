"""Client tools: the invocation goes to the client as a message, its result comes back as one (reference 1.4, 5.4).

First result wins; a second one, one for an unknown invocation and one after the deadline are dropped with an event.
The answer to an invocation whose static response was taken at once is dropped without one: the client cannot know.
Failures are outcomes: the brain reads a softened sentence, the record keeps the details.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bridge.calls.journal import CallJournal
from bridge.calls.records import CallRecord, MessageRecord
from bridge.calls.settings import AutomaticParameter, KnownValue, ToolSpec
from bridge.errors import LocalWireError
from bridge.legs.brain.host import Reaction, ToolOutcome
from bridge.wire.messages import ClientToolInvocation, ClientToolResult, ServerMessage

MAX_PENDING = 64
"""Pending invocations of one call (reliability, section 5)."""
SERVED_RESPONSES = frozenset({"tool-response", "hang-up"})
FAILED = "The tool failed."


class ClientTools:
    """The tools of one call; all are implemented by the client.

    Args:
        record: the call.
        journal: gets events of what went wrong.
        send: sends a message to the client; raises LocalWireError for one that cannot be sent.
    """

    def __init__(
        self,
        record: CallRecord,
        journal: CallJournal,
        send: Callable[[ServerMessage], None],
    ) -> None:
        self._record = record
        self._journal = journal
        self._send = send
        self._specs = {spec.name: spec for spec in record.settings.tools}
        self._pending: dict[str, asyncio.Future[ClientToolResult]] = {}
        self._not_awaited: deque[str] = deque(maxlen=MAX_PENDING)
        """Invocations whose static response was taken."""

    async def run(
        self, invocation_id: str, name: str, arguments: Mapping[str, object]
    ) -> ToolOutcome:
        """Invoke the tool and wait for its result, at most for its timeout."""
        spec = self._specs.get(name)
        if spec is None:
            return self._failed(name, "speaks", f"this call has no tool {name!r}")
        if len(self._pending) >= MAX_PENDING:
            return self._failed(name, spec.default_reaction, "too many tool calls are pending")
        if invocation_id in self._pending:
            return self._failed(name, spec.default_reaction, "its invocation id is in use")
        try:
            self._invoke(invocation_id, spec, arguments)
        except LocalWireError as exc:  # too large, or an id that was used before
            return self._failed(name, spec.default_reaction, str(exc))
        if spec.static_response is not None:
            self._not_awaited.append(invocation_id)
            return ToolOutcome(spec.static_response, spec.default_reaction)
        return await self._wait_for_result(invocation_id, spec)

    def take(self, result: ClientToolResult) -> None:
        """A result from the client."""
        if result.invocation_id in self._not_awaited:
            self._not_awaited.remove(result.invocation_id)
            return
        pending = self._pending.get(result.invocation_id)
        if pending is None or pending.done():
            self._journal.event(
                "stale_tool_result",
                "a tool result came for no pending invocation and was dropped",
                "warning",
            )
            return
        pending.set_result(result)

    async def _wait_for_result(self, invocation_id: str, spec: ToolSpec) -> ToolOutcome:
        pending: asyncio.Future[ClientToolResult] = asyncio.get_running_loop().create_future()
        self._pending[invocation_id] = pending
        try:
            async with asyncio.timeout(spec.timeout_s):
                result = await pending
        except TimeoutError:
            why = f"the client did not answer within {spec.timeout_s:g} s"
            return self._failed(spec.name, spec.default_reaction, why)
        finally:
            del self._pending[invocation_id]
        return self._outcome(spec, result)

    def _invoke(self, invocation_id: str, spec: ToolSpec, arguments: Mapping[str, object]) -> None:
        parameters = {**arguments, **self._automatic(spec), **spec.fixed}
        self._send(
            ClientToolInvocation(
                tool_name=spec.name, invocation_id=invocation_id, parameters=parameters
            )
        )

    def _automatic(self, spec: ToolSpec) -> dict[str, object]:
        return {each.name: self._known(each) for each in spec.automatic}

    def _known(self, parameter: AutomaticParameter) -> object:
        settings = self._record.settings
        known: dict[KnownValue, object] = {
            "call_id": self._record.call_id,
            "conversation_history": _history(self._journal.messages()),
            "output_sample_rate": settings.medium.output_hz,
            "call_state": dict(self._journal.call_state),
            "call_metadata": dict(settings.metadata),
            "call_stage_id": self._journal.stage_id,
            "thread_id": "UI",
            "thread_states": {},
        }
        return known[parameter.known_value]

    def _outcome(self, spec: ToolSpec, result: ClientToolResult) -> ToolOutcome:
        reaction: Reaction = result.agent_reaction or spec.default_reaction
        if result.error_type is not None:
            why = result.error_message or result.error_type
            outcome = self._failed(spec.name, reaction, f"the client reported {why}")
        elif result.response_type not in SERVED_RESPONSES:
            why = f"response type {result.response_type} is not served here"
            outcome = self._failed(spec.name, reaction, why)
        else:
            outcome = ToolOutcome(result.result or "", reaction, result.response_type)
        return replace(outcome, call_state=result.update_call_state)

    def _failed(self, name: str, reaction: Reaction, why: str) -> ToolOutcome:
        self._journal.event("tool_failed", f"tool {name}: {why}", "warning", toolName=name)
        return ToolOutcome(FAILED, reaction, error=why)


def _history(messages: Sequence[MessageRecord]) -> list[dict[str, object]]:
    """The conversation in the REST form of messages; blank ones of the agent are left out."""
    shown = (message for message in messages if message.text or message.role != "agent")
    return [
        {
            "role": f"MESSAGE_ROLE_{message.role.upper()}",
            "text": message.text,
            **({} if message.invocation_id is None else {"invocationId": message.invocation_id}),
            **({} if message.tool_name is None else {"toolName": message.tool_name}),
        }
        for message in shown
    ]
