"""The AI side's leg in a phone call: one that is lost takes along the words that nobody would answer for any more.

One that is joined and never says anything is lost as well: the API's first message comes with the call.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from bridge.legs.base import Ended, Leg, LegEvent, MessageEvent, Port
from bridge.log import whereabouts

log = logging.getLogger(__name__)

LOST: Final = frozenset({"connection_error", "system_error"})
"""Ends that are no goodbye."""
FIRST_WORD_S: Final = 4.0


class PhoneAgent:
    """Wraps a leg: when it is lost, what the caller has not heard yet is dropped.

    Up to 30 s of speech may be waiting then; the caller would listen to it and answer nobody.

    Args:
        leg: the AI call's.
        first_word_s: how long it may take to its first message or audio.
    """

    def __init__(self, leg: Leg, first_word_s: float = FIRST_WORD_S) -> None:
        self.name = leg.name
        self.source_hz = leg.source_hz
        self.sink_hz = leg.sink_hz
        self._leg = leg
        self._first_word_s = first_word_s

    async def run(self, port: Port) -> Ended:
        """See Leg; a leg that breaks inside is lost like one whose connection does."""
        try:
            ended = await self._run(port)
        except Exception as exc:  # noqa: BLE001 - the border of a leg: its bug is no reason to leave a caller alone
            log.error("! the AI side of a call failed: %s", whereabouts(exc))  # noqa: TRY400 - no words of it
            ended = Ended("system_error", "it failed inside")
        if ended.reason in LOST:
            port.clear_far()
        return ended

    async def _run(self, port: Port) -> Ended:
        """The leg's end, or that of one that gives no sign of life."""
        loop, spoke = asyncio.get_running_loop(), False

        def emit(event: LegEvent) -> None:
            nonlocal spoke
            spoke = spoke or isinstance(event, MessageEvent)
            port.emit(event)

        def look() -> None:
            if not spoke and not port.outgoing.stats.pushed:
                bound.reschedule(loop.time())

        bound, timer = asyncio.timeout(None), loop.call_later(self._first_word_s, look)
        try:
            async with bound:
                return await self._leg.run(replace(port, emit=emit))
        except TimeoutError:
            if not bound.expired():
                raise
            return Ended("connection_error", "it was joined and said nothing")
        finally:
            timer.cancel()

    def clear(self) -> None:
        """See Leg."""
        self._leg.clear()

    def receive(self, event: LegEvent) -> None:
        """See Leg."""
        self._leg.receive(event)

    async def drain(self) -> None:
        """See Leg."""
        await self._leg.drain()
