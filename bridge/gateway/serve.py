"""``tipring serve``: the call server as a long-running service on real sockets, until it is told to stop."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.calls.service import CallService
from bridge.calls.store import MAX_KEPT
from bridge.config import Config, ServerConfig, is_loopback
from bridge.errors import ConfigError
from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.descriptors import connections, raise_limit
from bridge.gateway.dial_limits import DialLimits
from bridge.gateway.door import MAX_CONNECTIONS, MAX_WAITING, DoorLimits
from bridge.gateway.drain import Drain, Draining
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.gate import Gate
from bridge.gateway.health import add_health
from bridge.gateway.listener import Exposure, front_door, listening
from bridge.gateway.loop_lag import LoopLag, measured
from bridge.gateway.memory import MemoryRoom
from bridge.gateway.memory_files import sampled
from bridge.gateway.metrics import Metrics
from bridge.gateway.phone.carriers.configured import Carriers, configured_carriers
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.gateway import PhoneGateway, phone_gateway
from bridge.gateway.phone.notes import phone_notes
from bridge.gateway.phone.route_check import check_calls
from bridge.gateway.phone_lines import PhoneLines
from bridge.gateway.phone_metrics import phone_metrics
from bridge.gateway.phones import ConfiguredPhones
from bridge.gateway.proxies import TrustedProxies
from bridge.gateway.public_url import PublicUrl
from bridge.gateway.rtc import rtc_options
from bridge.gateway.rtc_metrics import rtc_metrics
from bridge.gateway.server import CallServer, call_server, include
from bridge.gateway.service_metrics import service_metrics
from bridge.gateway.signals import signals
from bridge.gateway.tls import Certificate
from bridge.gateway.web import add_page
from bridge.loops import new_event_loop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """The service is up."""

    url: str
    models: tuple[str, ...]
    notes: tuple[str, ...]
    """Sentences for the user: what is missing, what is open, where carriers are pointed."""


@dataclass(frozen=True, slots=True)
class _Served:
    """The embedded call server as a part that has calls."""

    service: CallService
    desk: PhoneDesk

    @property
    def n_live(self) -> int:
        """Calls that have not ended; those too that wait for their client, who has the join URL already.

        The AI side of a phone call is not one more call.
        """
        phone = {call.record.ai_call_id for call in self.desk.live()}
        return sum(call_id not in phone for call_id in self.service.open_ids)


@dataclass(frozen=True, slots=True)
class _Process:
    """What is measured and decided for all of it."""

    drain: Drain
    lag: LoopLag
    memory: MemoryRoom
    admission: Admission
    lines: PhoneLines
    parts: list[Draining]
    """What has calls."""

    @classmethod
    def of(cls, config: Config, drain: Drain) -> "_Process":
        """With the limits of the configuration."""
        parts: list[Draining] = []
        lag = LoopLag()
        memory = MemoryRoom(config.phone.memory_share, lambda: sum(each.n_live for each in parts))
        limits = AdmissionLimits(config.phone.max_calls)
        admission = Admission(limits, lag=lag, memory=memory, drain=drain)
        return cls(drain, lag, memory, admission, PhoneLines(admission), parts)


@dataclass(frozen=True, slots=True)
class _House:
    """What runs."""

    ready: Ready
    parts: list[Draining]


def serve(config: Config, on_ready: Callable[[Ready], None]) -> None:
    """Serve until SIGINT, or until SIGTERM and the last call's end.

    What SIGINT ends, and what outlasts the deadline after SIGTERM, is ended properly: recordings and records are
    finished. A second signal leaves that a moment and no longer.

    Raises: UsageError if the address, the certificate or the recordings folder cannot be had, KeyboardInterrupt if a
    second signal did not find everything finished.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            runner.run(_serve(config, on_ready))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _serve(config: Config, on_ready: Callable[[Ready], None]) -> None:
    async with AsyncExitStack() as stack:
        # First in, last out: a signal must not strike while things are being finished.
        drain = Drain()
        certificate = await stack.enter_async_context(_certificate(config.server))
        told = stack.enter_context(signals(drain, partial(_reload, certificate)))
        house = await stack.enter_async_context(_house(config, drain, certificate))
        gc.freeze()  # what lives as long as the process need not be looked at in every collection
        on_ready(house.ready)
        await told.stop(house.parts, config.phone.drain_s)
        log.debug("= stopping; calls left: %d", sum(part.n_live for part in house.parts))


