"""The emulated carrier over real sockets, as `tipring carrier` runs it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import soundfile

from bridge.batch.caller import CallerTurn
from bridge.errors import UsageError
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import Account
from bridge.testing.report import CallReport
from bridge.testing.run import CarrierPlan, Watch, carry_out, run
from tests.fakes.twilio_bot import TwilioBot, connect, tone, twiml

ACCOUNT = Account("AC" + 32 * "2", "CANARY-TOKEN")


@asynccontextmanager
async def serving(bot: TwilioBot) -> AsyncIterator[str]:
    site = bot.site
    assert site.app is not None
    door = FrontDoor(site.app, site.routes, HostPolicy())
    port = await door.start("127.0.0.1", 0)
    bot.document = twiml(connect(f"ws://127.0.0.1:{port}/stream"))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await door.close(1.0)


async def test_one_call_over_real_sockets_is_heard_and_written(tmp_path: Path) -> None:
    said = tone(0.6)
    bot = TwilioBot(echo=True)
    caller = CallerPlan(turns=[CallerTurn("a", said)], tail_s=0.4)
    out = tmp_path / "sub" / "heard.wav"
    async with serving(bot) as base:
        plan = CarrierPlan(
            carrier="twilio", call_url=base + "/answer", out=out, account=ACCOUNT, api_port=0
        )
        [report] = await carry_out(plan, caller, Watch())

    assert report.passed, report.problems
    assert report.heard_s == pytest.approx(report.duration_s, abs=0.2)
    assert (report.ended_by, report.status) == ("caller", "completed")
    [note] = report.notes
    assert "wss://" in note
    samples, rate_hz = soundfile.read(out, dtype="int16")
    assert rate_hz == 8_000
    assert samples.tobytes() == report.heard.tobytes()


async def test_calls_that_the_application_places_are_taken_and_reported() -> None:
    bot = TwilioBot(echo=True)
    caller = CallerPlan(turns=[CallerTurn("a", tone(0.3))], tail_s=0.3)
    placed: list[asyncio.Task[httpx.Response]] = []
    reports: list[CallReport] = []
    async with serving(bot) as base, httpx.AsyncClient(trust_env=False) as http:

        def place(api_url: str, hints: Sequence[str]) -> None:
            form = {"To": "+15550100003", "From": "+15550100002", "Url": base + "/answer"}
            url = f"{api_url}/2010-04-01/Accounts/{ACCOUNT.account_id}/Calls.json"
            auth = (ACCOUNT.account_id, ACCOUNT.token)
            placed.append(asyncio.ensure_future(http.post(url, data=form, auth=auth)))

        plan = CarrierPlan(carrier="twilio", calls=1, account=ACCOUNT, api_port=0)
        watch = Watch(on_listening=place, on_report=reports.append)
        await carry_out(plan, caller, watch)
        response = await placed[0]

    assert response.status_code == 201
    assert [report.call_id for report in reports] == [response.json()["sid"]]
    assert reports[0].passed


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (CarrierPlan(carrier="twillio"), "twilio"),
        (CarrierPlan(carrier="twilio", profile="mobile"), "mobile-edge"),
        (CarrierPlan(carrier="twilio", tail_s=-1), "--tail"),
        (CarrierPlan(carrier="twilio", tail_s=float("nan")), "--tail"),
        (CarrierPlan(carrier="twilio", max_duration_s=0), "--max-duration"),
        (CarrierPlan(carrier="twilio", call_url="localhost:8080/answer"), "http:// or https://"),
        (CarrierPlan(carrier="vonage", call_url="ws://localhost/media"), "http:// or https://"),
        (CarrierPlan(carrier="asterisk", call_url="http://localhost/media"), "ws:// or wss://"),
        (CarrierPlan(carrier="audiosocket", call_url="localhost:9092"), "tcp://"),
        (CarrierPlan(carrier="twilio", status_url="localhost/status"), "--status"),
        (CarrierPlan(carrier="exotel", call_url="tcp://localhost:9092"), "ws:// or wss:// or http"),
        (CarrierPlan(carrier="genesys", account=Account("id", "no base64")), "base64"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_a_sentence(plan: CarrierPlan, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(plan)


async def test_a_socket_that_cannot_be_opened_is_what_ended_the_call() -> None:
    plan = CarrierPlan(carrier="asterisk", call_url="ws://127.0.0.1:1/media", api_port=0)
    [report] = await carry_out(plan, CallerPlan(), Watch())

    assert not report.passed
    assert (report.ended_by, report.how) == ("application", "its media socket could not be opened")


async def test_a_carrier_without_an_api_calls_a_bare_port() -> None:
    """AudioSocket over real TCP, with its REST port taken by somebody else."""
    echoed: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.read(3):
                head += await reader.readexactly(3 - len(head))
                frame = head + await reader.readexactly(int.from_bytes(head[1:], "big"))
                echoed.append(frame)
                if frame[0] == 0x10:
                    writer.write(frame)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    caller = CallerPlan(turns=[CallerTurn("a", tone(0.5))], tail_s=0.3)
    plan = CarrierPlan(
        carrier="audiosocket", call_url=f"tcp://127.0.0.1:{port}", api_port=port, tail_s=0.3
    )
    async with server:
        [report] = await carry_out(plan, caller, Watch())

    assert report.passed, report.problems
    assert report.heard_s > 0.4
    assert (echoed[0][0], echoed[-1][0]) == (0x01, 0x00)


@pytest.mark.parametrize("callee", ["busy", "failed"])
async def test_a_called_phone_may_turn_the_call_away(callee: str) -> None:
    reports: list[CallReport] = []
    async with httpx.AsyncClient(trust_env=False) as http:

        def place(api_url: str, _hints: Sequence[str]) -> None:
            form = {"To": "+15550100003", "From": "+15550100002", "Twiml": twiml("<Hangup/>")}
            url = f"{api_url}/2010-04-01/Accounts/{ACCOUNT.account_id}/Calls.json"
            auth = (ACCOUNT.account_id, ACCOUNT.token)
            placed.append(asyncio.ensure_future(http.post(url, data=form, auth=auth)))

        placed: list[asyncio.Task[httpx.Response]] = []
        plan = CarrierPlan(carrier="twilio", calls=1, account=ACCOUNT, api_port=0, callee=callee)
        await carry_out(plan, CallerPlan(), Watch(on_listening=place, on_report=reports.append))
        await placed[0]

    assert [(each.status, each.ended_by) for each in reports] == [(callee, "carrier")]


def test_what_no_called_phone_does_is_refused() -> None:
    with pytest.raises(UsageError, match="picks-up, no-answer, busy, failed, not 'explodes'"):
        run(CarrierPlan(carrier="twilio", callee="explodes"))
