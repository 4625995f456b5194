"""One call with files as the caller, from the plan to the files that tell of it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.batch.audio_file import read_audio
from bridge.batch.caller import CallerTurn
from bridge.batch.create_body import create_body
from bridge.batch.live import FileCall, Loaded
from bridge.batch.plan import CallPlan, CallProgress, OnProgress
from bridge.batch.remote import remote_api
from bridge.batch.result import CallResult, write_results
from bridge.batch.world import embedded_agent, embedded_world
from bridge.brains.registry import Brains
from bridge.brains.script.model import Script
from bridge.brains.script.tools import canned_answers
from bridge.brains.speech.kit import SpeechKit
from bridge.client import CallApi, JsonDict
from bridge.errors import BridgeError, UsageError
from bridge.legs.agent import agent_leg
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Leg
from bridge.legs.join_url import announced
from bridge.loops import new_event_loop
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates


def _ignore_progress(progress: CallProgress) -> None:
    """The default."""


def run(plan: CallPlan, on_progress: OnProgress = _ignore_progress) -> CallResult:
    """Carry out a plan and write its files.

    Raises:
        UsageError: the plan contradicts itself, or its folder cannot be.
        AudioFileError: an input cannot be read.
        ApiError, JoinRefused: the call could not be made.
        BridgeError: the results cannot be written.
    """
    plan.check()
    loaded = load_inputs(plan)
    _make_folder(plan.out_dir)
    call = _call(plan, loaded, on_progress)
    result = run_virtual(call) if plan.virtual else _run_real(call)
    try:
        write_results(plan.out_dir, result)
    except OSError as exc:
        raise BridgeError(
            f"the results cannot be written into {plan.out_dir} ({exc.strerror or exc})"
        ) from None
    return result


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{folder} cannot be a folder for results ({exc.strerror})") from None


def load_inputs(plan: CallPlan) -> Loaded:
    """Read the plan's files at the call's rate.

    Raises: AudioFileError.
    """
    turns: list[CallerTurn] = []
    notes: dict[str, str] = {}
    for item in plan.inputs:
        audio = read_audio(item.path, plan.sample_rate_hz)
        turns.append(CallerTurn(item.path.name, audio.samples, item.offset_after_agent_s))
        notes[item.path.name] = audio.note
    return Loaded(tuple(turns), notes)


def _run_real(call: Coroutine[Any, Any, CallResult]) -> CallResult:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(call)


@dataclass(frozen=True, slots=True)
class _World:
    """Where the call takes place, and what to ask for there."""

    api: CallApi
    model: str | None
    script: Script | None


@asynccontextmanager
async def _world(plan: CallPlan) -> AsyncIterator[_World]:
    if not plan.embedded:
        async with remote_api(plan.api_url, plan.api_key) as api:
            yield _World(api, plan.model, None)
        return
    async with AsyncExitStack() as stack:
        kit = SpeechKit.load()
        stack.push_async_callback(kit.close)
        brains = Brains(kit)
        model, script = embedded_agent(
            brains, agent=plan.agent, model=plan.model, script=plan.script
        )
        api = await stack.enter_async_context(
            embedded_world(brains, virtual=plan.virtual, seed=plan.seed)
        )
        yield _World(api, model, script)


async def _call(plan: CallPlan, loaded: Loaded, on_progress: OnProgress) -> CallResult:
    async with _world(plan) as world:
        tools = _canned_tools(plan, world.script)
        if plan.join_url is not None:
            created: JsonDict = {"joinUrl": plan.join_url}
        else:
            body = create_body(plan, tools, model=world.model, script=world.script)
            created = await world.api.create(body, agent=plan.stored_agent)
        agent = await _join(world.api, created, plan)
        return await FileCall(plan, loaded, tools, on_progress).run(world.api, agent, created)


async def _join(api: CallApi, created: JsonDict, plan: CallPlan) -> Leg:
    """The AI side. Of a call that somebody else has made, its first message tells the medium."""
    join_url = str(created["joinUrl"])
    rates = Rates(plan.sample_rate_hz, plan.sample_rate_hz)
    if plan.webrtc or plan.join_url is not None:
        return await agent_leg(await api.join(announced(join_url)), rates)
    return AgentSocketLeg(await api.join(join_url), rates)


def _canned_tools(plan: CallPlan, script: Script | None) -> dict[str, str]:
    """What the caller's side answers to client tools: the script's own answers, then the plan's."""
    return ({} if script is None else canned_answers(script)) | dict(plan.tools)
