"""What to talk to: our own call server on loopback, somebody's API, or a call that exists already.

Only what is needed is loaded: our own server costs most of the time from start to talk, and a join URL needs none of
it. The embedded ear and voice are started while the call is being made, so that neither is waited for: the voice is
there for the greeting, the ear loads behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bridge.batch.remote import remote_api
from bridge.client import CallApi
from bridge.talk.plan import RATES, TalkPlan, create_body
from bridge.talk.tools import Tool

if TYPE_CHECKING:
    from bridge.brains.script.model import Script
    from bridge.brains.speech.kit import SpeechKit


__all__ = ["RATES", "Place", "TalkPlan", "talking_place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A call that can be joined.

    Attributes:
        join_url: Its address; a secret.
        api: Joins it, and tells of it afterwards; None for a call that somebody else made.
        tools: Client tools that the agent's own script answers where the user has none of that name.
    """

    join_url: str
    api: CallApi | None = None
    tools: Sequence[Tool] = ()


@asynccontextmanager
async def talking_place(plan: TalkPlan, tools: Sequence[Tool] = ()) -> AsyncIterator[Place]:
    """Make the call that the plan asks for; what it needs is there for the time of the context.

    Args:
        plan: whom to talk to.
        tools: client tools of the user, declared to the call unless a stored agent declares its own.

    Raises: UsageError, ConfigError, ApiError with one sentence.
    """
    plan.check()
    async with AsyncExitStack() as stack:
        if plan.embedded:
            yield await _embedded(plan, tools, stack)
            return
        if plan.join_url is not None:
            yield Place(plan.join_url)
            return
        api = await stack.enter_async_context(remote_api(plan.api_url, plan.api_key))
        body = create_body(plan, tools, [])
        created = await api.create(body, agent=plan.agent)
        yield Place(str(created["joinUrl"]), api)


async def _embedded(plan: TalkPlan, tools: Sequence[Tool], stack: AsyncExitStack) -> Place:
    """A call at a server of our own."""
    loop = asyncio.get_running_loop()
    # Its modules take longer to load than a loop may be held up.
    parts = await loop.run_in_executor(None, _server_parts)
    kit = parts.kit()
    stack.push_async_callback(kit.close)
    if not plan.virtual:
        warm = loop.create_task(kit.warm(), name="speech warming up")
        stack.push_async_callback(_let_go, warm)
    return await parts.place(plan, tools, kit, stack)


async def _let_go(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait((task,))


class _ServerParts:
    """What a server of our own is made of, loaded when one is needed."""

    def __init__(self) -> None:
        from bridge.batch import world  # noqa: PLC0415 - takes half a second, which a remote call need not wait for
        from bridge.brains import registry  # noqa: PLC0415
        from bridge.brains.script import tools as script_tools  # noqa: PLC0415
        from bridge.brains.speech.kit import SpeechKit  # noqa: PLC0415
        from bridge.legs.webrtc.options import RtcOptions  # noqa: PLC0415

        self.kit = SpeechKit.load
        self._rtc_options = RtcOptions
        self._world, self._registry, self._tools = world, registry, script_tools

    async def place(
        self, plan: TalkPlan, tools: Sequence[Tool], kit: "SpeechKit", stack: AsyncExitStack
    ) -> Place:
        brains = self._registry.Brains(kit)
        model, script = self._world.embedded_agent(
            brains, agent=plan.agent, model=plan.model, script=plan.script
        )
        rtc = self._rtc_options() if plan.medium == "webRtc" else None
        server = self._world.embedded_world(brains, virtual=plan.virtual, seed="talk", rtc=rtc)
        api = await stack.enter_async_context(server)
        declared = [] if script is None else self._tools.selected_tools(script)
        created = await api.create(create_body(plan, tools, declared, model))
        return Place(str(created["joinUrl"]), api, self._canned(script))

    def _canned(self, script: "Script | None") -> tuple[Tool, ...]:
        answers = {} if script is None else self._tools.canned_answers(script)
        return tuple(Tool(name, "", partial(_same, text)) for name, text in answers.items())


def _server_parts() -> _ServerParts:
    return _ServerParts()


async def _same(text: str, _arguments: Mapping[str, object]) -> str:
    """A tool whose answer is known."""
    return text
