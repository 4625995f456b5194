"""One emulated carrier beside somebody's application: from the plan to the reports. What `tipring carrier` does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bridge.batch.audio_file import read_audio
from bridge.batch.caller import CallerTurn
from bridge.batch.plan import MAX_DURATION_S, MAX_TAIL_S, SAMPLE_RATES_HZ, CallerInput
from bridge.errors import BridgeError, UsageError
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.ids import Ids
from bridge.legs.wav_writer import WavFile
from bridge.loops import new_event_loop
from bridge.testing.call_parts import Status
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.carriers.base import Account, Carrier, Numbers, World
from bridge.testing.carriers.make import known, make_carrier
from bridge.testing.network import RealNetwork
from bridge.testing.phone_call import PhoneCall
from bridge.testing.profiles import profile_named
from bridge.testing.report import CallReport, report_of

PROGRESS_S: Final = 0.25
DEFAULT_API_PORT: Final = 8081
PICKS_UP: Final = "picks-up"
_TURNED_AWAY: Final[Mapping[str, Status]] = {"busy": "busy", "failed": "failed"}
CALLEES: Final = (PICKS_UP, "no-answer", *_TURNED_AWAY)
"""What a phone may do that the application calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierPlan:
    """What `tipring carrier` shall do.

    Attributes:
        carrier: Its name.
        call_url: Place one call to the application at this URL; None: wait for calls the application places.
        calls: How many of those to wait for; 0: until it is stopped.
        callee: What the called phone does then.
        inputs: The caller's recordings; several are turns, as in `tipring call`.
        keys: What the caller presses.
        out: Where what was heard is written, as a WAV file.
        account: The application's credentials; None: a well-known account for tests.
        api_port: Where the carrier's REST API listens; 0 leaves it to the system.
        profile: Of the network.
        line_hz: Sample rate of the phone line.
        options: The carrier's own switches.
        strict: Refuse what only a local test may do.
        status_url: Where the status of the call is told; empty: nowhere; None: at a `tipring serve` that answers.
    """

    carrier: str
    call_url: str | None = None
    calls: int = 0
    callee: str = PICKS_UP
    inputs: tuple[CallerInput, ...] = ()
    keys: tuple[KeyPresses, ...] = ()
    out: Path | None = None
    account: Account | None = None
    api_port: int = DEFAULT_API_PORT
    numbers: Numbers = field(default_factory=Numbers)
    profile: str = "clean"
    seed: str = "tipring"
    turn_gap_ms: float = 700.0
    tail_s: float = 10.0
    hang_up_at_s: float | None = None
    max_duration_s: float = 3_600.0
    line_hz: int = 8_000
    options: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    status_url: str | None = None

    def check(self) -> None:
        """Refuse what cannot be. Raises: UsageError with one sentence."""
        if not 0 <= self.tail_s <= MAX_TAIL_S:
            raise UsageError(f"--tail is 0 to {MAX_TAIL_S:g} seconds")
        if not 0 < self.max_duration_s <= MAX_DURATION_S:
            raise UsageError(
                f"--max-duration is more than 0 and at most {MAX_DURATION_S:g} seconds"
            )
        if self.line_hz not in SAMPLE_RATES_HZ:
            raise UsageError(f"--rate is one of {', '.join(map(str, SAMPLE_RATES_HZ))}")
        if self.callee not in CALLEES:
            raise UsageError(
                f"a called phone does one of {', '.join(CALLEES)}, not {self.callee!r}"
            )
        self._check_url()
        profile_named(self.profile)

    def _check_url(self) -> None:
        if self.status_url and urlsplit(self.status_url).scheme not in ("http", "https"):
            raise UsageError("--status takes an address that starts with http:// or https://")
        schemes = known(self.carrier).schemes
        if self.call_url is not None and urlsplit(self.call_url).scheme not in schemes:
            starts = " or ".join(f"{scheme}://" for scheme in schemes)
            raise UsageError(f"--call of {self.carrier} takes an address that starts with {starts}")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running call stands."""

    call: PhoneCall
    api_url: str


OnProgress = Callable[[Progress], None]
OnReport = Callable[[CallReport], None]
OnListening = Callable[[str, Sequence[str]], None]
Watched = Callable[[PhoneCall, "asyncio.Task[Any]"], Awaitable[CallReport]]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told what happens."""

    on_progress: OnProgress = lambda _now: None
    on_report: OnReport = lambda _report: None
    on_listening: OnListening = lambda _api_url, _hints: None
    """Gets the URL of the REST API, empty where there is none, and what the application has to be told."""


