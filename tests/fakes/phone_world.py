"""The whole phone gateway in virtual time: an emulated carrier, the desk, the embedded call server and its brain."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bridge.brains.base import Brain
from bridge.calls.phone_log import MARKER
from bridge.clock import VirtualClock
from bridge.config import Config
from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.dial_limits import DialLimits
from bridge.gateway.listener import join_route
from bridge.gateway.phone.carriers.configured import configured_carriers
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.gateway import PhoneGateway, phone_gateway
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.gateway.phone_lines import PhoneLines
from bridge.gateway.phones import ConfiguredPhones
from bridge.gateway.public_url import PublicUrl
from bridge.gateway.server import CallServer, call_server, include
from bridge.ids import Ids
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import Account, Carrier, World
from bridge.testing.carriers.make import make_carrier
from bridge.testing.carriers.telnyx.exchange import TEST_KEY
from bridge.testing.network import Site, VirtualNetwork
from bridge.testing.phone_call import PhoneCall as EmulatedCall
from bridge.testing.profiles import profile_named
from bridge.testing.signing.telnyx import public_key
from tests.fakes.call_world import OneBrain
from tests.fakes.emulated import ACCOUNTS

BASE = "https://bridge.example"
TCP = "tcp://bridge.example:9092"
TWILIO = ACCOUNTS["twilio"]
TWILIO_TABLE = {"account_sid": TWILIO.account_id, "auth_token": TWILIO.token}
SECRET = "CANARY-door-secret"
API_OF = {
    "twilio": "https://api.twilio.com",
    "telnyx": "https://api.telnyx.com",
    "telnyx-texml": "https://api.telnyx.com",
    "plivo": "https://api.plivo.com",
    "exotel": "https://api.exotel.com",
    "vonage": "https://api.nexmo.com",
}
"""Where each carrier's REST API is reached."""
ROUTE: dict[str, object] = {"call": {"systemPrompt": "Be brief."}}
PATIENT = CallerPlan(tail_s=30.0)
_LOCKED = {"secret": SECRET}
TABLES: Mapping[str, Mapping[str, object]] = {
    "twilio": TWILIO_TABLE,
    "telnyx": {
        "public_key": public_key(TEST_KEY),
        "api_key": ACCOUNTS["telnyx"].token,
        "stream_auth_token": "CANARY-stream-token",
    },
    "plivo": {"auth_id": ACCOUNTS["plivo"].account_id, "auth_token": ACCOUNTS["plivo"].token},
    "exotel": _LOCKED,
    "vonage": {"signature_secret": ACCOUNTS["vonage"].token},
    "genesys": {
        "api_key": ACCOUNTS["genesys"].account_id,
        "client_secret": ACCOUNTS["genesys"].token,
    },
    "asterisk": _LOCKED,
    "jambonz": {"user": "jambonz", "password": "CANARY-password"},
    "audio_fork": _LOCKED,
    "audio_stream": _LOCKED,
}
"""Credentials that fit the emulators' accounts."""
ENTRIES = {
    "exotel": f"wss://bridge.example/carriers/exotel/media/{SECRET}",
    "genesys": "wss://bridge.example/carriers/genesys/media/-",
    "asterisk": f"wss://bridge.example/carriers/asterisk/media/{SECRET}",
    "jambonz": "wss://jambonz:CANARY-password@bridge.example/carriers/jambonz/media/-",
    "audio_fork": f"wss://bridge.example/carriers/audio_fork/media/{SECRET}",
    "audio_stream": f"wss://bridge.example/carriers/audio_stream/media/{SECRET}",
    "audiosocket": TCP,
}
"""What is configured at a carrier; where it is not here, its answer URL."""