@asynccontextmanager
async def _house(
    config: Config, drain: Drain, certificate: Certificate | None
) -> AsyncIterator[_House]:
    """All that listens and has calls; they are ended when the context is left."""
    server, process = config.server, _Process.of(config, drain)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sampled(process.memory))
        carriers = await stack.enter_async_context(configured_carriers(config))
        calls = await stack.enter_async_context(_calls(config, carriers, process))
        check_calls(config, calls.service)
        phones = await stack.enter_async_context(
            phone_gateway(config, calls, carriers=carriers, lines=process.lines)
        )
        process.parts.extend((phones.desk, _Served(calls.service, phones.desk)))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, include, calls.app, phones.router)
        await loop.run_in_executor(None, add_page, calls.app, server.scripts)
        door = _door(calls, phones, process, _exposure(server, certificate))
        # Describing the interface takes 0.3 s: not within the first request for it.
        await loop.run_in_executor(None, calls.app.openapi)
        port = await stack.enter_async_context(
            listening(calls, host=server.host, port=server.port, door=door)
        )
        if phones.audiosocket is not None and config.audiosocket is not None:
            await stack.enter_async_context(phones.audiosocket.listening(config.audiosocket))
        stack.push_async_callback(phones.desk.close)  # before the AI calls that they are joined to
        stack.enter_context(measured(process.lag))  # starting has held the loop up
        _settle(process.lag, calls.loading)
        url = _url(server, port)
        notes = (*_notes(config), *phone_notes(config, url))
        ready = Ready(url, tuple(calls.service.models()), notes)
        yield _House(ready, process.parts)


def _door(
    calls: CallServer, phones: PhoneGateway, process: _Process, exposure: Exposure
) -> FrontDoor:
    """REST, health, join URLs and carriers' sockets behind one door, which is not open yet."""
    app = Gate(calls.app, process.admission.may_take)
    door = front_door(calls, exposure, app=app, routes=phones.media_routes)
    service = service_metrics(
        lag=process.lag,
        memory=process.memory,
        admission=process.admission,
        drain=process.drain,
        n_connections=lambda: door.n_connections,
        n_served=lambda: calls.service.n_live,
    )
    phone = phone_metrics(process.lines.totals, process.lines.live)
    metrics = Metrics([service, phone, rtc_metrics(calls.rooms)])
    add_health(calls.app, drain=process.drain, metrics=metrics)
    return door


@asynccontextmanager
async def _calls(
    config: Config, carriers: Carriers, process: _Process
) -> AsyncIterator[CallServer]:
    server, speech = config.server, config.speech
    limits = DialLimits(config.outgoing, asyncio.get_running_loop().time)
    public = PublicUrl(server.public_url)
    kit = SpeechKit.load(voice=speech.voice, ear=speech.ear, vad=speech.vad)
    try:
        _make_recordings(config)
        async with call_server(
            Brains(kit, server.scripts),
            recordings=server.recordings,
            api_keys=server.api_keys,
            public_url=public.sockets("", secure=False) if public.configured else None,
            phones=ConfiguredPhones(config, carriers, limits, process.lines),
            rtc=rtc_options(config.webrtc),
            max_kept=process.memory.max_ended(MAX_KEPT),
        ) as calls:
            yield calls
    finally:
        await kit.close()


def _settle(lag: LoopLag, loading: "asyncio.Future[None] | None") -> None:
    """Refuse nobody for what loading does to the loop: it is the start's own, however busy the machine is."""
    if loading is not None and not loading.done():
        lag.settle(over=False)
        loading.add_done_callback(lambda _: lag.settle())


@asynccontextmanager
async def _certificate(server: ServerConfig) -> AsyncIterator[Certificate | None]:
    """The certificate, followed when its files change; None if there is none."""
    if server.tls_cert is None or server.tls_key is None:
        yield None
        return
    certificate = Certificate(server.tls_cert, server.tls_key)
    certificate.watch()
    try:
        yield certificate
    finally:
        await certificate.close()


def _reload(certificate: Certificate | None) -> None:
    if certificate is not None:
        certificate.reload_soon()


def _door_limits() -> DoorLimits:
    """As many connections as the system lets us have; half of them at most owe a request."""
    most = min(MAX_CONNECTIONS, connections(raise_limit()))
    return DoorLimits(max_connections=most, max_waiting=min(MAX_WAITING, most // 2))


def _exposure(server: ServerConfig, certificate: Certificate | None) -> Exposure:
    return Exposure(
        keyed=bool(server.api_keys),
        allowed_hosts=frozenset(name.lower() for name in server.allowed_hosts),
        proxies=TrustedProxies(server.trusted_proxies),
        ssl=None if certificate is None else certificate.context,
        limits=_door_limits(),
    )


def _make_recordings(config: Config) -> None:
    folder = config.server.recordings
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"recordings cannot be kept in {folder}: {exc.strerror or exc}") from None


def _notes(config: Config) -> tuple[str, ...]:
    """What the user should know of this configuration."""
    server, notes = config.server, []
    if not server.api_keys:
        notes.append("No API key is set: only this machine is served, and it needs none.")
        if server.public_url is not None and not is_loopback(PublicUrl(server.public_url).host):
            notes.append(
                f"Nobody else is served at {server.public_url} either: set TIPRING_API_KEY for that."
            )
    if config.phone.insecure:
        notes.append("Phone calls are taken from ANYBODY: carriers' signatures are not checked.")
    audiosocket = config.audiosocket
    if audiosocket is not None and audiosocket.any_uuid and not is_loopback(audiosocket.host):
        notes.append(
            f"Whoever reaches {audiosocket.host} port {audiosocket.port} can make calls: "
            "AudioSocket is taken with any UUID."
        )
    return tuple(notes)


def _url(server: ServerConfig, port: int) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{'http' if server.tls_cert is None else 'https'}://{host}:{port}"
