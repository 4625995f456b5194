"""Whole phone calls in virtual time: a carrier's end with a buffer and an ear, our leg, the relay, a call server.

What our ledger says of the caller's ear is held against the ear itself.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from bridge.audio.level import audible_spans
from bridge.brains.base import Act, Brain, Cue, Greeting, HangUp, Say, UserSaid, UserTurn
from bridge.brains.echo import EchoBrain
from bridge.calls.records import CallRecord
from bridge.calls.settings import CallSettings, UserFirst
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Ended, Leg, LegEvent, MessageEvent
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.carrier.prompt import PromptLeg
from bridge.legs.memory_socket import memory_pair
from bridge.relay import CallEnd, Relay
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge.wire.carriers.twilio import TwilioWire
from bridge.wire.messages import Transcript
from tests.bridge.legs.carrier.plain_call import HandLine
from tests.fakes.call_world import (
    MEDIUM,
    RATE_HZ,
    ActingBrain,
    CallWorld,
    LoudVad,
    call_world,
)
from tests.fakes.twilio_end import TwilioEnd

SETTINGS = CallSettings(medium=MEDIUM)
WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
LETTER_S = 0.06
"""How long a letter of the tone voice lasts."""


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def spoken_s(text: str) -> float:
    return len(text.replace(" ", "")) * LETTER_S


@dataclass
class Phone:
    """A phone call: the carrier's end, our leg, its agent's side."""

    world: CallWorld
    record: CallRecord
    carrier: TwilioEnd
    leg: CarrierLeg
    line: HandLine
    events: list[LegEvent] = field(default_factory=list)
    relay: Relay | None = None
    done: "asyncio.Task[CallEnd] | None" = None

    async def join(self) -> None:
        """The AI side is there."""
        loop = asyncio.get_running_loop()
        await self.world.service.claim(self.record.call_id, self.record.join_token)
        ours, theirs = memory_pair(loop)
        self.world.service.start(self.record.call_id, theirs)
        self.connect(AgentSocketLeg(ours, Rates(RATE_HZ, RATE_HZ)))

    def connect(self, agent: Leg) -> None:
        self.relay = Relay(self.leg, agent, watch=self._watch)
        self.done = asyncio.create_task(self._serve(self.relay), name="phone call")

    async def _serve(self, relay: Relay) -> CallEnd:
        end = await relay.run()
        await self.leg.hang_up()
        return end

    async def end(self) -> Ended:
        assert self.done is not None
        return (await self.done).ended

    def _watch(self, leg: Leg, event: LegEvent) -> None:
        self.events.append(event)

    @property
    def finals(self) -> list[tuple[str, str | None]]:
        return [
            (event.message.role, event.message.text)
            for event in self.events
            if isinstance(event, MessageEvent)
            and isinstance(event.message, Transcript)
            and event.message.final
        ]


@asynccontextmanager
async def phone(
    brain: Brain,
    settings: CallSettings = SETTINGS,
    *,
    way_s: float = 0.0,
    echoes_marks: bool = True,
    joined: bool = True,
) -> AsyncIterator[Phone]:
    async with call_world(brain) as world:
        loop = asyncio.get_running_loop()
        record = await world.service.create(settings)
        theirs, ours = memory_pair(loop)
        line = HandLine(takes_s=0.2)
        leg = CarrierLeg(ours, TwilioWire(), line=line)
        carrier = TwilioEnd(theirs, way_s=way_s, echoes_marks=echoes_marks)
        await leg.opened()
        call = Phone(world, record, carrier, leg, line)
        if joined:
            await call.join()
        try:
            yield call
        finally:
            await call.leg.hang_up()
            if call.done is not None:
                await asyncio.gather(call.done, return_exceptions=True)


def acting(*greeting: Act, then: tuple[Act, ...] = (), heard: str = "hello") -> ActingBrain:
    def reply(cue: Cue) -> tuple[Act, ...]:
        if isinstance(cue, Greeting):
            return greeting
        return then if isinstance(cue, UserSaid) else ()

    return ActingBrain(reply, heard)


@pytest.mark.parametrize("way_s", [0.0, 0.12])
def test_a_call_with_a_greeting_a_turn_and_a_goodbye_that_is_heard_to_its_end(way_s: float) -> None:
    async def call() -> None:
        brain = acting(Say("Hello there."), then=(HangUp("Thank you and goodbye."),))
        async with phone(brain, way_s=way_s) as call:
            await call.carrier.quiet(2)
            assert call.carrier.heard_s == pytest.approx(spoken_s("Hello there."), abs=0.01)
            await call.carrier.tone(1)
            talk = asyncio.create_task(call.carrier.quiet(8))
            ended = await call.end()
            talk.cancel()

            said_s = spoken_s("Hello there.") + spoken_s("Thank you and goodbye.")
            assert ended.reason == "agent_hangup"
            assert call.carrier.heard_s == pytest.approx(said_s, abs=0.02)
            assert call.line.acts == ["hang up"]
            over_s = max(at + s.size / RATE_HZ for at, s in call.carrier.played)
            hung_up_s = call.line.done[0][0] - call.line.takes_s
            assert over_s + way_s <= hung_up_s <= over_s + 2 * way_s + 0.1
            figures = call.leg.figures
            assert figures.caller_audio_lost_ms == 0
            assert figures.marks_outstanding == figures.marks_flushed == 0
            assert figures.marks_sent == figures.marks_back >= 4
            assert call.finals[0] == ("agent", "Hello there.")

    play(call())


def test_a_goodbye_whose_marks_never_come_is_hung_up_after_it_and_two_seconds() -> None:
    async def call() -> None:
        brain = acting(HangUp("Goodbye, it was nice."))
        async with phone(brain, echoes_marks=False) as call:
            await call.carrier.quiet(0.1)
            talk = asyncio.create_task(call.carrier.quiet(10))
            ended = await call.end()
            talk.cancel()

            assert ended.reason == "agent_hangup"
            over_s = max(at + s.size / RATE_HZ for at, s in call.carrier.played)
            assert call.carrier.heard_s == pytest.approx(
                spoken_s("Goodbye, it was nice."), abs=0.02
            )
            assert over_s < call.line.done[0][0] - call.line.takes_s <= over_s + 2.1

    play(call())


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("said_s", [0.5, 5.0, 9.0])
def test_the_first_words_spoken_before_the_ai_was_there_reach_it_whole(
    said_s: float, heavy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoudVad, "heavy", heavy)
    turns: list[UserTurn] = []

    class Hearing(ActingBrain):
        async def hear(self, turn: UserTurn) -> str:
            turns.append(turn)
            return "hello"

    async def call() -> None:
        brain = Hearing(lambda cue: (Say("Yes."),) if isinstance(cue, UserSaid) else ())
        settings = replace(SETTINGS, first_speaker=UserFirst())
        async with phone(brain, settings, joined=False) as call:
            await call.carrier.quiet(0.3)
            await call.carrier.tone(said_s)
            await call.join()
            await call.carrier.quiet(3)

            [turn] = turns
            assert turn.samples.size / 16_000 == pytest.approx(said_s, abs=1.1)
            loud = np.abs(turn.samples.astype(np.int32)) > 1_000
            first, last = np.flatnonzero(loud)[[0, -1]]
            assert (last - first) / 16_000 == pytest.approx(said_s, abs=0.05)
            figures = call.leg.figures
            assert figures.preroll_ms == pytest.approx(1000 * (said_s + 0.3), abs=25)
            assert figures.caller_audio_lost_ms == 0
            assert call.carrier.heard_s == pytest.approx(spoken_s("Yes."), abs=0.02)

    play(call())


@pytest.mark.parametrize("way_s", [0.0, 0.1])
@pytest.mark.parametrize("buffer_ms", [60, 30_000])
def test_an_interruption_silences_the_carrier_and_the_ledger_knows_what_the_ear_heard(
    buffer_ms: int, way_s: float
) -> None:
    async def call() -> None:
        settings = replace(SETTINGS, medium=replace(MEDIUM, client_buffer_ms=buffer_ms))
        async with phone(acting(Say(WORDS)), settings, way_s=way_s) as call:
            await call.carrier.quiet(2)
            onset_s = call.carrier.now
            await call.carrier.tone(1)
            await call.carrier.quiet(1)

            [cleared_s] = call.carrier.clears
            assert cleared_s - onset_s < 0.2 + 2 * way_s
            silent = call.carrier.ear(cleared_s, cleared_s + 1)
            assert not silent.any()
            assert call.relay is not None
            heard = call.relay.downlink.ledger.heard(call.carrier.now)
            played = heard.played_acknowledged + heard.played_interpolated
            assert played / RATE_HZ == pytest.approx(call.carrier.heard_s, abs=way_s + 0.001)
            assert heard.flushed > 0
            assert heard.ahead == 0

            [note] = call.leg.figures.interruptions
            assert note.overrun_ms == pytest.approx(
                1000 * (cleared_s - onset_s), abs=1000 * way_s * 2 + 50
            )
            assert WORDS.startswith(note.heard_text)
            letters_s = call.carrier.heard_s
            assert spoken_s(note.heard_text) == pytest.approx(letters_s, abs=0.5 + way_s)
            [(_, text), *_] = call.finals
            assert text is not None
            assert text.startswith(note.heard_text)

    play(call())


def test_after_an_interruption_the_next_word_is_heard_at_once() -> None:
    async def call() -> None:
        async with phone(acting(Say(WORDS), then=(Say("Sorry."),))) as call:
            await call.carrier.quiet(1)
            await call.carrier.tone(1)
            await call.carrier.quiet(3)

            [cleared_s] = call.carrier.clears
            after = [at for at, _ in call.carrier.played if at > cleared_s]
            lane = call.relay.downlink if call.relay else None
            assert lane is not None
            assert after
            assert lane.ledger.heard(call.carrier.now).ahead == 0
            assert call.carrier.ear(after[0], after[0] + spoken_s("Sorry.")).any()

    play(call())


def test_keys_reach_the_agent_as_a_text() -> None:
    async def call() -> None:
        brain = acting(Say("Press a key."), then=(Say("Pressed."),))
        async with phone(brain) as call:
            await call.carrier.quiet(2)
            call.carrier.press("4")
            call.carrier.press("#")
            await call.carrier.quiet(3)

            assert [cue.text for cue in brain.cues if isinstance(cue, UserSaid)] == ["4#"]
            assert ("agent", "Pressed.") in call.finals

    play(call())


def test_a_caller_who_hangs_up_ends_the_call_and_is_not_hung_up_again() -> None:
    async def call() -> None:
        async with phone(acting(Say(WORDS))) as call:
            await call.carrier.quiet(1)
            call.carrier.stop()
            ended = await call.end()
            record = await call.world.ended(call.record)

            assert ended.reason == "hangup"
            assert call.line.acts == []
            assert record.ended is not None

    play(call())


def test_a_carrier_that_closes_without_a_stop_ends_the_call_too() -> None:
    async def call() -> None:
        async with phone(acting(Say(WORDS))) as call:
            await call.carrier.quiet(1)
            call.carrier.socket.close(1000)

            assert (await call.end()).reason == "hangup"

    play(call())


def test_when_the_ai_is_lost_the_caller_hears_a_recording_on_the_same_socket() -> None:
    async def call() -> None:
        async with phone(acting(Say(WORDS))) as call:
            talk = asyncio.create_task(call.carrier.quiet(10))
            await asyncio.sleep(2)
            assert call.done is not None
            call.done.cancel()
            await asyncio.gather(call.done, return_exceptions=True)
            before_s = call.carrier.heard_s
            at = np.arange(2 * RATE_HZ)
            sorry = (6_000 * np.sin(2 * np.pi * 440 * at / RATE_HZ)).astype(np.int16)
            call.connect(PromptLeg(sorry, RATE_HZ))
            ended = await call.end()
            talk.cancel()

            assert ended.reason == "agent_hangup"
            assert call.carrier.heard_s - before_s == pytest.approx(2.0, abs=0.31)
            assert call.leg.figures.caller_audio_lost_ms == 0
            assert call.line.acts == ["hang up"]
            assert call.carrier.closed is not None

    play(call())


# Stalls


def echoing() -> CallSettings:
    return replace(SETTINGS, first_speaker=UserFirst())


async def delay_of_a_burst(call: Phone) -> float:
    """How much later the caller hears a burst of a tone that it says now, s."""
    await call.carrier.quiet(0.3)
    said_s = call.carrier.now
    await call.carrier.tone(0.1, hz=1_000)
    await call.carrier.quiet(0.6)
    heard = call.carrier.ear(said_s, call.carrier.now)
    [span, *_] = audible_spans(heard, RATE_HZ)
    return span.start / RATE_HZ


def test_the_echo_of_a_live_agent_adds_next_to_nothing() -> None:
    async def call() -> None:
        async with phone(EchoBrain(RATE_HZ), echoing()) as call:
            await call.carrier.quiet(1)

            assert await delay_of_a_burst(call) < 0.06

    play(call())


@pytest.mark.parametrize("stall_s", [3.0, 10.0])
def test_three_seconds_after_a_long_stall_the_added_delay_is_under_200_ms(stall_s: float) -> None:
    async def call() -> None:
        async with phone(EchoBrain(RATE_HZ), echoing()) as call:
            await call.carrier.tone(1, hz=500)
            call.carrier.stall(stall_s)
            await call.carrier.tone(stall_s, hz=500)
            await call.carrier.quiet(2)

            assert await delay_of_a_burst(call) < 0.2
            assert call.leg.figures.caller_audio_lost_ms == pytest.approx(1000 * stall_s, abs=100)
            call.carrier.stop()
            assert (await call.end()).reason == "hangup"

    play(call())


def test_a_stall_of_less_than_two_seconds_loses_nothing_but_silence() -> None:
    async def call() -> None:
        async with phone(EchoBrain(RATE_HZ), echoing()) as call:
            await call.carrier.tone(1, hz=500)
            call.carrier.stall(1.8)
            await call.carrier.tone(3, hz=500)
            await call.carrier.quiet(4)

            assert call.leg.figures.caller_audio_lost_ms == 0
            heard = call.carrier.ear(0.0, call.carrier.now)
            spans = audible_spans(heard, RATE_HZ)
            audible_s = sum(span.end - span.start for span in spans) / RATE_HZ
            assert audible_s == pytest.approx(4.0, abs=0.05)

    play(call())


@pytest.mark.parametrize("stall_s", [0.8, 4.0])
def test_a_monologue_through_a_stall_is_heard_whole_and_the_ledger_learns_of_the_delay(
    stall_s: float,
) -> None:
    async def call() -> None:
        settings = replace(SETTINGS, medium=replace(MEDIUM, client_buffer_ms=30_000))
        async with phone(acting(Say(f"{WORDS} {WORDS}")), settings, way_s=0.05) as call:
            talk = asyncio.create_task(call.carrier.quiet(30))
            await asyncio.sleep(2)
            call.carrier.stall(stall_s)
            await asyncio.sleep(stall_s + 1.0)
            assert call.relay is not None
            ledger = call.relay.downlink.ledger
            for _ in range(10):
                await asyncio.sleep(0.2)
                played_s = ledger.played(call.carrier.now) / RATE_HZ
                assert played_s == pytest.approx(call.carrier.heard_s, abs=0.2)
            await asyncio.sleep(10)
            talk.cancel()

            assert call.carrier.heard_s == pytest.approx(2 * spoken_s(WORDS), abs=0.02)

    play(call())


def test_a_goodbye_in_a_stall_is_hung_up_though_nothing_comes_back() -> None:
    async def call() -> None:
        brain = acting(Say("Hello there."), then=(HangUp("Goodbye."),))
        async with phone(brain) as call:
            await call.carrier.quiet(1)
            await call.carrier.tone(1)
            await call.carrier.quiet(0.7)
            call.carrier.stall(60)
            ended = await call.end()

            assert ended.reason == "agent_hangup"
            assert call.line.acts == ["hang up"]
            assert call.carrier.now < 8

    play(call())
