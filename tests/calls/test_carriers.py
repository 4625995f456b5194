"""Whole phone calls at every carrier, in virtual time: an emulated carrier, the gateway, the call server, a brain.

The emulators read the carriers' documents for themselves, and the true ear knows what the caller heard to the sample:
what the gateway says of a call is held against it.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.brains.base import Act, CallTool, Cue, Greeting, Say
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.legs.carrier.hang_up import NO_API
from bridge.testing.caller import CallerPlan
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.testing.true_ear import Cleared
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import CarrierName
from bridge.wire.carriers.make import traits_of
from bridge_codecs.dtmf_detector import DtmfDetector
from tests.fakes.call_world import ActingBrain
from tests.fakes.emulated import ACCOUNTS
from tests.fakes.phone_talk import (
    GOODBYE,
    GREETING,
    LETTER_S,
    LONG,
    Receptionist,
    caller_plan,
    spoken_s,
)
from tests.fakes.phone_world import ENTRIES, TABLES, phone_world

KEY_S = 0.3
"""A key in the audio: 0.2 s of it, and the pause behind it."""
ELSEWHERE = "+15550100099"
ROUTE = {"tools": ["playDtmfSounds"], "call": {"systemPrompt": "Be brief."}}


@dataclass(frozen=True)
class Setup:
    """How a carrier is emulated, and what is known of it."""

    name: str
    ends_by: str
    """What the emulator says of the hang-up."""
    line_hz: int = 8_000
    table: Mapping[str, object] = field(default_factory=dict)
    """What its table in the config has besides."""
    options: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    """Where the carrier turns, if not where it usually does."""
    clears: bool = True
    frame_ms: float = 20.0
    """Of the longer of the carrier's messages and ours."""

    @property
    def carrier(self) -> str:
        return self.name.partition("-")[0]

    @property
    def id(self) -> str:
        return "-".join([self.name, *map(str, self.table.values()), *self.options.values()])


def telnyx(codec: str, rate_hz: int, line_hz: int) -> Setup:
    table = {"codec": codec, "rate_hz": rate_hz}
    return Setup("telnyx", "REST", line_hz=line_hz, table=table)


