"""Answers the client tools of one call: by their functions, each with its deadline, or by hand.

Whatever a function does, the call lives on: one that throws, hangs or gives back what JSON cannot carry is answered
with `implementation-error` and one sentence; a tool that nobody knows with `undefined`, unless a person is there to
answer. The first answer counts; what comes later is dropped.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal

from bridge.talk.daemon_threads import DaemonThreads
from bridge.talk.events import ToolRun
from bridge.talk.faults import fault, sentence
from bridge.talk.tool_results import is_simple, reply_of
from bridge.talk.tools import Tool, ToolFailed, ToolReply
from bridge.wire.messages import ClientToolInvocation, ClientToolResult, encode
from bridge.wire.strict_json import MESSAGE, utf8_size

MAX_PENDING: Final = 64
"""Tool calls of one call that may wait for their answer, as at a server."""
MAX_KEPT: Final = 1_000
"""Tool calls that are remembered; the oldest answered ones give way."""
STOP_S: Final = 1.0
"""A function that is let go of may take so long to clean up."""
LONGEST_WHY: Final = 1_000
"""Characters of the sentence that says why there is no result."""
FAILED: Final = "it failed"
UNKNOWN: Final = "this caller has no such tool"

ErrorType = Literal["undefined", "implementation-error"]


@dataclass(slots=True)
class _Pending:
    run: ToolRun
    task: "asyncio.Task[None] | None" = None


class ToolDesk:
    """The client tools of one call.

    Args:
        now: seconds since the call was joined.
        send: gives a result to the agent.
        changed: told of each tool call, when it is asked for and when it is answered.
        by_hand: a person is there to answer what no function does.
    """

    def __init__(
        self,
        now: Callable[[], float],
        send: Callable[[ClientToolResult], None],
        changed: Callable[[ToolRun], None],
        *,
        by_hand: bool,
    ) -> None:
        self.tools: dict[str, Tool] = {}
        self.runs: dict[str, ToolRun] = {}
        self._now = now
        self._send = send
        self._changed = changed
        self._by_hand = by_hand
        self._pending: dict[str, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = DaemonThreads("client tool")

    def invoked(self, message: ClientToolInvocation) -> None:
        """The agent asks for a tool."""
        if message.invocation_id in self._pending:
            return
        tool = self.tools.get(message.tool_name)
        run = ToolRun(
            invocation_id=message.invocation_id,
            name=message.tool_name,
            arguments=message.parameters,
            state="waiting" if tool is None else "running",
            asked_s=self._now(),
        )
        pending = self._pending[run.invocation_id] = _Pending(run)
        self._tell(run)
        if len(self._pending) > MAX_PENDING:
            self._fail(run, "implementation-error", "too many tool calls wait for their answer")
        elif tool is not None:
            work = self._answer_by(tool, run, message.parameters)
            pending.task = asyncio.get_running_loop().create_task(work, name=f"tool {run.name}")
            self._tasks.add(pending.task)
            pending.task.add_done_callback(self._tasks.discard)
        elif not self._by_hand:
            self._fail(run, "undefined", UNKNOWN)

    def answer(self, invocation_id: str, result: str, error: str | None) -> bool:
        """A person answers; false if nothing of that id waits."""
        pending = self._pending.get(invocation_id)
        if pending is None:
            return False
        run = replace(pending.run, by_hand=True)
        if error is not None:
            self._fail(run, "implementation-error", error)
        else:
            self._reply(run, ToolReply(result=result))
        return True

    async def stop(self) -> None:
        """The call is over: what runs is let go of, what waits stays unanswered."""
        self._pending.clear()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)

    async def _answer_by(self, tool: Tool, run: ToolRun, given: Mapping[str, object]) -> None:
        deadline = asyncio.timeout(tool.deadline_s)
        try:
            call = tool.bind(given)
            async with deadline:
                reply = await self._reply_of(tool, call)
        except ToolFailed as exc:
            self._fail(run, "implementation-error", str(exc))
        except asyncio.CancelledError as exc:
            if _let_go():
                raise
            self._fail(run, "implementation-error", fault(exc))
        except GeneratorExit:  # nobody runs this task any more
            raise
        except BaseException as exc:  # noqa: BLE001 - the border to a user's function; Ctrl-C is a signal, not an error
            late = f"it did not answer within {tool.deadline_s:g} s"
            self._fail(run, "implementation-error", late if deadline.expired() else fault(exc))
        else:
            self._reply(run, reply)

    async def _reply_of(self, tool: Tool, call: Callable[[], Any]) -> ToolReply:
        """Call, and make of what comes back what a message can carry: either may take long."""
        loop = asyncio.get_running_loop()
        if _is_async(tool.implementation):
            value = await call()
        else:
            value = await loop.run_in_executor(self._threads, _called, call)
            if inspect.isawaitable(value):
                value = await value
        make = partial(reply_of, value)
        if is_simple(value):
            return make()
        made: ToolReply = await loop.run_in_executor(self._threads, _called, make)
        return made

    def _reply(self, run: ToolRun, reply: ToolReply) -> None:
        try:
            text = str(reply.result)
            message = ClientToolResult(
                invocation_id=run.invocation_id,
                result=text,
                response_type=reply.response_type,
                agent_reaction=reply.agent_reaction,
                update_call_state=reply.update_call_state,
            )
            n_bytes = utf8_size(encode(message))
        except Exception as exc:  # noqa: BLE001 - a reply is the user's: no text of UTF-8, a reaction that is none
            why = f"it gave back what no message can carry: {type(exc).__name__}"
            self._fail(run, "implementation-error", why)
        else:
            if n_bytes > MESSAGE.max_bytes:
                why = f"its result has {n_bytes} bytes, more than the {MESSAGE.max_bytes} of a message"
                self._fail(run, "implementation-error", why)
            else:
                self._done(replace(run, state="answered", result=text), message)

    def _fail(self, run: ToolRun, kind: ErrorType, why: str) -> None:
        why = sentence(why, LONGEST_WHY) or FAILED
        message = ClientToolResult(
            invocation_id=run.invocation_id, error_type=kind, error_message=why
        )
        self._done(replace(run, state="failed", error=why), message)

    def _done(self, run: ToolRun, message: ClientToolResult) -> None:
        pending = self._pending.pop(run.invocation_id, None)
        if pending is None:
            return
        if pending.task is not None and pending.task is not asyncio.current_task():
            pending.task.cancel()
        self._send(message)
        self._tell(replace(run, done_s=self._now()))

    def _tell(self, run: ToolRun) -> None:
        self.runs[run.invocation_id] = run
        if len(self.runs) > MAX_KEPT:
            oldest = next((key for key, each in self.runs.items() if not each.pending), None)
            if oldest is not None:
                del self.runs[oldest]
        self._changed(run)


def _called(call: Callable[[], Any]) -> Any:
    """In a thread: an exception that no future carries (StopIteration) or that would end the loop is a failure."""
    try:
        return call()
    except ToolFailed:
        raise
    except BaseException as exc:  # noqa: BLE001 - the border to a user's function
        raise ToolFailed(fault(exc)) from None


def _let_go() -> bool:
    """Whether this task is cancelled from outside; a function may raise the like of it by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _is_async(function: Callable[..., Any]) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004 - an object may have an async __call__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
