"""The call service: creates calls, lets clients join them, ends them, and answers questions about them.

It owns the task of every live call. A join URL's token is claimed once, before the upgrade: one winner, the others are
told why (reference 2.6). Everything runs on the event loop; time is the loop's.
"""

import asyncio
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bridge.brains.base import Brain
from bridge.brains.speech.vad import Vad
from bridge.calls.call import LiveCall, Parts
from bridge.calls.caller_side import caller_side
from bridge.calls.errors import (
    AlreadyJoined,
    CallOver,
    InvalidSettings,
    NoCapacity,
    NotDialled,
    NotLive,
    RecordingNotFound,
    StillLive,
    TokenUnknown,
)
from bridge.calls.paging import Page, Window
from bridge.calls.phones import NoPhones, Phones
from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.recording import recording_path
from bridge.calls.records import (
    CallRecord,
    EndReason,
    EventRecord,
    MessageRecord,
    StageRecord,
    ToolRecord,
)
from bridge.calls.settings import CallSettings, PhoneMedium
from bridge.errors import BridgeError, RemoteWireError, UsageError
from bridge.legs.media_socket import MediaSocket
from bridge.legs.phone_line import CarrierApiError
from bridge.log import whereabouts
from bridge.wire.close_codes import GOING_AWAY, INTERNAL_ERROR, NORMAL

log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 10.0
"""How long calls may take to end when the service closes; then they are cut off."""


class BrainSource(Protocol):
    """Where brains come from: a registry of models, and the voice activity that goes with them."""

    def names(self) -> Sequence[str]:
        """The models a call may ask for."""
        ...

    def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
        """A new brain for one call; a live one works at ``live_hz``.

        Raises: UsageError for an unknown model.
        """
        ...

    def vad(self) -> Vad:
        """Voice activity for one call."""
        ...


@dataclass(slots=True)
class _Open:
    """A call that has not ended."""

    record: CallRecord
    stage: StageRecord
    initial: list[MessageRecord]
    join_timer: asyncio.TimerHandle
    joined_at_s: float | None = None
    """Of the loop's time."""
    claimed: bool = False
    socket: MediaSocket | None = None
    live: LiveCall | None = None
    task: "asyncio.Task[None] | None" = None


