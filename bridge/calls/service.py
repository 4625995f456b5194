"""The call service: creates calls, lets clients join them, ends them, and answers questions about them.

It owns the task of every live call. A join URL's token is claimed once, before the upgrade: one winner, the others are
told why (reference 2.6). Everything runs on the event loop; time is the loop's.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bridge.calls.brain_source import BrainSource
from bridge.calls.call import LiveCall, Parts
from bridge.calls.caller_side import caller_side
from bridge.calls.dialling import (
    Dialling,
    PhoneNews,
    is_about,
    is_dialled,
    unanswered,
    why_unanswered,
)
from bridge.calls.errors import (
    AlreadyJoined,
    CallOver,
    InvalidSettings,
    NoCapacity,
    NotDialled,
    NotLive,
    TokenUnknown,
)
from bridge.calls.kept import KeptCalls
from bridge.calls.new_records import initial_messages, new_records
from bridge.calls.phone_log import MARKER, phone_line
from bridge.calls.phones import NoPhones, Phones
from bridge.calls.records import CallRecord, EndReason, MessageRecord, StageRecord
from bridge.calls.rooms import NOT_SERVED, Rooms
from bridge.calls.settings import CallSettings, JoinKind, PhoneMedium, WebRtcMedium, join_kind
from bridge.errors import BridgeError, RemoteWireError, UsageError
from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.entrance import Entrance
from bridge.log import whereabouts
from bridge.wire.close_codes import GOING_AWAY, INTERNAL_ERROR, NORMAL

log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 10.0
"""How long calls may take to end when the service closes; then they are cut off."""


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
    way: MediaSocket | Entrance | None = None
    live: LiveCall | None = None
    figures: Callable[[], Mapping[str, object]] | None = None
    """What was counted at a carrier's socket, from when its stream has started."""
    task: "asyncio.Task[None] | None" = None