SETUPS = [
    Setup("twilio", "REST"),
    telnyx("PCMU", 8_000, 8_000),
    telnyx("PCMA", 8_000, 8_000),
    telnyx("G722", 8_000, 16_000),
    telnyx("OPUS", 16_000, 16_000),
    telnyx("OPUS", 48_000, 48_000),
    telnyx("L16", 16_000, 16_000),
    Setup("telnyx-texml", "REST"),
    Setup("telnyx-texml", "REST", line_hz=16_000, table={"codec": "G722"}),
    Setup("plivo", "REST"),
    Setup("plivo", "REST", line_hz=16_000, table={"content_type": "audio/x-l16;rate=16000"}),
    Setup("exotel", "closed", frame_ms=200),
    Setup("exotel", "closed", options={"names": "camel"}, frame_ms=200),
    Setup(
        "exotel",
        "closed",
        line_hz=16_000,
        table={"rate_hz": 16_000},
        entry=f"{ENTRIES['exotel']}?sample-rate=16000",
        frame_ms=100,
    ),
    Setup("vonage", "REST", line_hz=16_000),
    Setup("genesys", "disconnected", frame_ms=200),
    Setup("genesys", "disconnected", options={"channels": "2"}, frame_ms=200),
    Setup("audiosocket", "hang-up frame", clears=False),
    Setup("asterisk", "HANGUP"),
    Setup("asterisk", "HANGUP", line_hz=16_000, options={"codec": "slin16", "control": "json"}),
    Setup("jambonz", "disconnect", frame_ms=80),
    Setup("jambonz", "disconnect", line_hz=16_000, options={"rate": "16000"}, frame_ms=80),
    Setup(
        "jambonz",
        "disconnect",
        line_hz=24_000,
        table={"output_rate_hz": 24_000},
        options={"output_rate": "24000"},
        frame_ms=80,
    ),
    Setup("audio_fork", "disconnect", frame_ms=80),
    Setup("audio_stream", "closed", clears=False, frame_ms=120),
]
VONAGE: dict[str, Any] = {}
ONE_OF_EACH = list({setup.carrier: setup for setup in reversed(SETUPS)}.values())
one_of_each = pytest.mark.parametrize("setup", ONE_OF_EACH, ids=lambda setup: setup.carrier)
every_carrier = pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.id)


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@pytest.fixture(scope="module", autouse=True)
def _application_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The key of the application at Vonage: made once, it takes a while."""
    private = rsa.generate_private_key(65_537, 2_048)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("vonage") / "key.pem"
    file.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    account = ACCOUNTS["vonage"]
    public = private.public_key()
    text = public.public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    VONAGE["account"] = replace(account, more={**account.more, "public_key": text})
    VONAGE["table"] = {"application_id": account.account_id, "private_key": str(file)}


def tables_of(setup: Setup) -> dict[str, Any]:
    """What the config says of the carrier and its calls."""
    tables: dict[str, Any] = {"routes": [ROUTE]}
    extra = (
        {**setup.table, **VONAGE["table"]} if setup.carrier == "vonage" and VONAGE else setup.table
    )
    if setup.carrier in TABLES:
        tables["carriers"] = {setup.carrier: {**TABLES[setup.carrier], **extra}}
    return tables


async def whole_call(
    setup: Setup, brain: ActingBrain, plan: CallerPlan, **world: Any
) -> tuple[PhoneCall, PhoneCallRecord]:
    if setup.carrier == "vonage":
        world["account"] = VONAGE["account"]
    async with phone_world(
        brain,
        name=setup.name,
        line_hz=setup.line_hz,
        options=setup.options,
        **{**tables_of(setup), **world},
    ) as here:
        call = here.carrier.inbound(setup.entry, plan) if setup.entry else here.ring(plan)
        await call.run()
        await here.settled()
        return call, here.record


def stretches_s(call: PhoneCall) -> list[float]:
    rate_hz = call.ear.rate_hz
    return [(each.end - each.start) / rate_hz for each in call.ear.stretches]


@every_carrier
def test_a_whole_call_is_heard_as_it_was_said_and_ends_in_the_carriers_own_way(
    setup: Setup,
) -> None:
    async def test() -> None:
        brain = Receptionist()
        call, record = await whole_call(setup, brain, caller_plan(setup.line_hz))

        assert call.log.problems == []
        assert brain.heard == ["hello", "stop", "12#"]
        heard_s = stretches_s(call)
        # The last frame of an utterance may be filled up with silence.
        longer_s = setup.frame_ms / 1000 + 0.003
        assert 0 <= heard_s[0] - spoken_s(GREETING) < longer_s
        assert 0 <= heard_s[-1] - spoken_s(GOODBYE) < longer_s
        assert "5" in keys_at_the_carrier(call)
        assert not call.ear.holes()
        unplayed = [each.details["unplayed_ms"] for each in call.log.of("stream closed")]
        assert unplayed == [0]
        assert call.end is not None
        assert call.end.by == "application"
        assert setup.ends_by in call.end.how
        assert record.end is not None
        assert record.end.reason == "agent_hangup"
        assert record.figures.caller_audio_lost_ms == 0
        assert record.figures.underruns == 0
        assert record.figures.digits == 3
        check_interruption(setup, call, record)

    play(test())


@pytest.mark.parametrize(
    ("name", "key"),
    [("twilio", "account_sid"), ("telnyx-texml", "api_key"), ("plivo", "auth_id"), ("vonage", "")],
)
def test_without_credentials_for_the_api_a_call_ends_with_its_socket_and_the_record_says_so(
    name: str, key: str
) -> None:
    async def test() -> None:
        carrier = name.partition("-")[0]
        table = {each: value for each, value in TABLES[carrier].items() if each != key}
        tables: dict[str, Any] = {"carriers": {carrier: table}, "routes": [ROUTE]}
        async with phone_world(Receptionist(), name=name, **tables) as here:
            call = await here.call(caller_plan(8_000))

            assert call.log.problems == []
            assert call.end is not None
            assert call.end.by == "application"
            rate_hz = call.ear.rate_hz
            assert call.duration_s - call.ear.stretches[-1].end / rate_hz < 1.0
            assert here.record.end is not None
            assert here.record.end.reason == "agent_hangup"
            assert here.record.not_hung_up == NO_API

    play(test())


@pytest.mark.parametrize("name", ["twilio", "telnyx-texml", "telnyx", "plivo", "vonage"])
@pytest.mark.parametrize("by", ["agent", "caller"])
def test_the_record_has_the_last_status_that_the_carrier_told(name: str, by: str) -> None:
    async def test() -> None:
        plan = CallerPlan(hang_up_at_s=1.0) if by == "caller" else caller_plan()
        call, record = await whole_call(Setup(name, ""), Receptionist(), plan)

        assert call.log.problems == []
        assert record.status == ("normal_clearing" if name == "telnyx" else "completed")
        assert record.end is not None
        assert record.end.reason == ("hangup" if by == "caller" else "agent_hangup")

    play(test())


class Operator(ActingBrain):
    """Says a word and sends the caller elsewhere."""

    def __init__(self) -> None:
        super().__init__(self._answer)

    def _answer(self, cue: Cue) -> list[Act]:
        if not isinstance(cue, Greeting):
            return []
        return [Say("One moment."), CallTool("coldTransfer", {"target": ELSEWHERE})]


TRANSFERRING = [
    *(each for each in ONE_OF_EACH if traits_of(cast("CarrierName", each.carrier)).transfers),
    Setup("telnyx-texml", "REST"),
]
by_any_carrier_that_transfers = pytest.mark.parametrize(
    "setup", TRANSFERRING, ids=lambda setup: setup.name
)


@by_any_carrier_that_transfers
@pytest.mark.parametrize("by", ["agent", "fallback"])
def test_a_caller_who_was_sent_elsewhere_stays_there_until_they_hang_up(
    setup: Setup, by: str
) -> None:
    async def test() -> None:
        tables: dict[str, Any] = {"outgoing": {"enabled": True, "prefixes": [ELSEWHERE]}}
        tables["routes"] = [{"tools": ["coldTransfer"], "call": {"systemPrompt": "Be brief."}}]
        if by == "fallback":
            tables["ai"] = {"base_url": "https://nobody.example"}
            tables["phone"] = {"fallback": {"transfer_to": ELSEWHERE}}
        plan = CallerPlan(tail_s=60.0, hang_up_at_s=40.0)
        call, record = await whole_call(setup, Operator(), plan, **tables)

        assert call.log.problems == []
        assert call.connected_to.removeprefix("+") == ELSEWHERE.removeprefix("+")
        assert call.end is not None
        assert call.end.by == "caller"
        assert call.duration_s == pytest.approx(40.0, abs=0.03)
        assert record.end is not None
        assert record.end.reason == ("transferred" if by == "agent" else "ai_failed")
        closed = call.log.first("stream closed")
        assert closed is not None
        assert closed.at_s < 12

    play(test())


def keys_at_the_carrier(call: PhoneCall) -> str:
    """Keys that reached the far side: by the carrier's doing, or as tones in the audio."""
    tones = DtmfDetector(call.ear.rate_hz).push(call.ear.heard())
    return report_of("", call).keys_received + "".join(digit.key for digit in tones)


