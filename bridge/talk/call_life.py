"""One call from its joining to its complete files, however it ends.

The relay runs in a task of its own; leaving cancels it, which closes both legs in order. What was recorded is completed
in every case, by a task that belongs to the call and not to whoever waits for it.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.client import CallApi
from bridge.errors import BridgeError, UsageError
from bridge.legs.agent import agent_leg
from bridge.legs.base import Ended, Leg
from bridge.legs.join_refusals import without_parts_of
from bridge.legs.join_url import announced
from bridge.legs.media_socket import Connect
from bridge.log import printable
from bridge.relay import Relay
from bridge.talk.caller_end import CallerEnd
from bridge.talk.events import Status
from bridge.talk.recording import Recording, make_folder
from bridge.talk.result import Outcome, close_recording
from bridge.talk.tool_desk import ToolDesk
from bridge.talk.watched_lane import WatchedLane
from bridge.talk.witness import Witness
from bridge.wire.agent_socket import Rates

if TYPE_CHECKING:
    from bridge.legs.webrtc.options import RtcOptions

LONGEST_S: Final = 4 * 3600.0
"""No call lasts longer, whatever the far end does."""


class CallLife:
    """See the module.

    Args:
        caller: the caller's leg.
        rates: of the call's audio.
        connect: opens the join URL's socket.
        rtc: how to join a call over WebRTC; the defaults if None.
        record: a folder for the recording; None keeps nothing.
        api: reads what the server recorded, for a call that is recorded here.
        witness: sees what passes.
        desk: answers tools.
        on_status: told of `connecting`, `idle`, `disconnecting`, `disconnected`.
        on_over: told once how the call ended, when its files are complete.

    Attributes:
        agent: the agent's leg, while there is one.
        ended: how the call ended, when its files are complete.
        kept: false when something of the recording that was asked for could not be written.
    """

    def __init__(  # noqa: PLR0913 - a call has that many parts
        self,
        caller: CallerEnd,
        rates: Rates,
        *,
        connect: Connect,
        rtc: "RtcOptions | None",
        record: Path | None,
        api: CallApi | None,
        witness: Witness,
        desk: ToolDesk,
        on_status: Callable[[Status], None],
        on_over: Callable[[Ended], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.agent: Leg | None = None
        self.kept = True
        self.ended: asyncio.Future[Ended] = self._loop.create_future()
        self._caller, self._rates = caller, rates
        self._connect, self._rtc = connect, rtc
        self._record, self._api = record, api
        self._witness, self._desk = witness, desk
        self._on_status, self._on_over = on_status, on_over
        self._join_url: str | None = None
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def joined(self) -> bool:
        """Whether a call was ever asked for."""
        return self._join_url is not None

    async def join(self, join_url: str) -> None:
        """See CallSession.join_call."""
        if self.joined:
            raise UsageError("a session has one call: make another session for the next")
        self._join_url = join_url
        self._on_status("connecting")
        try:
            await self._join(join_url)
        except BaseException as exc:
            said = str(exc) if isinstance(exc, BridgeError) else "the join was given up"
            self._over(self._clean(Ended("connection_error", said)))
            raise

    def leave(self) -> None:
        """Hang up."""
        self._leaving.set()

    async def _join(self, join_url: str) -> None:
        if self._record is not None:
            await self._loop.run_in_executor(None, make_folder, self._record)
        socket = await self._connect(announced(join_url))
        agent = await agent_leg(socket, self._rates, rtc=self._rtc)
        self.agent = agent
        relay = Relay(self._caller, agent, watch=self._witness.watch, lane=WatchedLane)
        recording = None
        if self._record is not None:
            rate_hz, note = self._caller.source_hz, self._witness.note
            recording = Recording(self._record, relay.downlink, caller_hz=rate_hz, on_error=note)
        self._witness.attend(relay, recording, self._caller.underruns)
        self._on_status("idle")
        self._task = self._loop.create_task(self._live(relay, recording), name="call session")

    async def _live(self, relay: Relay, recording: Recording | None) -> None:
        ended = Ended("system_error", "the call was given up")
        try:
            ended = await self._relay(relay)
            self._on_status("disconnecting")
            ended = await self._finish(ended, recording)
        finally:
            self._over(ended)

    async def _relay(self, relay: Relay) -> Ended:
        """Until a leg ends, the user leaves, or it has lasted too long."""
        running = self._loop.create_task(relay.run(), name="call relay")
        leaving = self._loop.create_task(self._leaving.wait(), name="call session leaving")
        try:
            await asyncio.wait(
                (running, leaving), timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED
            )
            if running.done():
                return self._clean(running.result().ended)
            return Ended("hangup" if leaving.done() else "timeout")
        except Exception as exc:  # noqa: BLE001 - a leg's bug ends its call, and the files are kept all the same
            return Ended("system_error", f"the call broke inside: {type(exc).__name__}")
        finally:
            for task in (running, leaving):
                task.cancel()
            await asyncio.wait((running, leaving))

    async def _finish(self, ended: Ended, recording: Recording | None) -> Ended:
        await self._desk.stop()
        if recording is None:
            return ended
        tools = tuple(self._desk.runs.values())
        outcome = Outcome(ended, self._witness, tools, self._caller.underruns)
        try:
            return await close_recording(recording, outcome, self._api)
        finally:
            self.kept = recording.complete

    def _clean(self, ended: Ended) -> Ended:
        """A far end may close with the join URL in its words, or with what a terminal would obey."""
        detail = printable(without_parts_of(self._join_url or "", ended.detail))
        return Ended(ended.reason, detail)

    def _over(self, ended: Ended) -> None:
        self.agent = None
        self._on_status("disconnected")
        if not self.ended.done():
            self.ended.set_result(ended)
            self._on_over(ended)
