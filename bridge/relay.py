"""The relay joins two legs until one of them ends, and owns the tasks of one call.

It makes the two lanes, routes events from each leg to the other and to a watcher, and carries out a clear in the one
right order: lane, far leg, ledger (DESIGN: control overtakes audio).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bridge.audio.lane import Lane
from bridge.legs.base import Ended, FarBroke, Leg, LegEvent, Port

UPLINK_MAX_MS = 2_000
"""Live audio of the caller: older than this it is worthless, and the oldest gives way (reliability, section 5)."""
UPLINK_OPENING_MS = 12_000
"""What the caller said before the agent was there, 10 s at most, comes at once and is not old."""
DOWNLINK_MAX_MS = 32_000
"""The agent's speech: a little above the largest client buffer in use (30 s); the newest gives way."""
DRAIN_LIMIT_S = 40.0
CLOSE_LIMIT_S = 2.0

Watch = Callable[[Leg, LegEvent], None]


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended: which leg ended first, and why."""

    by: Leg
    ended: Ended


def _watch_nothing(leg: Leg, event: LegEvent) -> None:
    """The default watcher."""


class Relay:
    """One call: two legs, two lanes.

    Args:
        caller: the human-side leg.
        agent: the AI-side leg.
        watch: called with each event and the leg that emitted it, after the other leg got it.
        downlink_max_ms: bound of the agent's audio waiting for the caller's leg, ms.
        lane: what the lanes are made of; one that somebody watches, say.
    """

    def __init__(
        self,
        caller: Leg,
        agent: Leg,
        *,
        watch: Watch = _watch_nothing,
        downlink_max_ms: float = DOWNLINK_MAX_MS,
        lane: type[Lane] = Lane,
    ) -> None:
        self.caller = caller
        self.agent = agent
        self.uplink = lane(
            agent.sink_hz,
            UPLINK_MAX_MS,
            "drop_oldest",
            source_hz=caller.source_hz,
            opening_ms=UPLINK_OPENING_MS,
        )
        self.downlink = lane(
            caller.sink_hz, downlink_max_ms, "drop_newest", source_hz=agent.source_hz
        )
        self._watch = watch

    async def run(self) -> CallEnd:
        """Relay until one leg ends; then let the other finish what it was told, and close it."""
        loop = asyncio.get_running_loop()
        caller = loop.create_task(
            self.caller.run(self._port(self.caller, self.agent, self.uplink, self.downlink)),
            name=f"{self.caller.name} leg",
        )
        agent = loop.create_task(
            self.agent.run(self._port(self.agent, self.caller, self.downlink, self.uplink)),
            name=f"{self.agent.name} leg",
        )
        try:
            await asyncio.wait((caller, agent), return_when=asyncio.FIRST_COMPLETED)
            first, by, other = (
                (agent, self.agent, self.caller)
                if agent.done()
                else (caller, self.caller, self.agent)
            )
            if _broke(first):
                other.receive(FarBroke())
            elif first is agent and not caller.done():
                await self._let_caller_hear_the_rest(caller)
            return CallEnd(by, first.result())
        finally:
            await _close(caller, agent)

    def _port(self, leg: Leg, far: Leg, outgoing: Lane, incoming: Lane) -> Port:
        loop = asyncio.get_running_loop()

        def emit(event: LegEvent) -> None:
            far.receive(event)
            self._watch(leg, event)

        def clear_far() -> None:
            outgoing.clear()
            far.clear()
            outgoing.ledger.flush(loop.time())

        return Port(outgoing, incoming, emit, clear_far)

    def _nobody_hears(self) -> None:
        """The agent is gone: what the caller says now is for nobody, and not lost on the way."""
        self.uplink.clear()

    async def _let_caller_hear_the_rest(self, caller: "asyncio.Task[Ended]") -> None:
        """A goodbye is heard to its end before the call is closed, with a bound."""
        self.uplink.on_ready = self._nobody_hears
        drain = asyncio.ensure_future(self.caller.drain())
        try:
            await asyncio.wait(
                (drain, caller), timeout=DRAIN_LIMIT_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            await _close(drain)


def _broke(leg: "asyncio.Task[Ended]") -> bool:
    return leg.cancelled() or bool(leg.exception()) or leg.result().reason == "system_error"


async def _close(*tasks: "asyncio.Future[Ended] | asyncio.Future[None]") -> None:
    """Cancel what still runs and wait for it, at most `CLOSE_LIMIT_S`; errors of a leg that lost are not news."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=CLOSE_LIMIT_S)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
