"""`tipring talk` without its command line: from a plan to a call that took place."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.legs.base import Ended
from bridge.talk.caller import make_caller
from bridge.talk.conversation import Conversation
from bridge.talk.daemon_threads import DaemonThreads
from bridge.talk.events import LIVE, Noted, StatusChanged, Turn
from bridge.talk.fronts import Front
from bridge.talk.serving import serve, tell
from bridge.talk.session import CallSession
from bridge.talk.signals import Signals, ignoring
from bridge.talk.sound import Sound
from bridge.talk.tools import Tool
from bridge.talk.tools_file import load_tools, unique
from bridge.talk.world import TalkPlan, talking_place


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkOrder:
    """All that a talk is made of.

    Attributes:
        plan: whom to talk to.
        sound: through what.
        tool_files: Python files whose functions answer client tools.
        record: folder for recording, transcript and figures; None keeps nothing.
        by_hand: a person is there to answer the tools that nobody else answers.
    """

    plan: TalkPlan
    sound: Sound
    tool_files: Sequence[Path] = ()
    record: Path | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class TalkResult:
    """A talk that is over: how it ended, how long it was (s), its turns, its notes, whether all files are whole."""

    ended: Ended
    duration_s: float
    turns: Sequence[Turn]
    notes: Sequence[str]
    kept: bool = True


async def run(order: TalkOrder, front: Front, signals: Signals = ignoring) -> TalkResult:
    """Make the call, or join it, and let it take place.

    Args:
        order: what is asked for.
        front: tells the user of the call, and takes their wishes.
        signals: catches what wants the process to end, once there is a call to be ended.

    Raises: UsageError, MissingExtra, ApiError, JoinRefused, BridgeError with one sentence.
    """
    loop = asyncio.get_running_loop()
    # A user's file may take for ever to load, and the process must be able to end all the same.
    tools = await loop.run_in_executor(DaemonThreads("tools file"), _load, order.tool_files)
    async with AsyncExitStack() as stack:
        caller = await make_caller(order.sound, order.plan.rates)
        stack.push_async_callback(caller.close)
        place = await stack.enter_async_context(talking_place(_plan(order), tools))
        session = CallSession(
            caller.leg,
            rates=order.plan.rates,
            tools=(*place.tools, *tools),
            record=order.record,
            by_hand=order.by_hand,
            api=place.api,
        )
        tell(session, front)
        gc.freeze()  # what was loaded stays: a collection that looks at all of it is heard as a gap
        await stack.enter_async_context(session)
        await session.join_call(place.join_url)
        conversation = Conversation(session, caller.device, front.refuse)
        for note in caller.notes:
            front.take(Noted(session.now_s, note))
        if order.sound.typed:
            _answer_in_text(session)
        ended = await serve(session, conversation, front, signals)
        return TalkResult(
            ended,
            session.now_s,
            tuple(session.turns),
            tuple(session.notes),
            session.recording_complete,
        )


def _answer_in_text(session: CallSession) -> None:
    """Ask for it as soon as the agent listens: who made the call has chosen how it begins."""

    def ask(event: StatusChanged) -> None:
        if event.status in LIVE and session.output_medium != "text":
            forget()
            session.set_output_medium("text")

    forget = session.on(StatusChanged, ask)


def _plan(order: TalkOrder) -> TalkPlan:
    """Who types shall be answered in text from the first word on, and who answers tools by hand be waited for."""
    plan = replace(order.plan, by_hand=order.by_hand)
    if not order.sound.typed or plan.join_url is not None:
        return plan
    return replace(plan, body={"initialOutputMedium": "MESSAGE_MEDIUM_TEXT", **plan.body})


def _load(files: Sequence[Path]) -> tuple[Tool, ...]:
    return unique(tool for file in files for tool in load_tools(file))
