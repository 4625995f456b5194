"""The AI side's leg in a phone call: one that is lost takes along the words that nobody would answer for any more."""

import logging
from typing import Final

from bridge.legs.base import Ended, Leg, LegEvent, Port
from bridge.log import whereabouts

log = logging.getLogger(__name__)

LOST: Final = frozenset({"connection_error", "system_error"})
"""Ends that are no goodbye."""


class PhoneAgent:
    """Wraps a leg: when it is lost, what the caller has not heard yet is dropped.

    Up to 30 s of speech may be waiting then; the caller would listen to it and answer nobody.

    Args:
        leg: the AI call's.
    """

    def __init__(self, leg: Leg) -> None:
        self.name = leg.name
        self.source_hz = leg.source_hz
        self.sink_hz = leg.sink_hz
        self._leg = leg

    async def run(self, port: Port) -> Ended:
        """See Leg; a leg that breaks inside is lost like one whose connection does."""
        try:
            ended = await self._leg.run(port)
        except Exception as exc:  # noqa: BLE001 - the border of a leg: its bug is no reason to leave a caller alone
            log.error("! the AI side of a call failed: %s", whereabouts(exc))  # noqa: TRY400 - no words of it
            ended = Ended("system_error", "it failed inside")
        if ended.reason in LOST:
            port.clear_far()
        return ended

    def clear(self) -> None:
        """See Leg."""
        self._leg.clear()

    def receive(self, event: LegEvent) -> None:
        """See Leg."""
        self._leg.receive(event)

    async def drain(self) -> None:
        """See Leg."""
        await self._leg.drain()
