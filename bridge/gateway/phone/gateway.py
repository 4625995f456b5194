"""The phone gateway put together: desk, routes and media sockets, whatever carries them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import httpx
from fastapi import APIRouter

from bridge.client import CallApi
from bridge.clock import Clock, wall_clock
from bridge.config import Config
from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.in_process import in_process
from bridge.gateway.media_route import MediaRoute
from bridge.gateway.phone.ai_call import wants_webrtc
from bridge.gateway.phone.ai_side import AiSide
from bridge.gateway.phone.audiosocket import AudioSocketDoor
from bridge.gateway.phone.carriers.configured import (
    Carriers,
    Clients,
    configured_carriers,
    real_http,
)
from bridge.gateway.phone.carriers.make import HttpFactory
from bridge.gateway.phone.desk import AGAIN_S, DeskParts, PhoneDesk
from bridge.gateway.phone.dialled import DialledCalls
from bridge.gateway.phone.fallback import Fallback
from bridge.gateway.phone.media import MediaDoor
from bridge.gateway.phone.recordings import load_recordings
from bridge.gateway.phone.route_check import check_routes
from bridge.gateway.phone.router import phone_router
from bridge.gateway.phone.routes import Routes
from bridge.gateway.phone.tickets import Tickets
from bridge.gateway.phone.webhooks import Webhooks
from bridge.gateway.phone_lines import PhoneLines
from bridge.gateway.public_url import PublicUrl
from bridge.gateway.rtc import rtc_options
from bridge.gateway.server import CallServer
from bridge.ids import Ids
from bridge.legs.agent import load_webrtc
from bridge.legs.media_socket import CLIENT_LIMITS, Connect
from bridge.legs.picows_socket import connect as connect_picows
from bridge.phone_config import FallbackConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PhoneGateway:
    """All of it, to be put behind a front door."""

    router: APIRouter
    """To be included in the REST application."""
    media_routes: list[MediaRoute]
    desk: PhoneDesk
    audiosocket: AudioSocketDoor | None
    """What listens on a port of its own, where it is configured."""


@asynccontextmanager
async def phone_gateway(  # noqa: PLR0913 - each is a seam of its own
    config: Config,
    server: CallServer,
    *,
    carriers: Carriers | None = None,
    http: HttpFactory = real_http,
    connect: Connect | None = None,
    clock: Clock = wall_clock,
    ids: Ids | None = None,
    lines: PhoneLines | None = None,
) -> AsyncIterator[PhoneGateway]:
    """The gateway for the time of the context; its calls are ended when it is left.

    Args:
        config: of the whole service.
        server: the embedded call server, which serves the AI calls unless another API is configured.
        carriers: the configured ones; None: they are made here.
        http: makes clients for APIs elsewhere.
        connect: joins AI calls elsewhere; None: over the network, watched as `ai.silent_s` says.
        clock: the wall clock.
        ids: of calls, and the key of tokens; None: from the operating system.
        lines: where phone calls are counted; None: nobody else counts there, and `phone.max_calls` alone decides.

    Raises: ConfigError for a recording or a route that cannot be used.
    """
    check_routes(config)
    if any(map(wants_webrtc, config.routes)):
        await asyncio.get_running_loop().run_in_executor(None, load_webrtc)
    phone, ids = config.phone, ids or Ids()
    async with AsyncExitStack() as stack:
        clients = Clients(http, stack)
        if carriers is None:
            made = configured_carriers(config, http=http, clock=clock, ids=ids)
            carriers = await stack.enter_async_context(made)
        fallback = Fallback(await load_recordings(_fallbacks(config)))
        api = await _api(config, server, clients, connect, stack)
        parts = DeskParts(
            config=phone,
            carriers=carriers,
            routes=Routes.of(config.routes),
            ai=AiSide(
                api, phone.setup_s, rtc_options(config.webrtc), ours=config.ai.base_url is None
            ),
            fallback=fallback,
            divert=server.service.phones.divert,
            lines=lines or PhoneLines(Admission(AdmissionLimits(phone.max_calls))),
            clock=clock,
            ids=ids,
        )
        desk = PhoneDesk(parts)
        stack.push_async_callback(desk.close)
        # How long a socket is waited for is the desk's affair; a token outlasts that.
        tickets = Tickets(ids, clock, phone.token_s + phone.start_s + AGAIN_S)
        public = PublicUrl(config.server.public_url)
        audiosocket = _audiosocket(desk, ids)
        dialled = DialledCalls(server.service, public)
        router = phone_router(desk, Webhooks(desk, dialled, tickets, public), audiosocket)
        if phone.insecure:
            log.warning("! phone.insecure is set: ANYBODY who reaches this service can make calls")
        elif config.audiosocket is not None and config.audiosocket.any_uuid:
            log.warning(
                "! audiosocket.any_uuid is set: ANYBODY who reaches its port can make calls"
            )
        media = MediaDoor(desk, tickets, public)
        yield PhoneGateway(router, media.routes(), desk, audiosocket)


def _audiosocket(desk: PhoneDesk, ids: Ids) -> AudioSocketDoor | None:
    carrier = desk.carrier("audiosocket")
    return None if carrier is None else AudioSocketDoor(desk, carrier, ids)


async def _api(
    config: Config,
    server: CallServer,
    clients: Callable[[str], httpx.AsyncClient],
    connect: Connect | None,
    stack: AsyncExitStack,
) -> CallApi:
    """Who serves the AI calls."""
    ai = config.ai
    if ai.base_url is None:
        key = next(iter(config.server.api_keys), None)
        return await stack.enter_async_context(in_process(server, key))
    http = clients(ai.base_url)
    if ai.api_key is not None:
        http.headers[ai.key_header] = ai.api_key.get_secret_value()
    return CallApi(http, connect or _watched(ai.silent_s), key_header=ai.key_header)


def _watched(silent_s: float) -> Connect:
    """Joins AI calls, and loses one that has been silent for three to four quarters of this time."""
    limits = replace(CLIENT_LIMITS, ping_s=silent_s / 4, max_unanswered=3)
    return partial(connect_picows, limits=limits)


def _fallbacks(config: Config) -> Iterator[FallbackConfig]:
    yield config.phone.fallback
    for route in config.routes:
        if route.fallback is not None:
            yield route.fallback