def run(plan: CarrierPlan, watch: Watch | None = None) -> list[CallReport]:
    """Play the carrier's part until the call, or all calls, are over.

    Raises: UsageError, AudioFileError, BridgeError with one sentence.
    """
    plan.check()
    caller = _caller_plan(plan)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(carry_out(plan, caller, watch or Watch()))


async def carry_out(plan: CarrierPlan, caller: CallerPlan, watch: Watch) -> list[CallReport]:
    """`run` on a loop that runs already, with recordings that have been read."""
    async with _carrier(plan) as (carrier, api_url):
        if plan.call_url is None and not carrier.has_api:
            raise UsageError(f"{plan.carrier} has no API that places calls: say --call URL")
        watch.on_listening(api_url, carrier.hints)
        run_all = _one_call if plan.call_url is not None else _listen
        return await run_all(plan, carrier, caller, partial(_watched, plan, watch, api_url))


async def _one_call(
    plan: CarrierPlan, carrier: Carrier, caller: CallerPlan, watched: Watched
) -> list[CallReport]:
    assert plan.call_url is not None
    call = carrier.inbound(plan.call_url, caller, plan.numbers)
    running = asyncio.get_running_loop().create_task(call.run(), name="emulated call")
    return [await watched(call, running)]


async def _listen(
    plan: CarrierPlan, carrier: Carrier, caller: CallerPlan, watched: Watched
) -> list[CallReport]:
    """Take calls that the application places, one report each."""
    placed: asyncio.Queue[PhoneCall] = asyncio.Queue()
    carrier.plan_for = lambda _to: caller
    carrier.turned_away = _TURNED_AWAY.get(plan.callee)
    if plan.callee == "no-answer":
        carrier.pick_up_s = None
    carrier.on_call = placed.put_nowait
    reports: list[CallReport] = []
    while not plan.calls or len(reports) < plan.calls:
        call = await placed.get()
        over = asyncio.get_running_loop().create_task(call.over.wait(), name="end of a call")
        reports.append(await watched(call, over))
    return reports


async def _watched(
    plan: CarrierPlan, watch: Watch, api_url: str, call: PhoneCall, running: asyncio.Task[Any]
) -> CallReport:
    """Show a call while it runs, then report it."""
    try:
        while not running.done():
            watch.on_progress(Progress(call, api_url))
            await asyncio.wait({running}, timeout=PROGRESS_S)
        running.result()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    report = report_of(plan.carrier, call)
    if plan.out is not None:
        await asyncio.get_running_loop().run_in_executor(None, _write, plan.out, report)
    watch.on_report(report)
    return report


@asynccontextmanager
async def _carrier(plan: CarrierPlan) -> AsyncIterator[tuple[Carrier, str]]:
    """The carrier and the URL of its REST API, for the time of the context."""
    network = RealNetwork()
    world = World(
        network=network,
        ids=Ids(),
        profile=profile_named(plan.profile),
        seed=plan.seed,
        line_hz=plan.line_hz,
        options=plan.options,
        max_call_s=plan.max_duration_s,
        strict=plan.strict,
        status_url=plan.status_url,
    )
    carrier = make_carrier(plan.carrier, world, plan.account)
    door = FrontDoor(carrier.app, [], HostPolicy(loopback_only=True))
    api_url = ""
    if carrier.has_api:
        api_url = f"http://127.0.0.1:{await door.start('127.0.0.1', plan.api_port)}"
    try:
        yield carrier, api_url
    finally:
        await carrier.close()
        await door.close(1.0)
        await network.close()


def _caller_plan(plan: CarrierPlan) -> CallerPlan:
    turns = []
    for item in plan.inputs:
        audio = read_audio(item.path, plan.line_hz)
        turns.append(CallerTurn(item.path.name, audio.samples, item.offset_after_agent_s))
    return CallerPlan(
        turns=turns,
        keys=plan.keys,
        turn_gap_ms=plan.turn_gap_ms,
        tail_s=plan.tail_s,
        hang_up_at_s=plan.hang_up_at_s,
    )


def _write(path: Path, report: CallReport) -> None:
    """Write what was heard. Raises: BridgeError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = WavFile(path, rate_hz=report.rate_hz, channels=1)
        try:
            file.append(report.heard.astype("<i2").tobytes())
        finally:
            file.finish()
    except OSError as error:
        raise BridgeError(f"{path} cannot be written ({error.strerror or error})") from None
