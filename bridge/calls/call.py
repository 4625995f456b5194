"""One call: from its creation to its end, with the tasks that serve it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bridge.brains.base import Brain
from bridge.brains.speech.vad import Vad
from bridge.calls.caller_side import CallerSide
from bridge.calls.client_tools import ClientTools
from bridge.calls.journal import CallJournal
from bridge.calls.recording import open_recorder
from bridge.calls.records import (
    CallRecord,
    EndReason,
    EventRecord,
    MessageRecord,
    StageRecord,
)
from bridge.calls.store import Store
from bridge.errors import BridgeError
from bridge.ids import Ids
from bridge.legs.base import Leg, LegEvent, MessageEvent, Warned
from bridge.legs.brain.host import ConversationSettings
from bridge.legs.brain.leg import BrainLeg
from bridge.legs.recorder import CallRecorder
from bridge.relay import Relay
from bridge.wire.messages import CallEvent, ClientToolResult

log = logging.getLogger(__name__)

OVERTIME_S = 60.0
"""The last words may take this much longer than ``maxDuration``; then the call is ended whatever it does."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every call of a service shares."""

    store: Store
    ids: Ids
    now: Callable[[], datetime]
    recordings: Path | None


class LiveCall:
    """A joined call.

    Args:
        record: the call; its end is written here.
        stage: its one stage.
        initial: messages it starts from.
        brain: decides what the agent says; closed at the end.
        vad: voice activity of the user.
        caller: whoever joined.
        parts: what calls share.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a call
        self,
        record: CallRecord,
        stage: StageRecord,
        initial: Sequence[MessageRecord],
        brain: Brain,
        vad: Vad,
        caller: CallerSide,
        parts: Parts,
    ) -> None:
        self.record = record
        self._side = caller
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._journal = CallJournal(
            record, stage, initial, store=parts.store, ids=parts.ids, now=parts.now
        )
        self._journal.on_event = self._show_event
        self._recorder = self._open_recorder()
        self._caller = caller.open(self._recorder)
        self._tools = ClientTools(record, self._journal, self._caller.send)
        self._brain = BrainLeg(brain, vad, _conversation(record), self._journal, self._tools)
        self._warned: set[str] = set()

    async def run(self) -> EndReason:
        """Serve the call to its end and say how it ended; all records are kept by then."""
        keeper = self._loop.create_task(self._journal.keep(), name=f"{self.record.call_id} journal")
        try:
            reason, detail = await self._relay()
            if detail:
                orderly = reason in ("hangup", "agent_hangup", "timeout")
                self._journal.event("call_ended", detail, "info" if orderly else "warning")
        except Exception:
            self._journal.event("call_failed", "the call failed inside", "error")
            raise
        finally:
            try:
                await self._side.finish()
                if self._recorder is not None:
                    await self._recorder.close()
            finally:
                self._note_figures()
                self._journal.close()
                await keeper
        return reason

    def take(self, message: object) -> bool:
        """A data message injected by REST (reference 1.8); False if the call does not converse."""
        self._brain.take(message)
        return self._brain.conversing

    def stop(self) -> None:
        """The server goes away: end the call; `run` returns when all of it is kept."""
        self._caller.stop()

    async def _relay(self) -> tuple[EndReason, str]:
        relay = Relay(self._caller, self._brain, watch=self._watch)
        limit_s = self.record.settings.max_duration_s + OVERTIME_S
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                end = await relay.run()
        except TimeoutError:
            if not limit.expired():
                raise  # somebody else's
            return "timeout", f"the call was cut off {OVERTIME_S:g} s after its maximum duration"
        except BridgeError as exc:
            return "system_error", str(exc)
        return end.ended.reason, end.ended.detail

    def _watch(self, leg: Leg, event: LegEvent) -> None:
        if isinstance(event, MessageEvent) and isinstance(event.message, ClientToolResult):
            self._tools.take(event.message)
        elif isinstance(event, Warned) and event.type not in self._warned:
            self._warned.add(event.type)
            self._journal.event(event.type, f"{leg.name}: {event.text}", "warning")

    def _note_figures(self) -> None:
        if self._side.figures is not None:
            told = "what was counted of the caller's media"
            self._journal.event(self._side.figures_event, told, "info", **self._side.figures())

    def _show_event(self, event: EventRecord) -> None:
        message = CallEvent(
            call_id=self.record.call_id,
            call_stage_id=event.stage_id,
            call_timestamp=f"{event.call_timestamp_s:.3f}s",
            severity=event.severity,
            event_type=event.type,
            text=event.text,
            extras=None if event.extras is None else dict(event.extras),
        )
        self._caller.receive(MessageEvent(message))

    def _open_recorder(self) -> CallRecorder | None:
        settings = self.record.settings
        if not settings.recording_enabled or self._parts.recordings is None:
            return None
        return open_recorder(
            self._parts.recordings,
            self.record.call_id,
            rate_hz=self._side.rates.input_hz,
            agent_hz=self._side.rates.output_hz,
            on_error=lambda text: self._journal.event("recording_stopped", text, "error"),
        )


def _conversation(record: CallRecord) -> ConversationSettings:
    settings = record.settings
    return ConversationSettings(
        call_id=record.call_id,
        first_speaker=settings.first_speaker,
        inactivity=settings.inactivity,
        max_duration_s=settings.max_duration_s,
        time_exceeded_message=settings.time_exceeded_message or "",
        output_medium=settings.output_medium,
        vad=settings.vad,
    )