class CallService(KeptCalls):
    """All calls of one server.

    Args:
        parts: the store, ids, the clock, and where recordings go (None: nothing is recorded).
        brains: makes the brain of each call.
        phones: the carriers of calls whose medium is one; without them streams may come, none is dialled.
        rooms: of calls over WebRTC; without them none is made.
    """

    def __init__(
        self,
        parts: Parts,
        brains: BrainSource,
        phones: Phones | None = None,
        rooms: Rooms | None = None,
    ) -> None:
        super().__init__(parts)
        self._brains = brains
        self._rooms = rooms
        self.phones = phones or NoPhones()
        """The carriers."""
        self._dialling = Dialling(self.phones)
        self._open: dict[str, _Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    # Creating

    async def create(self, settings: CallSettings) -> CallRecord:
        """Make a call that waits for its client; one with an outgoing medium is dialled first.

        Raises: InvalidSettings if it asks for what nobody serves, TooManyToday, NotDialled if the carrier would not,
        NoCapacity when the service closes.
        """
        if self._closing:
            raise NoCapacity("The server is stopping.")
        self.check(settings)
        record, stage = new_records(settings, self._parts)
        if isinstance(settings.medium, PhoneMedium):
            self.phones.admit(record)
        try:
            await self._add(record, stage)
            await self._dial(record)
        except BaseException:
            if record.call_id not in self._open:
                self.phones.ended(record)
            raise
        return record

    def check(self, settings: CallSettings) -> None:
        """Look whether such a call could be made. Raises: InvalidSettings if it asks for what nobody has."""
        if settings.model not in self._brains.names():
            raise InvalidSettings("model", self._unknown_model(settings.model))
        if isinstance(settings.medium, WebRtcMedium):
            why_not = NOT_SERVED if self._rooms is None else self._rooms.missing()
            if why_not is not None:
                raise InvalidSettings("medium", why_not)

    async def _add(self, record: CallRecord, stage: StageRecord) -> None:
        store, settings = self._parts.store, record.settings
        initial = initial_messages(settings, stage.stage_id)
        await store.add_call(record)
        await store.add_stage(stage)
        for message in initial:
            await store.add_message(record.call_id, message)
        timer = asyncio.get_running_loop().call_later(
            settings.join_timeout_s, self._unjoined, record.call_id
        )
        self._open[record.call_id] = _Open(record, stage, initial, timer)

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
    def open_ids(self) -> Collection[str]:
        """The calls that have not ended: joined, or waiting to be."""
        return self._open.keys()

    # Joining

    async def claim(
        self, call_id: str, token: str, *, kind: JoinKind = "server_web_socket"
    ) -> None:
        """Check a join URL before the upgrade; the first to come has the call. `kind`: what the URL ends with.

        Raises: TokenUnknown, AlreadyJoined or CallOver.
        """
        opened = await self._known(call_id, token, kind)
        if opened.claimed:
            raise AlreadyJoined("Somebody has joined this call already.")
        opened.claimed = True

    async def check_token(self, call_id: str, token: str, *, kind: JoinKind) -> bool:
        """Check a join URL's token and leave the call as it is; whether somebody has joined.

        Raises: TokenUnknown or CallOver.
        """
        return (await self._known(call_id, token, kind)).claimed

    async def _known(self, call_id: str, token: str, kind: JoinKind) -> _Open:
        try:
            record = await self._parts.store.call(call_id)
        except BridgeError:
            raise TokenUnknown("This join URL names no call.") from None
        fits = kind == join_kind(record.settings.medium)
        if not hmac.compare_digest(record.join_token.encode(), token.encode()) or not fits:
            raise TokenUnknown("This join URL names no call.")
        opened = self._open.get(call_id)
        if opened is None:
            raise CallOver("The call of this join URL has ended.")
        return opened

    def start(
        self, call_id: str, way: MediaSocket | Entrance, client_version: str | None = None
    ) -> None:
        """Serve a claimed call on its client's socket, or over WebRTC, in a task of the service's own."""
        opened = self._open.get(call_id)
        if opened is None or self._closing:
            way.close(GOING_AWAY, "the call is over")
            return
        opened.way = way
        opened.join_timer.cancel()
        opened.record.client_version = client_version
        opened.record.joined = self._parts.now()
        loop = asyncio.get_running_loop()
        opened.joined_at_s = loop.time()
        opened.task = loop.create_task(self._serve(opened, way), name=f"{call_id} call")
        self._keep(opened.task)

    # Dialled calls

    def dialled(
        self, carrier: str, call_id: str, token: str, phone_call_id: str
    ) -> CallRecord | None:
        """The call that its carrier asks about once somebody has answered the phone; None if it is not to be joined.

        Args:
            carrier: who asks.
            call_id: ours.
            token: of its join URL, which the carrier was given.
            phone_call_id: the carrier's id, by which the phone call goes from now on.
        """
        opened = self._open.get(call_id)
        if opened is None or opened.claimed or not is_dialled(opened.record, carrier):
            return None
        if not hmac.compare_digest(opened.record.join_token.encode(), token.encode()):
            return None
        opened.record.phone_call_id = phone_call_id
        return opened.record

    def phone_moved(self, news: PhoneNews) -> None:
        """A carrier tells how far a phone call has come: a call that nobody can join any more ends at once."""
        opened = self._open.get(news.call_id)
        if opened is None or opened.claimed or not is_about(opened.record, news):
            return
        if news.over or news.stream_failed:
            self._give_up_soon(opened, why_unanswered(news), rings=not news.over)

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
        left = list(self._open.values())
        for opened in left:
            if opened.way is not None:
                opened.way.close(GOING_AWAY, "the server stops")
            await self._finish(opened.record, "system_error")
        await asyncio.gather(*(self._dialling.stop_ringing(each.record) for each in left))

    async def _dial(self, record: CallRecord) -> None:
        """Place the phone call, where one is asked for; one that cannot be placed ends the call unjoined."""
        if not is_dialled(record):
            return
        try:
            await self._dialling.place(record)
        except BridgeError as exc:
            opened = self._open.get(record.call_id)
            if opened is not None and not opened.claimed:
                await self._give_up(self._take_out(opened), str(exc), rings=False)
            raise NotDialled(str(exc)) from None

    async def _serve(self, opened: _Open, way: MediaSocket | Entrance) -> None:
        record = opened.record
        reason: EndReason = "system_error"
        begun = False
        try:
            await self._parts.store.save_call(record)
            settings = record.settings
            caller = await caller_side(record, way, self.phones, self._rooms)
            record.request_context, opened.figures = caller.context, caller.figures
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
            begun = True  # from here on it hangs up by itself
            reason = await opened.live.run()
        except RemoteWireError as exc:
            log.info("- call %s: the carrier's stream did not start: %s", record.call_id, exc)
            reason = "connection_error"
        except Exception as exc:  # noqa: BLE001 - the border of a call: a bug ends one call, and leaves its trace
            log.error("! call %s failed: %s", record.call_id, whereabouts(exc))  # noqa: TRY400 - no words of it
        finally:
            opened.live = None
            way.close(NORMAL if reason != "system_error" else INTERNAL_ERROR)
            await self._finish(record, reason)
            if not begun:
                await self._dialling.stop_ringing(record)

    def _unjoined(self, call_id: str) -> None:
        opened = self._open[call_id]
        waited_s = opened.record.settings.join_timeout_s
        self._give_up_soon(opened, f"The phone call had no media stream within {waited_s:g} s.")

    def _give_up_soon(self, opened: _Open, why: str, *, rings: bool = True) -> None:
        work = self._give_up(self._take_out(opened), why, rings=rings)
        name = f"{opened.record.call_id} unjoined"
        self._keep(asyncio.get_running_loop().create_task(work, name=name))

    def _take_out(self, opened: _Open) -> _Open:
        """From now on nobody can join it any more."""
        opened.join_timer.cancel()
        return self._open.pop(opened.record.call_id)

    async def _give_up(self, opened: _Open, why: str, *, rings: bool) -> None:
        """Nobody joined; a phone that still rings shall ring no longer."""
        record = opened.record
        if is_dialled(record):
            event = unanswered(opened.stage.stage_id, why)
            await self._parts.store.add_event(record.call_id, event)
        await self._finish(record, "unjoined")
        if rings:
            await self._dialling.stop_ringing(record)

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, record: CallRecord, reason: EndReason) -> None:
        opened = self._open.pop(record.call_id, None)
        if self._rooms is not None:
            self._rooms.forget(record.call_id)
        lasted_s = None
        if opened is not None and opened.joined_at_s is not None:
            lasted_s = asyncio.get_running_loop().time() - opened.joined_at_s
        medium = record.settings.medium
        if record.end(reason, self._parts.now(), lasted_s) and isinstance(medium, PhoneMedium):
            counted = None if opened is None or opened.figures is None else opened.figures()
            log.info("%s %s", MARKER, phone_line(record, medium, counted))
        self.phones.ended(record)
        await self._parts.store.save_call(record)

    def _unknown_model(self, model: str) -> str:
        try:
            self._brains.make(model, seed="", live_hz=8_000)
        except UsageError as exc:
            return str(exc)
        return f"There is no model {model!r}; GET /api/models lists them."