def check_interruption(setup: Setup, call: PhoneCall, record: PhoneCallRecord) -> None:
    """The record's account of the interruption against the ear."""
    ear, rate_hz = call.ear, call.ear.rate_hz
    onset = next(each.at for each in call.caller.started if each.turn.name == "stop")
    [interruption] = record.figures.interruptions
    last = max(each.end for each in ear.stretches if each.start <= onset)
    if setup.clears:
        [clear] = ear.clears
        assert ear.silence_after_ms(clear) <= 20.001
        assert last == clear.silent_from
        assert not silence_after(call, clear, 0.3).any()
        # What waited at the carrier, and what had not been sent.
        assert interruption.unheard_ms >= 1000 * clear.dropped / rate_hz - 45
    overrun_ms = 1000 * (last - onset) / rate_hz
    assert 0 < overrun_ms < 700
    assert interruption.overrun_ms == pytest.approx(overrun_ms, abs=45)
    # What the record says was heard is what the ear heard; the word under way counts as heard.
    begun = max(each.start for each in ear.stretches if each.start <= onset)
    if not report_of("", call).keys_received:
        begun += round(KEY_S * rate_hz)  # the key was pressed in the audio, before the words
    n_letters = (last - begun) / rate_hz / LETTER_S
    heard = interruption.heard_text
    assert LONG.startswith(heard)
    letters = len(heard.replace(" ", ""))
    assert letters - len(heard.split()[-1]) - 1 <= n_letters <= letters + 1
    assert f"{heard} {interruption.unheard_text}" == LONG


