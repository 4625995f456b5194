"""Calls of the call server whose medium is a carrier: the stream is pointed at the join URL, or the server dials."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Response

from bridge.batch.caller import CallerTurn
from bridge.brains.base import Act, CallTool, Cue, Greeting, HangUp, Say, ToolsReturned, UserSaid
from bridge.calls.dialling import Dialling
from bridge.calls.errors import InvalidSettings
from bridge.calls.records import CallRecord
from bridge.calls.settings import PhoneCarrier, PhoneMedium
from bridge.gateway.join_route import stream_url
from bridge.gateway.listener import join_route
from bridge.gateway.server import CallServer, call_server
from bridge.legs.carrier_rest.twilio import TwilioApi
from bridge.legs.phone_line import CarrierApi, CarrierApiError, OutgoingCall
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.carriers.base import Carrier
from bridge.testing.network import Site
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import CarrierWire
from bridge.wire.carriers.make import make_wire
from bridge_codecs.dtmf_detector import DtmfDetector
from tests.fakes.call_world import ActingBrain, OneBrain
from tests.fakes.emulated import ACCOUNTS, emulated
from tests.fakes.twilio_bot import tone

BASE = "https://bot.example"
ACCOUNT = ACCOUNTS["twilio"]
STAYS = CallerPlan(tail_s=60.0)


class TwilioPhones:
    """One Twilio account, at an emulated Twilio in the same process."""

    def __init__(self) -> None:
        self.api_there: CarrierApi | None = None

    def admit(self, record: CallRecord) -> None:
        medium = record.settings.medium
        assert isinstance(medium, PhoneMedium)
        if medium.carrier != "twilio":
            raise InvalidSettings("medium", "no such account")

    def ended(self, record: CallRecord) -> None:
        """Nothing is counted."""

    def may_send_to(self, target: str) -> str | None:
        return None

    def wire(self, medium: PhoneMedium) -> CarrierWire:
        return make_wire(medium.carrier)

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:
        return self.api_there

    async def place(self, record: CallRecord) -> str:
        medium = record.settings.medium
        assert isinstance(medium, PhoneMedium)
        assert medium.outgoing is not None
        assert self.api_there is not None
        to = OutgoingCall(
            medium.outgoing.to, medium.outgoing.from_, stream_url(record, "wss://bot.example")
        )
        return await self.api_there.place(to)


@dataclass
class World:
    """A call server with one brain, and Twilio."""

    server: CallServer
    carrier: Carrier
    http: httpx.AsyncClient
    documents: dict[str, str]

    async def create(self, medium: object, **body: object) -> httpx.Response:
        return await self.http.post("/api/calls", json={"medium": medium, **body})

    async def ring(self, join_url: str, plan: CallerPlan = STAYS) -> PhoneCall:
        """Somebody calls a number whose TwiML points at the join URL."""
        self.documents["answer"] = (
            f"<Response><Connect><Stream url={quoteattr(join_url)}/></Connect></Response>"
        )
        call = self.carrier.inbound(f"{BASE}/answer", plan)
        await call.run()
        return call

    async def get(self, path: str) -> Any:
        return (await self.http.get(path)).json()


@asynccontextmanager
async def world(brain: ActingBrain | None = None) -> AsyncIterator[World]:
    phones = TwilioPhones()
    async with (
        call_server(
            OneBrain(brain),
            recordings=None,
            seed="phone",
            public_url="wss://bot.example",
            phones=phones,
        ) as server,
        httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url=BASE) as http,
    ):
        documents: dict[str, str] = {}
        app = FastAPI()

        @app.post("/answer")
        async def answer() -> Response:
            return Response(documents["answer"], media_type="text/xml")

        async with emulated("twilio", BASE, Site(app, [join_route(server.service)])) as carrier:
            transport = httpx.ASGITransport(carrier.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://twilio") as rest:
                phones.api_there = TwilioApi(rest, ACCOUNT.account_id, ACCOUNT.token)
                yield World(server, carrier, http, documents)


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def booking(cue: Cue) -> Sequence[Act]:
    """Greets, presses a key when spoken to, and says goodbye."""
    match cue:
        case Greeting():
            return [Say("Good morning, what can I do for you today?")]
        case UserSaid(text="hello"):
            return [CallTool("playDtmfSounds", {"digits": "5"})]
        case UserSaid(text=text):
            return [Say(f"You pressed {text}.")]
        case ToolsReturned():
            return [Say("Goodbye."), HangUp()]
    return ()


def test_a_carriers_stream_is_pointed_at_the_join_url_and_the_call_goes_to_its_goodbye() -> None:
    async def call() -> None:
        async with world(ActingBrain(booking)) as here:
            tools = [{"toolName": "playDtmfSounds"}]
            created = (await here.create({"twilio": {}}, selectedTools=tools)).json()
            after_greeting = np.concatenate((np.zeros(32_000, np.int16), tone(1.0)))
            turns = [CallerTurn("hello", after_greeting)]
            phone = await here.ring(created["joinUrl"], CallerPlan(turns=turns, tail_s=60.0))

            ended = await here.get(f"/api/calls/{created['callId']}")
            assert ended["endReason"] == "agent_hangup"
            assert ended["requestContext"]["phoneCallId"] == phone.facts.call_id
            messages = (await here.get(f"/api/calls/{created['callId']}/messages"))["results"]
            said = [m["text"] for m in messages if m["role"] == "MESSAGE_ROLE_AGENT" and m["text"]]
            assert said == ["Good morning, what can I do for you today?", "Goodbye."]
            assert phone.log.problems == []
            # The greeting, the key and the goodbye were heard to their ends, and then the call was hung up by REST.
            greeting, key_and_goodbye = phone.ear.stretches
            assert (greeting.end - greeting.start) / 8_000 == pytest.approx(2.04, abs=0.05)
            assert (key_and_goodbye.end - key_and_goodbye.start) / 8_000 == pytest.approx(
                0.3 + 0.48, abs=0.05
            )
            keys = DtmfDetector(8_000).push(phone.ear.heard()[key_and_goodbye.start :])
            assert [digit.key for digit in keys] == ["5"]
            assert not phone.ear.holes()
            assert phone.end is not None
            assert phone.end.by == "application"

    play(call())


def test_keys_are_told_to_the_agent() -> None:
    async def call() -> None:
        brain = ActingBrain(booking)
        async with world(brain) as here:
            created = (await here.create({"twilio": {}})).json()
            keys = (KeyPresses("42", 6.0),)
            await here.ring(created["joinUrl"], CallerPlan(keys=keys, tail_s=12.0))

            assert [cue.text for cue in brain.cues if isinstance(cue, UserSaid)] == ["42"]

    play(call())


def test_a_call_is_dialled_and_has_no_join_url_of_its_own() -> None:
    async def call() -> None:
        async with world(ActingBrain(booking)) as here:
            placed: list[PhoneCall] = []
            here.carrier.plan_for = lambda _to: CallerPlan(tail_s=8.0)
            here.carrier.on_call = placed.append
            outgoing = {"to": "+15550100", "from": "+15550123"}
            answer = await here.create({"twilio": {"outgoing": outgoing}}, joinTimeout="90s")
            assert answer.status_code == 201
            created = answer.json()
            [phone] = placed
            await phone.over.wait()
            await asyncio.sleep(1.0)

            ended = await here.get(f"/api/calls/{created['callId']}")
            assert created["joinUrl"] is None
            assert ended["endReason"] == "hangup"
            assert ended["requestContext"]["phoneCallId"] == phone.facts.call_id
            assert phone.ear.stretches

    play(call())


def test_a_call_that_the_carrier_will_not_place_is_a_502_and_an_ended_call() -> None:
    async def call() -> None:
        async with world() as here:

            class Refusing(TwilioPhones):
                async def place(self, record: CallRecord) -> str:
                    raise CarrierApiError("Twilio answered with 400: no such number", 400)

            here.server.service._dialling = Dialling(Refusing())
            outgoing = {"to": "+15550100", "from": "+15550123"}
            answer = await here.create({"twilio": {"outgoing": outgoing}})

            assert answer.status_code == 502
            assert "no such number" in answer.json()["detail"]
            [listed] = (await here.get("/api/calls"))["results"]
            assert listed["endReason"] == "unjoined"

    play(call())


def test_without_an_account_nothing_is_dialled() -> None:
    async def call() -> None:
        async with world() as here:
            outgoing = {"to": "+15550100", "from": "+15550123"}
            answer = await here.create({"plivo": {"outgoing": outgoing}})

            assert answer.status_code == 400
            assert answer.json() == {"medium": ["No such account."]}

    play(call())


def test_a_phone_that_rings_too_long_is_hung_up_and_the_call_is_unjoined() -> None:
    async def call() -> None:
        async with world() as here:
            placed: list[PhoneCall] = []
            here.carrier.pick_up_s = None
            here.carrier.on_call = placed.append
            outgoing = {"to": "+15550100", "from": "+15550123"}
            created = (
                await here.create({"twilio": {"outgoing": outgoing}}, joinTimeout="20s")
            ).json()
            [phone] = placed
            await asyncio.sleep(19.0)
            rang = phone.status
            await asyncio.sleep(20.0)

            ended = await here.get(f"/api/calls/{created['callId']}")
            assert ended["endReason"] == "unjoined"
            assert rang == "ringing"
            assert phone.end is not None
            assert phone.end.by == "application"

    play(call())


@pytest.mark.parametrize("kind", ["server_web_socket", "telephony"])
def test_a_join_url_is_good_for_its_own_medium_only(kind: str) -> None:
    async def call() -> None:
        async with world() as here:
            socket = {"serverWebSocket": {"inputSampleRate": 8000}}
            medium = {"twilio": {}} if kind == "server_web_socket" else socket
            created = (await here.create(medium)).json()
            url = created["joinUrl"].rsplit("/", 1)[0] + f"/{kind}"
            phone = await here.ring(url)

            assert "404" in " ".join(phone.log.problems)
            assert not np.any(phone.ear.heard())

    play(call())
