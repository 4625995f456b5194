"""What all emulated carriers share: their calls, the way to the application, opening a media socket."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from bridge.clock import Clock, wall_clock
from bridge.errors import JoinRefused, UsageError, did_you_mean
from bridge.ids import Ids
from bridge.legs.media_socket import MediaSocket
from bridge.testing.call_parts import CallFacts, Opened, Refused, Status
from bridge.testing.caller import CallerPlan
from bridge.testing.commands import StreamEnd
from bridge.testing.network import Network
from bridge.testing.phone_call import PhoneCall
from bridge.testing.profiles import CLEAN, Path, Profile, cut_instant
from bridge.testing.shaped_socket import ShapedSocket
from bridge.testing.verbs import Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, WebhookAnswer, WebhookFailed, ask

if TYPE_CHECKING:
    from starlette.types import ASGIApp

WEBHOOK_S: Final = 15.0
UNANSWERED_S: Final = 30.0
"""So long a called phone rings that nobody picks up."""
MAX_OVER: Final = 100


@dataclass(frozen=True, slots=True)
class Account:
    """Who the application is at the carrier; what the two are called differs."""

    account_id: str
    token: str
    more: Mapping[str, str] = field(default_factory=dict)
    """The carrier's own: further keys."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Who calls whom."""

    from_number: str = "+15550100001"
    to_number: str = "+15550100002"


DEFAULT_NUMBERS: Final = Numbers()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where the emulated carrier lives."""

    network: Network
    ids: Ids
    clock: Clock = wall_clock
    profile: Profile = CLEAN
    seed: str = "tipring"
    line_hz: int = 8_000
    max_call_s: float = 3_600.0
    options: Mapping[str, str] = field(default_factory=dict)
    """The carrier's own switches, see `Carrier.OPTIONS`."""
    strict: bool = False
    """Refuse what only a local test may do, as the carrier would: ``ws://`` and ``http://``."""
    status_url: str | None = None
    """Where the status of calls that come in is told, by carriers that have a URL of its own for that; empty: nowhere.
    None: beside an answer URL that ends as those of `tipring serve` do, else nowhere."""


