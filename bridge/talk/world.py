"""What to talk to: our own call server on loopback, somebody's API, or a call that exists already.

Only what is needed is loaded: our own server costs most of the time from start to talk, and a join URL needs none of
it. The embedded ear and voice are started while the call is being made, so that neither is waited for: the voice is
there for the greeting, the ear loads behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import SecretStr

from bridge.batch.remote import remote_api
from bridge.client import CallApi, JsonDict
from bridge.errors import UsageError
from bridge.talk.tools import Tool
from bridge.wire.agent_socket import Rates

if TYPE_CHECKING:
    from bridge.brains.script.model import Script
    from bridge.brains.speech.kit import SpeechKit

MediumName = Literal["serverWebSocket", "webRtc"]

INPUT_HZ: Final = 16_000
OUTPUT_HZ: Final = 24_000
RATES: Final = Rates(INPUT_HZ, OUTPUT_HZ)
CLIENT_BUFFER_MS: Final = 30_000
_CLEARS: Final = {"playbackClearBuffer": True}
_OF_OURS: Final = {"callEvent": True, "userStoppedSpeaking": True}
"""Further data messages that our own server is asked for; another one may not know the switches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkPlan:
    """Whom to talk to, and how.

    Attributes:
        join_url: A call that exists already; excludes all but `rates`.
        api_url: Base URL of an Ultravox-style API; None: our own server, for the time of the call.
        api_key: Sent as X-API-Key to `api_url`.
        agent: Name or id of an agent of the API; of our own server, the name of a script that is shipped.
        model: `model` of the request.
        script: A script file for our own server.
        system_prompt: `systemPrompt` of the request.
        body: Further fields of the request (reference 4.4, 4.5); they win over what is made of the rest.
        medium: How the audio goes.
        rates: What the agent hears and what it says, Hz.
        virtual: In virtual time, against our own server in process.
    """

    join_url: str | None = None
    api_url: str | None = None
    api_key: SecretStr | None = None
    agent: str | None = None
    model: str | None = None
    script: Path | None = None
    system_prompt: str | None = None
    body: Mapping[str, object] = field(default_factory=dict)
    medium: MediumName = "serverWebSocket"
    rates: Rates = RATES
    virtual: bool = False

    @property
    def embedded(self) -> bool:
        """Whether our own server is started."""
        return self.join_url is None and self.api_url is None

    def check(self) -> None:
        """Refuse what cannot be together. Raises: UsageError with one sentence."""
        for wrong, sentence in self._contradictions():
            if wrong:
                raise UsageError(sentence)

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        picks = (self.agent, self.model, self.script, self.system_prompt)
        key = "" if self.api_key is None else self.api_key.get_secret_value()
        stored = self.api_url is not None and self.agent is not None
        return (
            (
                self.join_url is not None and self.api_url is not None,
                "an API and a join URL exclude each other: a join URL is a call already made",
            ),
            (
                self.join_url is not None and (any(picks) or bool(self.body)),
                "a join URL is a call whose agent is chosen: leave out what picks one",
            ),
            (
                self.api_key is not None and self.api_url is None,
                "an API key goes with the API's address",
            ),
            (
                not (key.isascii() and key.isprintable() and " " not in key),
                "the API key has a blank, a control character or a letter beyond ASCII in it",
            ),
            (
                self.script is not None and self.api_url is not None,
                "a script is for the embedded server: a remote API runs its own agents",
            ),
            (
                self.script is not None and (self.agent is not None or self.model is not None),
                "a script picks the agent already: leave out agent and model",
            ),
            (
                self.agent is not None and self.model is not None,
                "agent and model exclude each other: both say who answers",
            ),
            (
                stored and self.system_prompt is not None,
                "an agent of an API has its own prompt: leave the system prompt out",
            ),
            (
                self.virtual and not self.embedded,
                "virtual time works with the embedded server only: a remote call runs in real time",
            ),
            (
                self.virtual and self.medium == "webRtc",
                "there is no WebRTC in virtual time: ask for the medium serverWebSocket",
            ),
        )


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


def create_body(
    plan: TalkPlan, tools: Sequence[Tool], declared: Sequence[JsonDict], model: str | None = None
) -> JsonDict:
    """The request that makes the call.

    Args:
        plan: whom to talk to.
        tools: client tools of the user.
        declared: tools that the agent's script brings, as `selectedTools`.
        model: of our own server; else the plan's.
    """
    body: JsonDict = {"medium": _medium(plan)}
    if plan.api_url is None or plan.agent is None:
        own = {tool.name for tool in tools}
        kept = [each for each in declared if _name_of(each) not in own]
        asked: JsonDict = {
            "model": model or plan.model,
            "systemPrompt": plan.system_prompt,
            "selectedTools": [*kept, *(tool.selected for tool in tools)] or None,
        }
        body |= {key: value for key, value in asked.items() if value is not None}
    return body | dict(plan.body)


def _medium(plan: TalkPlan) -> JsonDict:
    further = _OF_OURS if plan.embedded else {}
    if plan.medium == "webRtc":
        return {"webRtc": {"dataMessages": {**_CLEARS, **further}}}
    socket: JsonDict = {
        "inputSampleRate": plan.rates.input_hz,
        "outputSampleRate": plan.rates.output_hz,
        "clientBufferSizeMs": CLIENT_BUFFER_MS,
    }
    return {"serverWebSocket": socket | ({"dataMessages": further} if further else {})}


def _name_of(selected: JsonDict) -> object:
    temporary = selected.get("temporaryTool")
    return temporary.get("modelToolName") if isinstance(temporary, Mapping) else None


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
