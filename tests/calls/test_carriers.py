"""Whole phone calls at every carrier, in virtual time: an emulated carrier, the gateway, the call server, a brain.

The emulators read the carriers' documents for themselves, and the true ear knows what the caller heard to the sample:
what the gateway says of a call is held against it.
"""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.brains.base import Act, CallTool, Cue, Greeting, HangUp, Say, ToolsReturned, UserSaid
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.carriers.base import Account
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.testing.true_ear import Cleared
from bridge.virtual import run_virtual
from bridge_codecs.dtmf_detector import DtmfDetector
from tests.fakes.bot import tone
from tests.fakes.call_world import ActingBrain
from tests.fakes.phone_world import BASE, TWILIO, TWILIO_TABLE, PhoneWorld, phone_world

LETTER_S = 0.06
GREETING = "Good morning, this is the bridge."
LONG = (
    "Let me tell you all about it in very many words that nobody wants to hear to their end at all."
)
PROMPT = "Press a key."
GOODBYE = "Goodbye then, and thank you."
ROUTE = {"tools": ["playDtmfSounds"], "call": {"systemPrompt": "Be brief."}}


@dataclass(frozen=True)
class Setup:
    """How a carrier is emulated, and configured at the gateway."""

    name: str
    account: Account
    table: Mapping[str, object]
    line_hz: int = 8_000
    options: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    """Where the carrier turns; empty: the answer URL."""
    clears: bool = True
    ends_by: str = "REST"
    """What the emulator says of the hang-up."""
    marks: bool = True

    @property
    def carrier(self) -> str:
        return self.name.partition("-")[0]


SETUPS = [Setup("twilio", TWILIO, TWILIO_TABLE)]
every_carrier = pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def talkative(cue: Cue) -> Sequence[Act]:
    """Greets, presses a key when first spoken to and talks on; asks for a key; says goodbye."""
    match cue:
        case Greeting():
            return [Say(GREETING)]
        case UserSaid(spoken=True, text="hello"):
            return [CallTool("playDtmfSounds", {"digits": "5"})]
        case ToolsReturned():
            return [Say(LONG)]
        case UserSaid(spoken=False):
            return [HangUp(GOODBYE)]
    return ()


class Talkative(ActingBrain):
    """Hears "hello" at first, then "stop"."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self._n_heard = 0

    async def hear(self, turn: Any) -> str:
        self._n_heard += 1
        return "hello" if self._n_heard == 1 else "stop"

    @property
    def keys(self) -> list[str]:
        return [cue.text for cue in self.cues if isinstance(cue, UserSaid) and not cue.spoken]

    def _answer(self, cue: Cue) -> Sequence[Act]:
        if isinstance(cue, UserSaid) and cue.spoken and cue.text == "stop":
            return [Say(PROMPT)]
        return talkative(cue)


def caller_plan(line_hz: int) -> CallerPlan:
    """Speaks after the greeting, interrupts what follows, presses keys when it is silent again."""
    return CallerPlan(
        turns=[
            CallerTurn("hello", tone(1.2, rate_hz=line_hz)),
            CallerTurn("stop", tone(1.0, rate_hz=line_hz), 2.0),
        ],
        keys=[KeyPresses("12#", 14.0)],
        tail_s=20.0,
    )


async def whole_call(
    setup: Setup, brain: ActingBrain, plan: CallerPlan, **world: Any
) -> tuple[PhoneCall, PhoneCallRecord]:
    async with phone_world(
        brain,
        name=setup.name,
        account=setup.account,
        line_hz=setup.line_hz,
        options=setup.options,
        carriers={setup.carrier: setup.table},
        routes=[ROUTE],
        **world,
    ) as here:
        call = ring(here, setup, plan)
        await call.run()
        await here.settled()
        return call, here.record


def ring(here: PhoneWorld, setup: Setup, plan: CallerPlan) -> PhoneCall:
    entry = setup.entry or f"{BASE}/carriers/{setup.carrier}/answer"
    return here.carrier.inbound(entry, plan)


def spoken_s(text: str) -> float:
    return LETTER_S * len(text.replace(" ", ""))


def stretches_s(call: PhoneCall) -> list[float]:
    rate_hz = call.ear.rate_hz
    return [(each.end - each.start) / rate_hz for each in call.ear.stretches]


@every_carrier
def test_a_whole_call_is_heard_as_it_was_said_and_ends_in_the_carriers_own_way(
    setup: Setup,
) -> None:
    async def test() -> None:
        brain = Talkative()
        call, record = await whole_call(setup, brain, caller_plan(setup.line_hz))

        assert call.log.problems == []
        assert [cue.text for cue in brain.cues if isinstance(cue, UserSaid)] == [
            "hello",
            "stop",
            "12#",
        ]
        heard_s = stretches_s(call)
        assert heard_s[0] == pytest.approx(spoken_s(GREETING), abs=0.03)
        assert heard_s[-1] == pytest.approx(spoken_s(GOODBYE), abs=0.03)
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
    # What the record says was heard is what the ear heard, to the word under way.
    begun = max(each.start for each in ear.stretches if each.start <= onset)
    n_letters = (last - begun) / rate_hz / LETTER_S
    heard = interruption.heard_text
    assert LONG.startswith(heard)
    longest_word = max(len(word) for word in LONG.split())
    letters = len(heard.replace(" ", ""))
    assert n_letters - longest_word - 7 <= letters <= n_letters + 1
    believed = f"{heard} {interruption.unheard_text}".split()
    assert believed == LONG.split()[: len(believed)]


def silence_after(call: PhoneCall, clear: Cleared, seconds: float) -> np.ndarray[Any, Any]:
    rate_hz = call.ear.rate_hz
    return call.ear.heard()[clear.silent_from : clear.silent_from + round(seconds * rate_hz)]


@every_carrier
def test_the_same_call_twice_is_the_same_to_the_sample(setup: Setup) -> None:
    async def once() -> tuple[bytes, bytes]:
        call, _ = await whole_call(
            setup, Talkative(), caller_plan(setup.line_hz), profile="mobile-edge"
        )
        assert call.end is not None
        return call.ear.heard().tobytes(), call.ear.said().tobytes()

    assert run_virtual(once()) == run_virtual(once())