@dataclass
class PhoneWorld:
    """What is there, and what it has logged."""

    gateway: PhoneGateway
    server: CallServer
    carrier: Carrier
    network: VirtualNetwork
    phone_lines: PhoneLines
    lines: list[str] = field(default_factory=list)

    @property
    def desk(self) -> PhoneDesk:
        return self.gateway.desk

    async def call(self, plan: CallerPlan = PATIENT) -> EmulatedCall:
        """One inbound call from its first ring to its end, records closed."""
        call = self.ring(plan)
        await call.run()
        await self.settled()
        return call

    def ring(self, plan: CallerPlan = PATIENT) -> EmulatedCall:
        """A call that is not placed yet."""
        name = self.carrier.name
        return self.carrier.inbound(ENTRIES.get(name, f"{BASE}/carriers/{name}/answer"), plan)

    async def settled(self, limit_s: float = 15.0) -> None:
        """Until no phone call is left."""
        async with asyncio.timeout(limit_s):
            while self.desk.n_live:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    @property
    def records(self) -> list[PhoneCallRecord]:
        return list(self.desk.history.newest_first())

    @property
    def record(self) -> PhoneCallRecord:
        """The only call."""
        [record] = self.records
        return record

    @property
    def ends(self) -> list[dict[str, Any]]:
        """The lines that the log has of ended calls."""
        marked = (line.partition(MARKER)[2] for line in self.lines if MARKER in line)
        return [json.loads(line) for line in marked]

    def http(self) -> httpx.AsyncClient:
        return self.network.http(BASE)


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


def config_of(name: str = "twilio", **tables: Any) -> Config:
    """A config with this carrier and one route, unless said otherwise."""
    name = name.partition("-")[0]
    given: dict[str, object] = {"server": {"public_url": BASE}, "routes": [ROUTE]}
    if name in TABLES:
        given["carriers"] = {name: TABLES[name]}
    else:
        given["audiosocket"] = {"any_uuid": True}
    return Config.model_validate({**given, **tables})


@asynccontextmanager
async def phone_world(
    brain: Brain | None = None,
    *,
    name: str = "twilio",
    account: Account | None = None,
    profile: str = "clean",
    seed: str = "test",
    sites: Mapping[str, Site] | None = None,
    line_hz: int = 8_000,
    options: Mapping[str, str] | None = None,
    **tables: Any,
) -> AsyncIterator[PhoneWorld]:
    """A world for the time of the context; `sites`: others in the network, `tables`: of the config."""
    loop = asyncio.get_running_loop()
    clock = VirtualClock(loop)
    config = config_of(name, **tables)
    public = PublicUrl(config.server.public_url)
    network = VirtualNetwork(sites or {})
    world = World(
        network=network,
        ids=Ids(seed),
        clock=clock,
        profile=profile_named(profile),
        seed=seed,
        strict=True,
        max_call_s=600.0,
        line_hz=line_hz,
        options=options or {},
    )
    phone_lines = PhoneLines(Admission(AdmissionLimits(config.phone.max_calls)))
    carrier = make_carrier(name, world, account or ACCOUNTS.get(name))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(network.close)
        network.sites[API_OF.get(name, "https://api.example")] = Site(carrier.app)
        made_with = Ids(f"{seed} gateway")
        carriers = await stack.enter_async_context(
            configured_carriers(config, http=network.http, clock=clock, ids=made_with)
        )
        server = await stack.enter_async_context(
            call_server(
                OneBrain(brain),
                recordings=None,
                seed=seed,
                api_keys=config.server.api_keys,
                public_url=public.sockets("", secure=True) if public.configured else None,
                phones=ConfiguredPhones(
                    config, carriers, DialLimits(config.outgoing, loop.time), phone_lines
                ),
            )
        )
        await asyncio.sleep(0)
        gateway = await stack.enter_async_context(
            phone_gateway(
                config,
                server,
                carriers=carriers,
                lines=phone_lines,
                http=network.http,
                connect=lambda url: network.connect(url, {}),
                clock=clock,
                ids=made_with,
            )
        )
        await loop.run_in_executor(None, include, server.app, gateway.router)
        await asyncio.sleep(0)  # what was made is a step of its own
        routes = [join_route(server.service, server.public), *gateway.media_routes]
        network.sites[BASE] = Site(server.app, routes)
        if gateway.audiosocket is not None:
            network.sites[TCP] = Site(take=gateway.audiosocket.take)
        stack.push_async_callback(carrier.close)
        made = PhoneWorld(gateway, server, carrier, network, phone_lines)
        handler = _Lines(made.lines)
        log = logging.getLogger("bridge")
        log.addHandler(handler)
        stack.callback(log.removeHandler, handler)
        yield made
