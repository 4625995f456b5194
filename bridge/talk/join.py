"""`bridge.join`: a call as an async context, for programs. Exported by `bridge`, loaded when it is used."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bridge.batch.plan import parse_api_url
from bridge.talk.daemon_threads import DaemonThreads
from bridge.talk.plan import INPUT_HZ, OUTPUT_HZ, MediumName, TalkPlan
from bridge.talk.program_audio import Microphone, Speaker
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.session import CallSession
from bridge.talk.tools import Tool, make_tool
from bridge.talk.tools_file import load_tools, unique
from bridge.talk.world import Place, talking_place
from bridge.virtual import VirtualLoop
from bridge.wire.agent_socket import Rates

Tools = str | Path | Iterable[Tool | Callable[..., Any]]


class ProgramCall(CallSession):
    """A call whose caller is a program: a session with audio as numpy arrays.

    Attributes:
        microphone: ``write(samples)`` says mono int16 of shape (n,) at ``microphone.rate_hz``, after what was written
            before; ``await drain()`` waits until it is said.
        speaker: an async iterator of what is heard: every 20 ms one frame, mono int16 of shape (n,), at
            ``speaker.rate_hz``, silence included.
    """

    def __init__(self, leg: ProgramLeg, **options: Any) -> None:
        super().__init__(leg, **options)
        self.microphone: Microphone = leg.microphone
        self.speaker: Speaker = leg.speaker


@asynccontextmanager
async def join(  # noqa: PLR0913 - all but the first are optional, and named
    url: str | None = None,
    *,
    api_url: str | None = None,
    api_key: str | SecretStr | None = None,
    agent: str | None = None,
    model: str | None = None,
    script: str | Path | None = None,
    system_prompt: str | None = None,
    body: Mapping[str, object] | None = None,
    medium: MediumName = "serverWebSocket",
    input_hz: int = INPUT_HZ,
    output_hz: int = OUTPUT_HZ,
    tools: Tools = (),
    record: str | Path | None = None,
) -> AsyncIterator[ProgramCall]:
    """Join a call, or make one and join it; it is left with the context.

    Args:
        url: a join URL, over `serverWebSocket` or WebRTC. Left out, the call is made here: at an API if `api_url` is
            given, else at a server of our own with a local brain, without account, key or network.
        api_url: base URL of an Ultravox-style API.
        api_key: its key.
        agent: name or id of an agent of the API; of our own server, the name of a script that is shipped.
        model: the model, where no agent is named.
        script: a script file for our own server.
        system_prompt: what the agent shall be, where no agent is named.
        body: further fields of the request that makes the call, as the API spells them; they win over all else here.
        medium: of a call that is made here.
        input_hz: rate of what the agent hears, and of `microphone`, Hz. For the URL of a `serverWebSocket` call it must
            be the rate that the call was made with.
        output_hz: rate of what the agent says, and of `speaker`, Hz; the same holds for it.
        tools: client tools: a Python file, or functions whose annotated parameters are the tool's.
        record: a folder for call.wav, agent.wav, call.json and timeline.html.

    Yields: the call, once the agent has told its first state, or has refused to. On a virtual loop (`bridge.virtual`)
    the whole call, our own server included, takes place on its clock.

    Raises: UsageError, ApiError, JoinRefused, with one sentence each.
    """
    loop = asyncio.get_running_loop()
    own = await loop.run_in_executor(DaemonThreads("tools file"), _tools, tools)
    key = SecretStr(api_key) if isinstance(api_key, str) else api_key
    plan = TalkPlan(
        join_url=url,
        api_url=None if api_url is None else parse_api_url(api_url),
        api_key=key,
        agent=agent,
        model=model,
        script=None if script is None else Path(script),
        system_prompt=system_prompt,
        body=body or {},
        medium=medium,
        rates=Rates(input_hz, output_hz),
        virtual=isinstance(loop, VirtualLoop),
    )
    async with talking_place(plan, own) as place:
        folder = None if record is None else Path(record)
        async with program_call(place, plan.rates, own, folder) as call:
            yield call


@asynccontextmanager
async def program_call(
    place: Place, rates: Rates, tools: Iterable[Tool] = (), record: Path | None = None
) -> AsyncIterator[ProgramCall]:
    """A program's call at a place, joined and ready; left with the context. Raises: JoinRefused, UsageError."""
    leg = ProgramLeg(source_hz=rates.input_hz, sink_hz=rates.output_hz)
    call = ProgramCall(leg, rates=rates, tools=(*place.tools, *tools), record=record, api=place.api)
    async with call:
        await call.join_call(place.join_url)
        await call.ready()
        yield call


def _tools(given: Tools) -> tuple[Tool, ...]:
    if isinstance(given, (str, Path)):
        return load_tools(Path(given))
    return unique(each if isinstance(each, Tool) else make_tool(each) for each in given)
