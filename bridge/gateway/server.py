"""The call server put together: service, brains and REST application, whatever carries them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request
from pydantic import SecretStr

from bridge.api.app import create_app
from bridge.calls.brain_source import BrainSource
from bridge.calls.call import Parts
from bridge.calls.phones import Phones
from bridge.calls.recording import recording_path
from bridge.calls.records import CallRecord
from bridge.calls.rooms import Rooms
from bridge.calls.service import CallService
from bridge.calls.store import MAX_KEPT, MemoryStore
from bridge.clock import VirtualClock, wall_clock
from bridge.gateway.join_route import join_url
from bridge.gateway.public_url import PublicUrl
from bridge.gateway.rtc import load_parts, rtc_routers, voices
from bridge.ids import Ids

if TYPE_CHECKING:
    from bridge.legs.webrtc.options import RtcOptions


@dataclass(frozen=True, slots=True)
class CallServer:
    """A call server without a listener."""

    service: CallService
    app: FastAPI
    public: PublicUrl = field(default_factory=PublicUrl)
    """Under which address its sockets are reached."""
    rooms: Rooms | None = None
    """Of calls over WebRTC; None where none is made."""
    rtc: "RtcOptions | None" = None
    """How they connect."""
    loading: "asyncio.Future[None] | None" = None
    """Libraries on their way in, from a thread that holds the loop up now and then; None where none are."""


@asynccontextmanager
async def call_server(  # noqa: PLR0913 - each is a part of its own
    brains: BrainSource,
    *,
    recordings: Path | None,
    api_keys: Sequence[SecretStr] = (),
    seed: str | None = None,
    public_url: str | None = None,
    phones: Phones | None = None,
    rtc: "RtcOptions | None" = None,
    max_kept: int = MAX_KEPT,
) -> AsyncIterator[CallServer]:
    """A call server for the time of the context; its calls are ended when it is left.

    Args:
        brains: the models it serves; stays the caller's to close.
        recordings: folder of recordings; None records nothing.
        api_keys: None given: everybody who reaches it may use it.
        seed: virtual time: ids come from it, stamps from the loop. None: real time.
        public_url: the address in join URLs (``wss://…``); None: the one the request came to.
        phones: the carriers of calls whose medium is one.
        rtc: how calls over WebRTC connect; None: none is made, as in virtual time.
        max_kept: how many ended calls are remembered.
    """
    loop = asyncio.get_running_loop()
    now = wall_clock if seed is None else VirtualClock(loop)
    forget = partial(_remove_recording, loop, recordings)
    store = MemoryStore(max_calls=max_kept, on_forget=forget)
    rooms = None if rtc is None or seed is not None else Rooms(now, voices(rtc))
    service = CallService(Parts(store, Ids(seed), now, recordings), brains, phones, rooms)
    public = PublicUrl(public_url)

    def url(call: CallRecord, request: Request) -> str | None:
        secure = request.url.scheme == "https"
        return join_url(call, public.sockets(request.url.netloc, secure=secure))

    # Building the application takes longer than a loop may be held up.
    app = await loop.run_in_executor(
        None, lambda: _warm(create_app(service, api_keys=api_keys, join_url=url))
    )
    loading = None
    if rooms is not None and rtc is not None:
        for router in rtc_routers(service, rooms, rtc):
            await loop.run_in_executor(None, include, app, router)
        loading = loop.run_in_executor(None, load_parts)  # nobody waits for it to serve the rest
    try:
        yield CallServer(service, app, public, rooms, rtc, loading)
    finally:
        await service.close()
        if loading is not None:
            await loading


def include(app: FastAPI, router: APIRouter) -> None:
    """Add routes to a call server's application; takes longer than a loop may be held up."""
    app.include_router(router)
    _warm(app)


def _warm(app: FastAPI) -> FastAPI:
    """Have the router build now what it would build within the first request: 40 ms of work."""
    nowhere = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}
    for route in app.router.routes:
        route.matches(nowhere)
    return app


def _remove_recording(
    loop: asyncio.AbstractEventLoop, folder: Path | None, call: CallRecord
) -> None:
    """A call that the store forgets takes its recording along."""
    if folder is None or not call.settings.recording_enabled:
        return

    def remove() -> None:
        with suppress(OSError):
            recording_path(folder, call.call_id).unlink(missing_ok=True)

    loop.run_in_executor(None, remove)
