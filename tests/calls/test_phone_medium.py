"""Calls of the call server whose medium is a carrier: somebody else points the stream at the join URL."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.brains.base import UserSaid
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.virtual import run_virtual
from bridge_codecs.dtmf_detector import DtmfDetector
from tests.fakes.bot import tone
from tests.fakes.direct_calls import STAYS, DirectWorld, direct_world
from tests.fakes.phone_talk import GOODBYE, GREETING, LONG, Receptionist, caller_plan, spoken_s

TOOLS = [{"toolName": "playDtmfSounds"}]
KEPT = {"bidirectional": "true", "keepCallAlive": "true", "audioTrack": "inbound"}


@dataclass(frozen=True)
class Setup:
    """A carrier, and how its stream is asked for (the vendor's way is reference 7.9)."""

    name: str
    ends_by: str
    rate_hz: int = 8_000
    stream: Mapping[str, str] = field(default_factory=dict)
    frame_s: float = 0.02
    """Of the carrier's smallest message."""

    @property
    def medium(self) -> str:
        return self.name.partition("-")[0]


def telnyx(codec: str, rate_hz: int) -> Setup:
    stream = {
        "bidirectionalMode": "rtp",
        "codec": codec,
        "bidirectionalCodec": codec,
        "bidirectionalSamplingRate": str(rate_hz),
    }
    return Setup("telnyx-texml", "REST", rate_hz, stream)


def plivo(kind: str, rate_hz: int) -> Setup:
    return Setup("plivo", "REST", rate_hz, {**KEPT, "contentType": f"{kind};rate={rate_hz}"})


SETUPS = {
    "twilio": Setup("twilio", "REST"),
    "telnyx PCMU": telnyx("PCMU", 8_000),
    "telnyx L16 at 16 kHz": telnyx("L16", 16_000),
    "plivo mu-law": plivo("audio/x-mulaw", 8_000),
    "plivo L16 at 16 kHz": plivo("audio/x-l16", 16_000),
    "exotel": Setup("exotel", "closed", frame_s=0.2),
}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def whole_call(here: DirectWorld, setup: Setup, plan: CallerPlan) -> tuple[Any, PhoneCall]:
    created = (await here.create({setup.medium: {}}, selectedTools=TOOLS)).json()
    phone = await here.ring(created["joinUrl"], plan, dict(setup.stream))
    await asyncio.sleep(2.0)
    return await here.ended(created["callId"]), phone


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_a_carriers_stream_at_the_join_url_is_a_whole_call(setup: Setup) -> None:
    async def call() -> None:
        brain = Receptionist()
        rate_hz = setup.rate_hz
        async with direct_world(brain, name=setup.name, line_hz=rate_hz) as here:
            ended, phone = await whole_call(here, setup, caller_plan(rate_hz))

            assert phone.log.problems == []
            assert brain.heard == ["hello", "stop", "12#"]
            assert ended["endReason"] == "agent_hangup"
            assert ended["requestContext"]["phoneCallId"] == phone.facts.call_id
            # Heard to their ends, and then the phone call was ended in the carrier's own way.
            heard_s = [(each.end - each.start) / rate_hz for each in phone.ear.stretches]
            assert 0 <= heard_s[0] - spoken_s(GREETING) <= setup.frame_s + 0.01
            assert 0 <= heard_s[-1] - spoken_s(GOODBYE) <= setup.frame_s + 0.01
            assert not phone.ear.holes()
            assert "5" in keys_heard(phone)
            assert phone.end is not None
            assert phone.end.by == "application"
            assert setup.ends_by in phone.end.how

            figures = await here.figures(ended["callId"])
            assert figures["callerAudioLostMs"] == 0
            assert figures["digits"] == 3
            [cut] = figures["interruptions"]
            assert 0 < cut["overrunMs"] < 300
            assert cut["unheardMs"] > 2_000
            assert LONG.startswith(cut["heardText"])
            assert len(cut["heardText"].split()) == pytest.approx(10, abs=1)

    play(call())


def test_it_is_on_the_metrics_page_while_it_lives_and_adds_up_when_it_has_ended() -> None:
    async def call() -> None:
        async with direct_world(Receptionist()) as here:
            lines = here.phones.phone_lines
            created = (await here.create({"twilio": {}})).json()
            ringing = asyncio.create_task(here.ring(created["joinUrl"], STAYS), name="ringing")
            await asyncio.sleep(3.0)
            [live] = lines.live()
            assert (live.carrier, live.state) == ("twilio", "live")
            assert live.figures.frames_in > 100
            await ringing
            await asyncio.sleep(2.0)

            ended = await here.ended(created["callId"])
            assert lines.totals.ended == {("twilio", ended["endReason"]): 1}
            assert lines.totals.counts["twilio"]["frames_in"] > 100
            assert lines.totals.first_audio.n == 1
            assert lines.totals.lateness.n > 50
            assert list(lines.live()) == []

    play(call())


def test_no_more_of_them_are_made_than_there_may_be_phone_calls() -> None:
    async def call() -> None:
        async with direct_world(Receptionist(), phone={"max_calls": 1}) as here:
            first = await here.create({"twilio": {}})
            refused = await here.dial()
            assert (first.status_code, refused.status_code) == (201, 503)
            assert refused.headers["retry-after"] == "5"
            assert (await here.create({"serverWebSocket": {"inputSampleRate": 8_000}})).is_success
            await here.ring(first.json()["joinUrl"], CallerPlan(hang_up_at_s=1.0))
            await asyncio.sleep(2.0)
            assert (await here.create({"twilio": {}})).status_code == 201

    play(call())


def keys_heard(phone: PhoneCall) -> str:
    """Keys that reached the far side: by the carrier's doing, or as tones in the audio."""
    tones = DtmfDetector(phone.ear.rate_hz).push(phone.ear.heard())
    return report_of("", phone).keys_received + "".join(digit.key for digit in tones)


def test_the_goodbye_is_among_the_messages_and_the_key_was_a_tool_call() -> None:
    async def call() -> None:
        async with direct_world(Receptionist()) as here:
            after_greeting = np.concatenate((np.zeros(32_000, np.int16), tone(1.0)))
            turns = [CallerTurn("hello", after_greeting)]
            keys = [KeyPresses("9", 14.0)]
            plan = CallerPlan(turns=turns, keys=keys, tail_s=60.0)
            ended, _ = await whole_call(here, SETUPS["twilio"], plan)

            listed = (await here.get(f"/api/calls/{ended['callId']}/messages"))["results"]
            said = [m["text"] for m in listed if m["role"] == "MESSAGE_ROLE_AGENT" and m["text"]]
            assert (said[0], said[-1]) == (GREETING, GOODBYE)
            assert [m["toolName"] for m in listed if m["role"] == "MESSAGE_ROLE_TOOL_CALL"] == [
                "playDtmfSounds"
            ]

    play(call())


def test_keys_go_to_the_agent_as_dtmf_handling_says() -> None:
    async def call() -> None:
        brain = Receptionist()
        async with direct_world(brain) as here:
            message = {"text": "keys: {digits}", "urgency": "URGENCY_SOON"}
            medium = {"twilio": {"dtmfHandling": {"userTextMessage": message}}}
            created = (await here.create(medium)).json()
            keys = (KeyPresses("42", 6.0),)
            await here.ring(created["joinUrl"], CallerPlan(keys=keys, tail_s=12.0))

            assert [cue.text for cue in brain.cues if isinstance(cue, UserSaid)] == ["keys: 42"]

    play(call())


def test_without_any_account_a_stream_is_a_call_all_the_same() -> None:
    async def call() -> None:
        brain = Receptionist()
        async with direct_world(brain, table={"account_sid": None}) as here:
            created = (await here.create({"twilio": {}})).json()
            phone = await here.ring(created["joinUrl"], CallerPlan(keys=[KeyPresses("1", 5.0)]))
            ended = await here.ended(created["callId"])

            assert ended["endReason"] == "agent_hangup"
            assert phone.ear.stretches

    play(call())


@pytest.mark.parametrize("kind", ["server_web_socket", "telephony"])
def test_a_join_url_is_good_for_its_own_medium_only(kind: str) -> None:
    async def call() -> None:
        async with direct_world() as here:
            socket = {"serverWebSocket": {"inputSampleRate": 8000}}
            medium = {"twilio": {}} if kind == "server_web_socket" else socket
            created = (await here.create(medium)).json()
            url = created["joinUrl"].rsplit("/", 1)[0] + f"/{kind}"
            phone = await here.ring(url)

            assert "404" in " ".join(phone.log.problems)
            assert not np.any(phone.ear.heard())

    play(call())


@pytest.mark.parametrize(
    ("outgoing", "reached"),
    [
        ({"enabled": False}, ""),
        ({"enabled": True, "prefixes": ["+44"]}, ""),
        ({"enabled": True, "prefixes": ["+1"], "max_per_day": 0}, ""),
        ({"enabled": True, "prefixes": ["+1"]}, "+15550100099"),
    ],
)
def test_a_caller_is_sent_only_where_calls_may_be_placed(
    outgoing: dict[str, object], reached: str
) -> None:
    async def call() -> None:
        target = "+1 (555) 010-0099"
        async with direct_world(Receptionist(transfer_to=target), outgoing=outgoing) as here:
            tool = {"toolName": "coldTransfer", "parameterOverrides": {"target": target}}
            created = (await here.create({"twilio": {}}, selectedTools=[tool])).json()
            plan = CallerPlan(keys=[KeyPresses("0", 5.0)], hang_up_at_s=12.0)
            phone = await here.ring(created["joinUrl"], plan)

            assert report_of("", phone).connected_to == reached

    play(call())
