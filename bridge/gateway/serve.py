"""``tipring serve``: the call server as a long-running service on real sockets, until it is told to stop."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.config import Config
from bridge.errors import ConfigError
from bridge.gateway.listener import listening
from bridge.gateway.server import call_server
from bridge.loops import new_event_loop

log = logging.getLogger(__name__)

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
HURRY_S: Final = 1.5
"""How long the finishing of calls may still take after a second signal."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The service is up."""

    url: str
    models: tuple[str, ...]
    notes: tuple[str, ...]
    """Sentences for the user: what is missing, what is open."""


def serve(config: Config, on_ready: Callable[[Ready], None]) -> None:
    """Serve until SIGINT or SIGTERM; calls under way are ended, their recordings and records finished.

    A second signal leaves that a moment and no longer.

    Raises: UsageError if the address or the recordings folder cannot be had, KeyboardInterrupt if a second signal
    did not find everything finished.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            runner.run(_serve(config, on_ready))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _serve(config: Config, on_ready: Callable[[Ready], None]) -> None:
    server = config.server
    stopped = asyncio.Event()
    async with AsyncExitStack() as stack:
        # First in, last out: a signal must not strike while things are being finished.
        stack.enter_context(_stop_signals(stopped))
        kit = SpeechKit.load(
            voice=config.speech.voice, ear=config.speech.ear, vad=config.speech.vad
        )
        stack.push_async_callback(kit.close)
        _make_recordings(config)
        calls = await stack.enter_async_context(
            call_server(
                Brains(kit, server.scripts),
                recordings=server.recordings,
                api_keys=server.api_keys,
                public_url=server.public_url,
            )
        )
        port = await stack.enter_async_context(
            listening(calls, host=server.host, port=server.port, keyed=bool(server.api_keys))
        )
        gc.freeze()  # what lives as long as the process need not be looked at in every collection
        on_ready(Ready(_url(server.host, port), tuple(calls.service.models()), _notes(config)))
        await stopped.wait()
        log.debug("= stopping; live calls: %d", calls.service.n_live)


def _make_recordings(config: Config) -> None:
    folder = config.server.recordings
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"recordings cannot be kept in {folder}: {exc.strerror or exc}") from None


def _notes(config: Config) -> tuple[str, ...]:
    if config.server.api_keys:
        return ()
    return ("No API key is set: only this machine is served, and it needs none.",)


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def _stop_signals(stopped: asyncio.Event) -> Iterator[None]:
    """The first stop signal sets the event; the next gives this task a moment to come to its end."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    hurry: list[asyncio.TimerHandle] = []

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
        elif not hurry:
            hurry.append(loop.call_later(HURRY_S, task.cancel))

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        for timer in hurry:
            timer.cancel()
