"""A peer that is gone without a word is found, and nothing of its call is left (promise R17)."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bridge.legs.media_socket import CLIENT_LIMITS, SERVER_LIMITS
from tests.bridge.gateway.test_metrics import samples
from tests.fakes.namespace import namespace
from tests.fakes.serve_process import ServeProcess, serve_process
from tests.fakes.twilio_line import CONFIG

FOUND_WITHIN_S = 41.0


def test_the_timers_that_ship_find_a_dead_peer_in_time() -> None:
    for limits in (SERVER_LIMITS, CLIENT_LIMITS):
        # At worst its last frame came right after our ping: the next one goes out ping_s later, and waits as long.
        assert 2 * limits.ping_s < FOUND_WITHIN_S


async def _ended(service: ServeProcess) -> None:
    while "= phone call ended" not in service.log:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_caller_whose_network_is_gone_is_found_and_nothing_is_left(tmp_path: Path) -> None:
    with namespace() as net:
        async with serve_process(tmp_path, CONFIG, prefix=net.prefix) as service:
            caller = await asyncio.create_subprocess_exec(
                *(*net.prefix, sys.executable, "-m", "tests.fakes.lonely_caller", service.url),
                stdout=PIPE,
            )
            assert caller.stdout is not None
            assert await asyncio.wait_for(caller.stdout.readline(), 20) == b"up\n"
            await asyncio.sleep(1)
            net.loopback(up=False)
            gone_s = time.monotonic()
            await asyncio.wait_for(_ended(service), 60)
            took_s = time.monotonic() - gone_s
            await asyncio.sleep(1)
            net.loopback(up=True)
            caller.kill()
            await caller.communicate()
            page = await _metrics(service, net.prefix)

    assert took_s <= FOUND_WITHIN_S
    assert '"endReason":"connection_error"' in service.log
    assert "was silent for 20 s after a ping" in service.log
    assert page[("tipring_served_calls", ())] == 0
    assert page[("tipring_connections", ())] == 1
    assert ("tipring_calls", ("twilio", "live")) not in page


async def _metrics(
    service: ServeProcess, prefix: tuple[str, ...]
) -> dict[tuple[str, tuple[str, ...]], float]:
    """The metrics page, as it is seen in the service's own network."""
    read = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
    asked = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, "-c", read, f"{service.url}/metrics"), stdout=PIPE
    )
    page, _ = await asked.communicate()
    return samples(page)
