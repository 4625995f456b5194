"""One live talk from its joining to its end: the session, the front that tells it, and the wishes to leave.

The call ends once, whatever the reason: the far end hangs up, the user does, a signal comes, the front breaks, or all
of this is cancelled. Each way the session leaves the call and completes its files, within a deadline.
"""

import asyncio
from typing import Final, get_args

from bridge.errors import BridgeError
from bridge.legs.base import Ended
from bridge.talk.conversation import Conversation
from bridge.talk.events import SessionEvent
from bridge.talk.fronts import Front
from bridge.talk.session import CallSession
from bridge.talk.signals import Signals, ignoring

LEAVE_S: Final = 15.0
"""For the far end to let go and the files to be complete; an API that is asked about its call may take 10 s."""


def tell(session: CallSession, front: Front) -> None:
    """Let a front have all events of a session, from now on."""
    for kind in get_args(SessionEvent):
        session.on(kind, front.take)


async def serve(
    session: CallSession, conversation: Conversation, front: Front, signals: Signals = ignoring
) -> Ended:
    """Let a joined call take place until it is over; how it ended.

    Args:
        session: the call, joined.
        conversation: the same for the front.
        front: tells the user of it.
        signals: catches what wants the process to end, for the time of the call.

    Raises: whatever the front raised, when the call is over.
    """
    loop = asyncio.get_running_loop()
    showing = loop.create_task(front.run(conversation), name="talk front")
    over = loop.create_task(session.ended(), name="talk over")
    leaving = loop.create_task(conversation.leaving.wait(), name="talk leaving")
    try:
        with signals(conversation.hang_up):
            await _until_one_wants_to_leave(showing, over, leaving)
            ended = await _left(session)
            await asyncio.wait((showing,), timeout=front.linger_s)
    finally:
        for task in (showing, over, leaving):
            task.cancel()
        await asyncio.wait((showing, over, leaving))
    if not showing.cancelled() and (error := showing.exception()) is not None:
        raise error
    return ended


async def _until_one_wants_to_leave(
    showing: asyncio.Task[None], over: asyncio.Task[Ended], leaving: asyncio.Task[bool]
) -> None:
    """A front that is done, and not broken, leaves the call going on."""
    waiting: set[asyncio.Task[None] | asyncio.Task[Ended] | asyncio.Task[bool]]
    waiting = {showing, over, leaving}
    while not (over.done() or leaving.done()):
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if showing in done and (showing.cancelled() or showing.exception() is not None):
            return


async def _left(session: CallSession) -> Ended:
    try:
        async with asyncio.timeout(LEAVE_S):
            return await session.leave_call()
    except TimeoutError:
        raise BridgeError(f"the call did not let go within {LEAVE_S:g} s") from None
