"""An emulated carrier in virtual time, beside an application in the same process."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bridge.clock import VirtualClock
from bridge.ids import Ids
from bridge.testing.carriers.base import Account, Carrier, World
from bridge.testing.carriers.make import make_carrier
from bridge.testing.network import Site, VirtualNetwork
from bridge.testing.profiles import profile_named

ACCOUNTS = {
    "twilio": Account("AC" + 32 * "1", "CANARY-TOKEN"),
    "telnyx": Account("user-1", "CANARY-KEY"),
    "telnyx-texml": Account("user-1", "CANARY-KEY"),
    "plivo": Account("MA" + 18 * "1", "CANARY-TOKEN"),
    "vonage": Account("app-1", "CANARY-SECRET", {"api_key": "key-1"}),
    "genesys": Account("key-1", base64.b64encode(b"CANARY-SECRET").decode()),
    "exotel": Account("acme1", "CANARY-TOKEN", {"key": "CANARY-KEY"}),
}


@asynccontextmanager
async def emulated(
    name: str,
    base: str,
    site: Site,
    *,
    profile: str = "clean",
    seed: str = "test",
    line_hz: int = 8_000,
    strict: bool = True,
    max_call_s: float = 600.0,
    options: Mapping[str, str] | None = None,
    status_url: str | None = None,
) -> AsyncIterator[Carrier]:
    loop = asyncio.get_running_loop()
    network = VirtualNetwork({base: site})
    world = World(
        network=network,
        ids=Ids(seed),
        clock=VirtualClock(loop),
        profile=profile_named(profile),
        seed=seed,
        line_hz=line_hz,
        strict=strict,
        max_call_s=max_call_s,
        options=options or {},
        status_url=status_url,
    )
    carrier = make_carrier(name, world, ACCOUNTS.get(name))
    try:
        yield carrier
    finally:
        await carrier.close()
        await network.close()
