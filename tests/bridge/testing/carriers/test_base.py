"""Calls that the application places at an emulated carrier and that do not come about, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import UNANSWERED_S, Carrier
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from tests.fakes.bot import BASE, STREAM_URL, Bot
from tests.fakes.emulated import ACCOUNTS, emulated

ANSWER_URL, STATUS_URL = BASE + "/answer", BASE + "/status"
CARRIERS = ("twilio", "telnyx", "plivo", "exotel")
TERMINAL = {  # what each carrier calls a phone call that did not come about
    "twilio": {"busy": "busy", "no-answer": "no-answer", "canceled": "canceled"},
    "telnyx": {"busy": "user_busy", "no-answer": "timeout", "canceled": "originator_cancel"},
    "plivo": {"busy": "busy", "no-answer": "no-answer", "canceled": "cancel"},
}


@dataclass
class Placed:
    """A call that the application has placed, and how it is hung up."""

    bot: Bot
    carrier: Carrier
    call: PhoneCall
    http: httpx.AsyncClient

    async def hang_up(self) -> None:
        name, account = self.carrier.name, self.carrier.account.account_id
        call_id = self.call.facts.call_id
        match name:
            case "twilio":
                url = f"/2010-04-01/Accounts/{account}/Calls/{call_id}.json"
                answer = await self.http.post(url, data={"Status": "completed"})
            case "telnyx":
                answer = await self.http.post(f"/v2/calls/{call_id}/actions/hangup", json={})
            case _:
                answer = await self.http.delete(f"/v1/Account/{account}/Call/{call_id}/")
        assert answer.status_code < 300

    @property
    def last_told(self) -> str:
        """The carrier's word for the end, in the last webhook."""
        asked = self.bot.asked[-1]
        if self.carrier.name == "telnyx":
            return str(asked.json["data"]["payload"]["hangup_cause"])
        return asked.form["CallStatus"]


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@asynccontextmanager
async def placed(name: str, **how: Any) -> AsyncIterator[Placed]:
    """A call that rings by now, or does what the carrier was told."""
    bot, calls = Bot(), list[PhoneCall]()
    async with emulated(name, BASE, bot.site) as carrier:
        for key, value in how.items():
            setattr(carrier, key, value)
        carrier.on_call = calls.append
        account, token = ACCOUNTS[name].account_id, ACCOUNTS[name].token
        given: dict[str, Any] = {"auth": (ACCOUNTS[name].more.get("key", account), token)}
        if name == "telnyx":
            given = {"headers": {"Authorization": f"Bearer {token}"}}
        transport = httpx.ASGITransport(app=carrier.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api", **given) as http:
            made = await place(http, name, account)
            assert made.status_code in (200, 201), made.text
            await asyncio.sleep(0.1)
            yield Placed(bot, carrier, calls[0], http)


async def place(http: httpx.AsyncClient, name: str, account: str) -> httpx.Response:
    match name:
        case "twilio":
            form = {"To": "+1", "From": "+2", "Url": ANSWER_URL, "StatusCallback": STATUS_URL}
            return await http.post(f"/2010-04-01/Accounts/{account}/Calls.json", data=form)
        case "telnyx":
            body = {"to": "+1", "from": "+2", "connection_id": "c", "webhook_url": STATUS_URL}
            return await http.post("/v2/calls", json=body)
        case "plivo":
            body = {"to": "1", "from": "2", "answer_url": ANSWER_URL, "hangup_url": STATUS_URL}
            return await http.post(f"/v1/Account/{account}/Call/", json=body)
    fields = {"From": "1", "CallerId": "2", "StreamUrl": STREAM_URL, "StreamType": "bidirectional"}
    return await http.post(f"/v1/Accounts/{account}/Calls/connect.json", data=fields)


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo"])
def test_a_phone_stops_ringing_at_once_when_the_application_hangs_up(name: str) -> None:
    async def test() -> None:
        async with placed(name, pick_up_s=None) as there:
            loop = asyncio.get_running_loop()
            rang, began_s = there.call.status, loop.time()
            await there.hang_up()
            await there.call.over.wait()

            assert rang == "ringing"
            assert loop.time() - began_s < 0.1
            assert there.call.status == "canceled"
            assert there.call.end is not None
            assert there.call.end.by == "application"
            assert there.call.duration_s == 0
            assert there.last_told == TERMINAL[name]["canceled"]

    play(test())


@pytest.mark.parametrize("name", CARRIERS)
def test_a_phone_that_nobody_picks_up_rings_its_time_and_the_call_ends(name: str) -> None:
    async def test() -> None:
        async with placed(name, pick_up_s=None) as there:
            await asyncio.sleep(UNANSWERED_S - 1.0)
            rang = there.call.status
            await asyncio.wait_for(there.call.over.wait(), 2.0)

            assert rang == "ringing"
            assert there.call.status == "no-answer"
            assert there.call.end is not None
            assert (there.call.end.by, there.call.end.how) == ("carrier", "nobody picked up")
            if name in TERMINAL:
                assert there.last_told == TERMINAL[name]["no-answer"]

    play(test())


@pytest.mark.parametrize("name", CARRIERS)
def test_a_busy_phone_does_not_ring(name: str) -> None:
    async def test() -> None:
        async with placed(name, turned_away="busy") as there:
            await asyncio.wait_for(there.call.over.wait(), 1.0)

            assert [each.details["status"] for each in there.call.log.of("status")] == ["busy"]
            assert there.call.end is not None
            assert there.call.end.how == "the called phone was busy"
            if name in TERMINAL:
                assert there.last_told == TERMINAL[name]["busy"]

    play(test())


def test_other_orders_do_not_stop_a_phone_from_ringing() -> None:
    async def test() -> None:
        async with placed("twilio", pick_up_s=5.0) as there:
            account, call_id = there.carrier.account.account_id, there.call.facts.call_id
            url = f"/2010-04-01/Accounts/{account}/Calls/{call_id}.json"
            twiml = "<Response><Hangup/></Response>"
            assert (await there.http.post(url, data={"Twiml": twiml})).status_code == 200
            await asyncio.sleep(4.0)
            rang = there.call.status
            await asyncio.wait_for(there.call.over.wait(), 2.0)

            assert rang == "ringing"
            assert there.call.status == "completed"

    play(test())


# Calls that come in

HEARS_STATUS = ("twilio", "telnyx-texml", "plivo", "vonage")


@pytest.mark.parametrize("name", HEARS_STATUS)
@pytest.mark.parametrize(
    ("said", "answer_path", "told"),
    [
        (None, "/carriers/{name}/answer", "/carriers/{name}/status"),
        (None, "/prefix/carriers/{name}/answer", "/prefix/carriers/{name}/status"),
        (None, "/carriers/{name}/answer?a=1", ""),
        (None, "/carriers/another/answer", ""),
        (None, "/answer", ""),
        ("", "/carriers/{name}/answer", ""),
        (STATUS_URL, "/answer", "/status"),
        (STATUS_URL, "/carriers/{name}/answer", "/status"),
    ],
)
def test_the_status_of_a_call_that_came_in_is_told_where_it_is_wanted(
    name: str, said: str | None, answer_path: str, told: str
) -> None:
    async def test() -> None:
        carrier_name = name.partition("-")[0]
        bot = Bot()
        async with emulated(name, BASE, bot.site, status_url=said) as carrier:
            url = BASE + answer_path.format(name=carrier_name)
            call = carrier.inbound(url, CallerPlan(hang_up_at_s=1.0))
            assert carrier.status_url_for(url) == (BASE + told if told else "").format(
                name=carrier_name
            )
            await call.run()

        wanted = told.format(name=carrier_name)
        paths = [asked.url.removeprefix(BASE).partition("?")[0] for asked in bot.asked]
        assert paths[0] == answer_path.format(name=carrier_name).partition("?")[0]
        assert (wanted in paths[1:]) is bool(told)
        assert {path for path in paths[1:] if path.endswith("/status")} <= {wanted}

    play(test())