class Carrier:
    """An emulated carrier with one account.

    Args:
        world: the network, chance and time.
        account: the credentials that the application has too.
    """

    name: ClassVar[str]
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Switches by name: the values they take, the default first; none at all takes any text."""
    app: "ASGIApp"
    """The carrier's REST API."""
    has_api: ClassVar[bool] = True
    """Whether it has one."""
    hints: Sequence[str] = ()
    """Sentences about what the application has to be told of this carrier."""

    def __init__(self, world: World, account: Account) -> None:
        self.world = world
        self.account = account
        self._check_options()
        self.calls: dict[str, PhoneCall] = {}
        self.plan_for: Callable[[str], CallerPlan] = lambda _to: CallerPlan()
        """What the human does who is called at this number."""
        self.pick_up_s: float | None = 1.0
        """How long a called phone rings; None: nobody picks up."""
        self.turned_away: Status | None = None
        """What becomes of a call to a phone that does not ring: ``busy`` or ``failed``."""
        self.on_call: Callable[[PhoneCall], None] = lambda _call: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._n_streams = 0

    def option(self, name: str) -> str:
        """The value of a switch."""
        values = self.OPTIONS[name]
        return self.world.options.get(name, values[0] if values else "")

    def _check_options(self) -> None:
        for name, value in self.world.options.items():
            if name not in self.OPTIONS:
                known = did_you_mean(name, list(self.OPTIONS))
                raise UsageError(f"{self.name} has no option {name!r}{known}")
            values = self.OPTIONS[name]
            if values and value not in values:
                raise UsageError(f"{name} of {self.name} is one of {', '.join(values)}")

    async def close(self) -> None:
        """End all calls."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, facts: CallFacts, plan: CallerPlan) -> PhoneCall:
        """A new call."""
        world = self.world
        call = PhoneCall(self, facts, plan, line_hz=world.line_hz, max_s=world.max_call_s)
        self.calls[facts.call_id] = call
        self._forget_old()
        self.on_call(call)
        return call

    def _forget_old(self) -> None:
        """Keep the newest of the calls that are over: each holds its audio."""
        over = [call_id for call_id, call in self.calls.items() if call.is_over]
        for call_id in over[: max(0, len(over) - MAX_OVER)]:
            del self.calls[call_id]

    def run_beside(self, call: PhoneCall) -> None:
        """Have a call run by itself: one that the application placed."""
        task = asyncio.get_running_loop().create_task(call.run(), name=f"{self.name} call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ring(self, call: PhoneCall) -> bool:
        """Ring at the called phone; False when nobody picks up, or the application hangs up before that."""
        if self.turned_away is not None:
            await call.become(self.turned_away)
            return False
        await call.become("ringing")
        if not await call.rings(UNANSWERED_S if self.pick_up_s is None else self.pick_up_s):
            return False
        if self.pick_up_s is None:
            await call.become("no-answer")
            return False
        return True

    def status_url_for(self, answer_url: str) -> str:
        """Where the status is told of a call that this URL answers; empty: nowhere."""
        if self.world.status_url is not None:
            return self.world.status_url
        end = f"/carriers/{self.name.partition('-')[0]}/answer"
        before, found, behind = answer_url.partition(end)
        return f"{before}{end.removesuffix('answer')}status" if found and not behind else ""

    # What the carriers do in their own way

    def waits(self, call: PhoneCall) -> bool:  # noqa: ARG002 - some carriers go by the call
        """See Exchange."""
        return False

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call that comes in for the application at this URL; `PhoneCall.run` places it.

        Raises: UsageError for a URL that this carrier cannot ask.
        """
        raise NotImplementedError

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """See Exchange."""
        raise NotImplementedError

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:
        """See Exchange."""
        raise NotImplementedError

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """See Exchange."""
        raise NotImplementedError

    async def told(self, call: PhoneCall, status: Status) -> None:
        """See Exchange."""

    async def stream_told(
        self, call: PhoneCall, stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """See Exchange."""

    # What they have in common

    async def fetch(self, url: str) -> bytes:
        """See Exchange."""
        answer = await ask(self.world.network, Webhook(url, "GET"), WEBHOOK_S)
        if answer.status != 200:
            raise WebhookFailed(f"it answered with {answer.status}")
        return answer.body

    async def tell(self, call: PhoneCall, what: str, webhook: Webhook) -> WebhookAnswer | None:
        """A webhook whose answer matters little: a failure is a problem of the application's."""
        try:
            answer = await ask(self.world.network, webhook, WEBHOOK_S)
        except WebhookFailed as error:
            call.log.problem(f"The {what} webhook failed: {error}.")
            return None
        call.log.note("webhook", kind=what, status=answer.status)
        if not 200 <= answer.status < 300:
            call.log.problem(f"The {what} webhook was answered with {answer.status}.")
        return answer

    async def dial_out(
        self,
        call: PhoneCall,
        url: str,
        headers: Mapping[str, str],
        subprotocols: Sequence[str] = (),
    ) -> ShapedSocket | Refused:
        """Open a media socket through the network of the world's kind."""
        try:
            socket = await self.world.network.connect(url, headers, subprotocols)
        except JoinRefused as error:
            return Refused(f"The media socket could not be opened: {error}.")
        return self.shape(call, socket)

    def shape(self, call: PhoneCall, socket: MediaSocket) -> ShapedSocket:
        """Put the network in front of a socket."""
        self._n_streams += 1
        profile, seed = self.world.profile, f"{self.world.seed} {self._n_streams}"
        shaped = ShapedSocket(socket, Path(profile, f"{seed} out"), Path(profile, f"{seed} back"))
        cut_s = cut_instant(profile, seed)
        if cut_s is not None:
            self._cut_later(call, shaped, cut_s)
        return shaped

    def _cut_later(self, call: PhoneCall, socket: ShapedSocket, cut_s: float) -> None:
        """Break the connection while audio is being heard, so long after the first."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            if call.is_over:
                return
            stretches = call.ear.stretches
            due = (
                bool(stretches)
                and call.ear.position - stretches[0].start >= cut_s * call.ear.rate_hz
            )
            if due and stretches[-1].end == call.ear.position:
                call.log.note("network broke")
                call.log.remark(
                    f"The network broke the media socket {call.duration_s:.1f} s into the call."
                )
                socket.break_off()
            else:
                loop.call_later(0.02, look)

        look()
