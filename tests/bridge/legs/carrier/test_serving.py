import asyncio
from collections.abc import Coroutine

import pytest

from bridge.audio.lane import Lane
from bridge.legs.base import MessageEvent
from bridge.legs.carrier.dtmf import DtmfHandling
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.serving import INTERRUPTIONS_KEPT
from bridge.stats import DURATION_S, Histogram
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import Traits
from bridge.wire.messages import CallEvent, State, Transcript
from tests.bridge.legs.carrier.plain_call import PlainCall, noise, opened_call, running_call
from tests.fakes.legs import hand_port


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def spoken(text: str | None = None, delta: str | None = None, ordinal: int = 0) -> MessageEvent:
    return MessageEvent(
        Transcript(role="agent", text=text, delta=delta, final=False, ordinal=ordinal)
    )


# Interruptions


def test_an_interruption_says_what_was_heard_and_how_long_the_agent_went_on() -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(2, level=20))
        began = call.now
        call.leg.receive(MessageEvent(State(state="speaking")))
        call.speak(5)
        for second, word in enumerate(("One", " two", " three")):
            words = spoken(delta=word) if second else spoken(text=word)
            asyncio.get_running_loop().call_later(second * 0.6, call.leg.receive, words)
        await call.hear_live(noise(0.8, level=20))
        await call.hear_live(noise(0.3))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.at_s == pytest.approx(call.now)
        assert (note.heard_text, note.unheard_text) == ("One two", "")
        assert note.unheard_ms == pytest.approx(5_000 - 1000 * (call.now - began), abs=1)
        assert note.overrun_ms == pytest.approx(300, abs=40)
        await call.over()

    run(call())


async def heard_less_than_was_shown() -> PlainCall:
    """A call whose agent has shown "One two" and whose caller, behind a full carrier, has heard "One"."""
    call = await running_call()
    call.say("full")
    call.leg.receive(MessageEvent(State(state="speaking")))
    call.speak(5)
    call.leg.receive(spoken(text="One"))
    await asyncio.sleep(0.6)
    call.leg.receive(spoken(delta=" two"))
    call.say("room")
    await asyncio.sleep(0.3)
    return call


def test_a_word_that_the_agent_believes_spoken_and_the_caller_did_not_hear_is_unheard() -> None:
    async def call() -> None:
        call = await heard_less_than_was_shown()
        call.clear()

        [note] = call.leg.figures.interruptions
        assert (note.heard_text, note.unheard_text, note.overrun_ms) == ("One", "two", None)
        await call.over()

    run(call())


def interrupted(heard: object, unheard: object) -> MessageEvent:
    extras = {"heardText": heard, "unheardText": unheard, "ordinal": 0}
    return MessageEvent(CallEvent(event_type="agent_interrupted", extras=extras))


@pytest.mark.parametrize(
    ("told", "unheard"),
    [
        ((" One", " two three four."), "two three four."),  # it believed the same words heard
        (("One two three", " four."), "two three four."),  # it believed more heard than was
        (("", "One two three four."), "two three four."),
        (("Another", " message."), "two"),
        ((1, None), "two"),
    ],
)
def test_the_ai_side_tells_what_the_agent_would_have_gone_on_to_say(
    told: tuple[object, object], unheard: str
) -> None:
    async def call() -> None:
        call = await heard_less_than_was_shown()
        call.leg.receive(interrupted("One", " is of another time."))
        call.clear()
        call.leg.receive(interrupted(*told))
        call.leg.receive(interrupted("One", " comes late."))

        [note] = call.leg.figures.interruptions
        assert (note.heard_text, note.unheard_text) == ("One", unheard)
        await call.over()

    run(call())


def test_a_carrier_without_a_clear_goes_on_until_it_has_played_what_it_has() -> None:
    async def call() -> None:
        traits = Traits(name="audiosocket", marks="none", clears=False, ahead_ms=200)
        call = await running_call(traits)
        await call.hear_live(noise(2, level=20))
        call.speak(5)
        await call.hear_live(noise(0.5))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.overrun_ms == pytest.approx(700, abs=50)
        assert note.unheard_ms == pytest.approx(5_000 - 500 - 200, abs=30)
        await call.over()

    run(call())


