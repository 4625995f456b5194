"""Waits until the caller has heard everything: by the carrier's marks, else by the play-out clock; never for long."""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.audio.lane import Lane
from bridge.legs.carrier.marks import Marks

GRACE_S: Final = 2.0
"""So much later than the play-out clock says may the last mark come back before nobody waits for it any more."""
UNPROVEN_S: Final = 0.2
"""What is added to the play-out clock where no mark proves the end."""


async def drained(lane: Lane, marks: Marks, frame_s: float, ask: Callable[[], None]) -> None:
    """Return when the caller has heard the lane and what was sent of it; at most 2 s after that should be so.

    Args:
        lane: the agent's audio; what is being said ends here.
        marks: of the call.
        frame_s: how long a frame is.
        ask: asks for the last mark, once everything is sent.
    """
    lane.end_segment()
    ahead_ms = lane.depth_ms + lane.ledger.ahead_ms(asyncio.get_running_loop().time())
    bound = asyncio.timeout(ahead_ms / 1000 + GRACE_S)
    try:
        async with bound:
            await _all_heard(lane, marks, frame_s, ask)
    except TimeoutError:
        if not bound.expired():
            raise


async def _all_heard(lane: Lane, marks: Marks, frame_s: float, ask: Callable[[], None]) -> None:
    while lane.depth_samples:  # noqa: ASYNC110 - timers empty it
        await asyncio.sleep(max(lane.depth_ms / 1000, frame_s))
    ask()
    await marks.all_back()
    if not lane.ledger.all_proven:
        until_s = lane.ledger.playing_until_s or 0.0
        await asyncio.sleep(max(0.0, until_s + UNPROVEN_S - asyncio.get_running_loop().time()))