class CallService:
    """All calls of one server.

    Args:
        parts: the store, ids, the clock, and where recordings go (None: nothing is recorded).
        brains: makes the brain of each call.
        phones: the carriers of calls whose medium is one; without them streams may come, none is dialled.
    """

    def __init__(self, parts: Parts, brains: BrainSource, phones: Phones | None = None) -> None:
        self._parts = parts
        self._brains = brains
        self._phones = phones or NoPhones()
        self._open: dict[str, _Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    # Creating and asking

    async def create(self, settings: CallSettings) -> CallRecord:
        """Make a call that waits for its client; one with an outgoing medium is dialled first.

        Raises: InvalidSettings if it asks for what nobody serves, NotDialled if the carrier would not,
        NoCapacity when the service closes.
        """
        if self._closing:
            raise NoCapacity("The server is stopping.")
        if settings.model not in self._brains.names():
            raise InvalidSettings("model", self._unknown_model(settings.model))
        if isinstance(settings.medium, PhoneMedium):
            self._check_phone(settings.medium)
        record, stage = self._new_records(settings)
        initial = _initial_messages(settings, stage.stage_id)
        await self._parts.store.add_call(record)
        await self._parts.store.add_stage(stage)
        for message in initial:
            await self._parts.store.add_message(record.call_id, message)
        timer = asyncio.get_running_loop().call_later(
            settings.join_timeout_s, self._unjoined, record.call_id
        )
        self._open[record.call_id] = _Open(record, stage, initial, timer)
        await self._dial(record)
        return record

    async def get(self, call_id: str) -> CallRecord:
        """One call."""
        return await self._parts.store.call(call_id)

    async def list(self, query: CallQuery, window: Window) -> Page[CallRecord]:
        """A page of calls."""
        return await self._parts.store.calls(query, window)

    async def delete(self, call_id: str) -> None:
        """Forget a call that has ended, its recording included."""
        record = await self._parts.store.call(call_id)
        if record.ended is None:
            raise StillLive("The call has not ended yet: end it first, then delete it.")
        path = self._recording(call_id)
        if path is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, lambda: path.unlink(missing_ok=True))
        await self._parts.store.delete_call(call_id, self._parts.now())

    async def messages(
        self, call_id: str, query: MessageQuery, window: Window
    ) -> Page[MessageRecord]:
        """A page of a call's messages."""
        return await self._parts.store.messages(call_id, query, window)

    async def events(self, call_id: str, query: EventQuery, window: Window) -> Page[EventRecord]:
        """A page of a call's events."""
        return await self._parts.store.events(call_id, query, window)

    async def stages(self, call_id: str, window: Window) -> Page[StageRecord]:
        """A page of a call's stages."""
        return await self._parts.store.stages(call_id, window)

    async def stage(self, call_id: str, stage_id: str | None = None) -> StageRecord:
        """One stage, or the last one."""
        return await self._parts.store.stage(call_id, stage_id)

    async def recording_path(self, call_id: str) -> Path:
        """The file of an ended call's recording."""
        record = await self._parts.store.call(call_id)
        if record.ended is None:
            raise StillLive("The call has not ended yet: its recording is still being written.")
        path = self._recording(call_id)
        loop = asyncio.get_running_loop()
        if (
            path is None
            or not record.settings.recording_enabled
            or not await loop.run_in_executor(None, path.exists)
        ):
            raise RecordingNotFound("This call has no recording.")
        return path

    async def send_data_message(self, call_id: str, message: object) -> None:
        """Put a message into a live call, as if its client had sent it."""
        await self._parts.store.call(call_id)
        opened = self._open.get(call_id)
        if opened is None or opened.live is None or not opened.live.take(message):
            raise NotLive("The call is not joined, or has ended.")

    def models(self) -> Sequence[str]:
        """The models a call may ask for."""
        return self._brains.names()

    @property
    def n_live(self) -> int:
        """How many calls are joined now."""
        return sum(opened.live is not None for opened in self._open.values())

    @property
    def n_open(self) -> int:
        """How many calls have not ended: joined, or waiting to be."""
        return len(self._open)

    # Joining

    async def claim(self, call_id: str, token: str, *, telephony: bool = False) -> None:
        """Check a join URL before the upgrade; the first to come has the call. `telephony`: it is a carrier's.

        Raises: TokenUnknown, AlreadyJoined or CallOver.
        """
        try:
            record = await self._parts.store.call(call_id)
        except BridgeError:
            raise TokenUnknown("This join URL names no call.") from None
        fits = telephony == isinstance(record.settings.medium, PhoneMedium)
        if not hmac.compare_digest(record.join_token.encode(), token.encode()) or not fits:
            raise TokenUnknown("This join URL names no call.")
        opened = self._open.get(call_id)
        if opened is None:
            raise CallOver("The call of this join URL has ended.")
        if opened.claimed:
            raise AlreadyJoined("Somebody has joined this call already.")
        opened.claimed = True

    def start(self, call_id: str, socket: MediaSocket, client_version: str | None = None) -> None:
        """Serve a claimed call on its client's socket, in a task of the service's own."""
        opened = self._open.get(call_id)
        if opened is None or self._closing:
            socket.close(GOING_AWAY, "the call is over")
            return
        opened.socket = socket
        opened.join_timer.cancel()
        opened.record.client_version = client_version
        opened.record.joined = self._parts.now()
        loop = asyncio.get_running_loop()
        opened.joined_at_s = loop.time()
        opened.task = loop.create_task(self._serve(opened, socket), name=f"{call_id} call")
        self._keep(opened.task)

    async def close(self) -> None:
        """End all calls now; what was recorded is kept. No new ones are taken."""
        self._closing = True
        for opened in self._open.values():
            opened.join_timer.cancel()
            if opened.live is not None:
                opened.live.stop()
            elif opened.task is not None:
                opened.task.cancel()  # it has not begun
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_LIMIT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for opened in list(self._open.values()):
            if opened.socket is not None:
                opened.socket.close(GOING_AWAY, "the server stops")
            await self._finish(opened.record, "system_error")

    def _check_phone(self, medium: PhoneMedium) -> None:
        why = self._phones.refusal(medium)
        if why is not None:
            raise InvalidSettings("medium", why)

    async def _dial(self, record: CallRecord) -> None:
        """Place the phone call, where one is asked for; one that cannot be placed ends the call unjoined."""
        medium = record.settings.medium
        if not isinstance(medium, PhoneMedium) or medium.outgoing is None:
            return
        try:
            record.phone_call_id = await self._phones.place(record)
        except CarrierApiError as exc:
            opened = self._open.get(record.call_id)
            if opened is not None and not opened.claimed:
                opened.join_timer.cancel()
                await self._finish(record, "unjoined")
            raise NotDialled(str(exc)) from None

    async def _serve(self, opened: _Open, socket: MediaSocket) -> None:
        record = opened.record
        reason: EndReason = "system_error"
        try:
            await self._parts.store.save_call(record)
            settings = record.settings
            caller = await caller_side(record, socket, self._phones)
            record.request_context = caller.context
            brain = self._brains.make(
                settings.model, seed=record.call_id, live_hz=settings.medium.output_hz
            )
            opened.live = LiveCall(
                record,
                opened.stage,
                opened.initial,
                brain,
                self._brains.vad(),
                caller,
                self._parts,
            )
            reason = await opened.live.run()
        except RemoteWireError as exc:
            log.info("- call %s: the carrier's stream did not start: %s", record.call_id, exc)
            reason = "connection_error"
        except Exception as exc:  # noqa: BLE001 - the border of a call: a bug ends one call, and leaves its trace
            log.error("! call %s failed: %s", record.call_id, whereabouts(exc))  # noqa: TRY400 - no words of it
        finally:
            opened.live = None
            socket.close(NORMAL if reason != "system_error" else INTERNAL_ERROR)
            await self._finish(record, reason)

    def _unjoined(self, call_id: str) -> None:
        record = self._open.pop(call_id).record  # at once: nobody can join it any more
        task = asyncio.get_running_loop().create_task(
            self._give_up(record), name=f"{call_id} unjoined"
        )
        self._keep(task)

    async def _give_up(self, record: CallRecord) -> None:
        """Nobody joined in time; a phone that still rings shall ring no longer."""
        await self._finish(record, "unjoined")
        medium = record.settings.medium
        if isinstance(medium, PhoneMedium) and record.phone_call_id is not None:
            api = self._phones.api(medium.carrier)
            if api is not None:
                try:
                    await api.line(record.phone_call_id).hang_up()
                except CarrierApiError as exc:
                    log.warning("! call %s: the phone may still ring: %s", record.call_id, exc)

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, record: CallRecord, reason: EndReason) -> None:
        opened = self._open.pop(record.call_id, None)
        lasted_s = None
        if opened is not None and opened.joined_at_s is not None:
            lasted_s = asyncio.get_running_loop().time() - opened.joined_at_s
        record.end(reason, self._parts.now(), lasted_s)
        await self._parts.store.save_call(record)

    # Making

    def _new_records(self, settings: CallSettings) -> tuple[CallRecord, StageRecord]:
        ids, now = self._parts.ids, self._parts.now()
        record = CallRecord(ids.uuid(), settings, created=now, join_token=ids.token())
        tools = tuple(ToolRecord(ids.uuid(), spec) for spec in settings.tools)
        return record, StageRecord(ids.uuid(), record.call_id, now, settings, tools)

    def _unknown_model(self, model: str) -> str:
        try:
            self._brains.make(model, seed="", live_hz=8_000)
        except UsageError as exc:
            return str(exc)
        return f"There is no model {model!r}; GET /api/models lists them."

    def _recording(self, call_id: str) -> Path | None:
        if self._parts.recordings is None:
            return None
        return recording_path(self._parts.recordings, call_id)


def _initial_messages(settings: CallSettings, stage_id: str) -> list[MessageRecord]:
    return [
        MessageRecord(
            stage_id=stage_id,
            index=index,
            role=message.role,
            text=message.text,
            medium=message.medium,
            invocation_id=message.invocation_id,
            tool_name=message.tool_name,
            initial=True,
        )
        for index, message in enumerate(settings.initial_messages)
    ]
