"""One line in the log for each phone call whose medium is a carrier: all figures, and nothing that is personal."""

import asyncio
import json
import logging
from typing import Any

import pytest

from bridge.calls.phone_log import MARKER
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.virtual import run_virtual
from tests.fakes.direct_calls import FROM, TO, direct_world

TWILIO: dict[str, object] = {"twilio": {}}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def told(caplog: pytest.LogCaptureFixture) -> list[Any]:
    marked = [line for line in caplog.messages if line.startswith(MARKER)]
    assert not [line for line in marked if FROM in line or TO in line]
    return [json.loads(line.removeprefix(MARKER)) for line in marked]


def test_a_call_at_its_join_url_has_one_line_with_its_figures(
    lines: pytest.LogCaptureFixture,
) -> None:
    async def call() -> None:
        async with direct_world() as here:
            created = (await here.create(TWILIO)).json()
            plan = CallerPlan(keys=[KeyPresses("9", 3.0)], tail_s=6.0)
            phone = await here.ring(created["joinUrl"], plan)
            await asyncio.sleep(2)

            [line] = told(lines)
            assert line["id"] == line["aiCallId"] == created["callId"]
            assert (line["carrier"], line["direction"]) == ("twilio", "inbound")
            assert line["carrierCallId"] == f"…{phone.facts.call_id[-4:]}"
            assert line["endReason"] == "hangup"
            assert line["digits"] == 1
            assert line["framesIn"] > 100
            assert isinstance(line["interruptions"], int)
            assert "worstOverrunMs" in line
            assert list(line["stages"]) == ["created", "joined", "ended"]

    run_virtual(call())


@pytest.mark.parametrize(
    ("picks_up", "reason", "stages"),
    [(True, "hangup", ["created", "joined", "ended"]), (False, "unjoined", ["created", "ended"])],
)
def test_a_dialled_call_has_one_line_whether_anybody_answers_or_not(
    lines: pytest.LogCaptureFixture, picks_up: bool, reason: str, stages: list[str]
) -> None:
    async def call() -> None:
        async with direct_world() as here:
            if picks_up:
                here.carrier.plan_for = lambda _to: CallerPlan(tail_s=3.0)
            else:
                here.carrier.turned_away = "busy"
            call_id = (await here.dial()).json()["callId"]
            await asyncio.sleep(60)

            [line] = told(lines)
            assert (line["id"], line["direction"]) == (call_id, "outbound")
            assert (line["from"], line["to"]) == (f"…{FROM[-4:]}", f"…{TO[-4:]}")
            assert line["endReason"] == reason
            assert list(line["stages"]) == stages
            assert ("framesIn" in line) == picks_up

    run_virtual(call())


def test_a_call_of_a_plain_client_is_no_phone_call(lines: pytest.LogCaptureFixture) -> None:
    async def call() -> None:
        async with direct_world() as here:
            medium: dict[str, object] = {"serverWebSocket": {"inputSampleRate": 8_000}}
            await here.create(medium, joinTimeout="1s")
            await asyncio.sleep(5)

            assert told(lines) == []

    run_virtual(call())