def test_a_caller_who_had_finished_before_the_agent_began_did_not_interrupt() -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(2, level=20))
        await call.hear_live(noise(0.5))
        await call.hear_live(noise(0.1, level=20))
        call.speak(5)
        await call.hear_live(noise(0.2, level=20))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.overrun_ms is None
        await call.over()

    run(call())


def test_who_speaks_on_while_the_agent_begins_is_spoken_over_from_there() -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(2, level=20))
        await call.hear_live(noise(0.5))
        call.speak(5)
        await call.hear_live(noise(0.3))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.overrun_ms == pytest.approx(300, abs=30)
        await call.over()

    run(call())


def test_a_hole_in_the_agents_speech_is_no_new_beginning_and_a_pause_is() -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(2, level=20))
        call.speak(0.4, end=False)
        await call.hear_live(noise(0.3, level=20))
        await call.hear_live(noise(0.3))
        call.speak(5)
        await call.hear_live(noise(0.2))
        call.clear()
        call.speak(5)
        await call.hear_live(noise(0.2))
        call.clear()

        hole, anew = call.leg.figures.interruptions
        assert hole.overrun_ms == pytest.approx(500, abs=40)
        assert anew.overrun_ms == pytest.approx(200, abs=30)
        await call.over()

    run(call())


@pytest.mark.parametrize(
    ("pressed_ago_s", "overrun_ms"), [(0.6, 600), (0.98, 980), (1.02, None), (2.5, None)]
)
def test_a_key_that_interrupts_counts_from_when_it_was_pressed(
    pressed_ago_s: float, overrun_ms: float | None
) -> None:
    async def call() -> None:
        call = await running_call()
        await call.hear_live(noise(2, level=20))
        await call.hear_live(noise(0.5))
        await call.hear_live(noise(0.6, level=20))
        call.speak(8)
        await call.hear_live(noise(0.5, level=20))
        call.say("digit 1")
        await call.hear_live(noise(pressed_ago_s, level=20))
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.overrun_ms == (None if overrun_ms is None else pytest.approx(overrun_ms, abs=1))
        await call.over()

    run(call())


def test_a_key_that_nobody_is_told_of_interrupts_nobody() -> None:
    async def call() -> None:
        call = await running_call(dtmf=DtmfHandling(ignore=True))
        call.speak(5)
        call.say("digit 1")
        await asyncio.sleep(0.6)
        call.clear()

        [note] = call.leg.figures.interruptions
        assert note.overrun_ms is None
        await call.over()

    run(call())


def test_a_clear_when_nobody_speaks_is_no_interruption() -> None:
    async def call() -> None:
        latency = Histogram(DURATION_S)
        call = await running_call(figures=CarrierFigures(clear_latency=latency))
        call.speak(0.1)
        await asyncio.sleep(1)
        call.clear()

        assert call.leg.figures.interruptions == []
        assert call.leg.figures.clears == latency.n == 1
        await call.over()

    run(call())


def test_interruptions_without_end_cost_bounded_memory() -> None:
    async def call() -> None:
        call = await running_call()
        for _ in range(INTERRUPTIONS_KEPT + 5):
            call.speak(0.1)
            call.clear()

        assert len(call.leg.figures.interruptions) == INTERRUPTIONS_KEPT
        await call.over()

    run(call())


# Figures


def test_what_lanes_lost_is_counted_while_the_call_goes_on_and_once_only() -> None:
    async def call() -> None:
        call = await opened_call()
        ends = hand_port()
        ends.outgoing = Lane(8_000, 100, "drop_oldest")
        ends.incoming = Lane(8_000, 100, "drop_newest")
        call.run(ends)
        await asyncio.sleep(0)
        call.hear(noise(0.15))
        call.say("full")
        call.speak(0.2)

        for _ in range(2):
            assert call.leg.figures.caller_audio_lost_ms == pytest.approx(50)
            assert call.leg.figures.overruns == 1
        await call.over()
        assert call.leg.figures.caller_audio_lost_ms == pytest.approx(50)

    run(call())


def test_the_first_audio_of_the_agent_is_timed_from_the_start_of_the_stream() -> None:
    async def call() -> None:
        call = await opened_call()
        await asyncio.sleep(1)
        call.run()
        await asyncio.sleep(0.5)
        assert call.leg.figures.first_agent_audio_s is None
        call.speak(0.1)
        await asyncio.sleep(1)
        call.speak(0.1)

        assert call.leg.figures.first_agent_audio_s == pytest.approx(1.5)
        await call.over()

    run(call())