def silence_after(call: PhoneCall, clear: Cleared, seconds: float) -> np.ndarray[Any, Any]:
    rate_hz = call.ear.rate_hz
    return call.ear.heard()[clear.silent_from : clear.silent_from + round(seconds * rate_hz)]


@one_of_each
@pytest.mark.parametrize("profile", ["mobile-edge", "hotel-wifi", "carrier-burst"])
def test_on_a_bad_network_nothing_is_lost_and_the_account_is_right_to_half_a_second(
    setup: Setup, profile: str
) -> None:
    async def test() -> None:
        brain = Receptionist()
        plan = caller_plan(setup.line_hz)
        call, record = await whole_call(setup, brain, plan, profile=profile)

        assert call.log.problems == []
        assert brain.heard == ["hello", "stop", "12#"]
        assert record.figures.caller_audio_lost_ms == 0
        assert record.end is not None
        assert record.end.reason == "agent_hangup"
        assert [each.details["unplayed_ms"] for each in call.log.of("stream closed")] == [0]
        goodbye_s = sum(
            (each.end - each.start) / setup.line_hz
            for each in call.ear.stretches
            if each.start > 14 * setup.line_hz
        )
        assert goodbye_s - spoken_s(GOODBYE) >= -0.001
        [interruption] = record.figures.interruptions
        heard, claimed = heard_at_the_interruption_s(call), spoken_s(interruption.heard_text)
        assert heard == pytest.approx(claimed, abs=0.5)

    play(test())


def heard_at_the_interruption_s(call: PhoneCall) -> float:
    """How much of the long answer the caller heard, s."""
    onset = next(each.at for each in call.caller.started if each.turn.name == "stop")
    asked = next(each for each in call.caller.started if each.turn.name == "hello")
    after = asked.at + asked.turn.samples.size
    pieces = [each for each in call.ear.stretches if each.start >= after and each.start <= onset]
    in_band = 0.0 if report_of("", call).keys_received else KEY_S
    return sum(each.end - each.start for each in pieces) / call.ear.rate_hz - in_band


@one_of_each
def test_a_caller_who_hangs_up_in_the_middle_of_a_word_ends_the_call(setup: Setup) -> None:
    async def test() -> None:
        plan = CallerPlan(hang_up_at_s=1.0)
        call, record = await whole_call(setup, Receptionist(), plan)

        assert call.end is not None
        assert call.end.by == "caller"
        assert record.end is not None
        assert record.end.reason == "hangup"
        assert call.log.problems == []
        assert call.duration_s == pytest.approx(1.0, abs=0.03)

    play(test())


@one_of_each
def test_a_connection_that_breaks_in_mid_word_ends_the_call_and_says_so(setup: Setup) -> None:
    async def test() -> None:
        plan = caller_plan(setup.line_hz)
        call, record = await whole_call(setup, Receptionist(), plan, profile="mid-word-disconnect")

        assert call.log.first("network broke") is not None
        assert call.is_over
        assert record.end is not None
        assert record.end.reason == "connection_error"

    play(test())


@one_of_each
def test_the_same_call_twice_is_the_same_to_the_sample(setup: Setup) -> None:
    async def once() -> tuple[bytes, bytes]:
        call, _ = await whole_call(
            setup, Receptionist(), caller_plan(setup.line_hz), profile="mobile-edge"
        )
        assert call.end is not None
        return call.ear.heard().tobytes(), call.ear.said().tobytes()

    assert run_virtual(once()) == run_virtual(once())
