import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.brains.base import SpeechChunk
from bridge.legs.brain.mouth import HIGH_WATER_MS, Mouth
from bridge.virtual import run_virtual
from tests.fakes.brain_parts import play, words

TEXT = "one two three"  # 180, 180, 300 ms


class Ear:
    """A mouth over a lane that somebody plays, and when each word was shown."""

    def __init__(self, *, lane_hz: int = 8_000, speech_hz: int = 8_000) -> None:
        self.loop = asyncio.get_running_loop()
        self.lane = Lane(lane_hz, 32_000, "drop_newest", source_hz=speech_hz)
        self.shown: list[tuple[float, str]] = []
        self.mouth = Mouth(self.lane, speech_hz, self.show)
        self.player = asyncio.create_task(play(self.lane))

    def show(self, text: str) -> None:
        self.shown.append((round(self.loop.time(), 3), text))

    async def end(self) -> None:
        self.player.cancel()
        await asyncio.wait((self.player,))

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.shown)


@pytest.mark.parametrize(
    ("lane_hz", "speech_hz"), [(8_000, 8_000), (8_000, 16_000), (8_000, 22_050), (48_000, 16_000)]
)
def test_each_word_is_shown_when_its_first_sample_is_played(lane_hz: int, speech_hz: int) -> None:
    async def call() -> None:
        ear = Ear(lane_hz=lane_hz, speech_hz=speech_hz)
        await asyncio.sleep(0.1)
        await ear.mouth.say(words(TEXT, speech_hz))

        begins = [at for at, _ in ear.shown]
        assert [text for _, text in ear.shown] == ["one", " two", " three"]
        assert begins == pytest.approx([0.1, 0.28, 0.46], abs=0.021)
        await ear.end()

    run_virtual(call())


def test_it_returns_when_the_last_sample_is_played_not_when_it_is_sent() -> None:
    async def call() -> None:
        ear = Ear()
        ear.player.cancel()
        await asyncio.sleep(0)
        saying = asyncio.create_task(ear.mouth.say(words(TEXT)))
        await asyncio.sleep(0.1)
        ear.lane.pull(5_280)  # all of it, sent at once
        ear.lane.ledger.sent(5_280, ear.loop.time())
        await saying

        assert ear.loop.time() == pytest.approx(0.1 + 0.66, abs=0.03)
        assert [at for at, _ in ear.shown] == pytest.approx([0.1, 0.28, 0.46], abs=0.021)

    run_virtual(call())


def test_words_of_a_far_end_that_plays_late_are_shown_late() -> None:
    async def call() -> None:
        ear = Ear()
        ear.player.cancel()
        saying = asyncio.create_task(ear.mouth.say(words(TEXT)))
        await asyncio.sleep(3)
        assert ear.shown == []
        ear.player = asyncio.create_task(play(ear.lane))
        await saying

        assert ear.shown[0][0] == pytest.approx(3.0, abs=0.03)
        assert ear.text == TEXT
        await ear.end()

    run_virtual(call())


async def with_pause(between_s: float) -> AsyncIterator[SpeechChunk]:
    """Two words of 180 ms with a pause between them."""
    yield SpeechChunk(np.full(1_440, 5_000, np.int16), "one")
    yield SpeechChunk(np.zeros(round(8_000 * between_s), np.int16), "")
    yield SpeechChunk(np.full(1_440, 5_000, np.int16), " two")


def leave_out(lane: Lane, seconds: float) -> None:
    """What a sink does that works off a delay."""
    n_samples = lane.pull(round(8_000 * seconds)).size
    assert lane.on_left_out is not None
    lane.on_left_out(n_samples)


@pytest.mark.parametrize("at_s", [0.03, 0.31, 1.91])
def test_after_a_pause_that_was_shortened_words_and_end_come_as_much_sooner(at_s: float) -> None:
    async def call() -> None:
        ear = Ear()
        saying = asyncio.create_task(ear.mouth.say(with_pause(3.0)))
        await asyncio.sleep(at_s)
        n_left_out = 1_000 if at_s < 0.18 else 8_000
        leave_out(ear.lane, n_left_out / 8_000)
        await asyncio.wait_for(saying, timeout=10)

        (one_s, one), (two_s, two) = ear.shown
        assert (one, two) == ("one", " two")
        assert two_s - one_s == pytest.approx(3.18 - n_left_out / 8_000, abs=0.021)
        assert ear.loop.time() - two_s == pytest.approx(0.18, abs=0.021)
        await ear.end()

    run_virtual(call())


def test_words_that_are_made_after_a_pause_was_shortened_are_shown_when_they_are_played() -> None:
    async def slowly() -> AsyncIterator[SpeechChunk]:
        async for chunk in with_pause(3.0):
            yield chunk
            await asyncio.sleep(0.2)

    async def call() -> None:
        ear = Ear()
        saying = asyncio.create_task(ear.mouth.say(slowly()))
        await asyncio.sleep(0.31)  # the last word is not made yet
        leave_out(ear.lane, 2.0)
        await asyncio.wait_for(saying, timeout=10)

        (one_s, _), (two_s, _) = ear.shown
        assert two_s - one_s == pytest.approx(1.18, abs=0.021)
        assert ear.loop.time() - two_s == pytest.approx(0.18, abs=0.021)
        await ear.end()

    run_virtual(call())


def test_a_cut_behind_a_pause_that_was_shortened_shows_what_was_heard() -> None:
    async def call() -> None:
        ear = Ear()
        saying = asyncio.create_task(ear.mouth.say(with_pause(3.0)))
        await asyncio.sleep(0.31)
        leave_out(ear.lane, 2.0)
        await asyncio.sleep(0.95)
        ear.lane.clear()
        ear.lane.ledger.flush(ear.loop.time())
        ear.mouth.cut()
        saying.cancel()

        assert ear.text == "one two"
        await ear.end()

    run_virtual(call())


def test_an_utterance_that_ends_in_a_pause_that_is_left_out_is_over() -> None:
    async def call() -> None:
        ear = Ear()
        ear.player.cancel()
        await asyncio.sleep(0)
        saying = asyncio.create_task(ear.mouth.say(words("one", 8_000)))
        await asyncio.sleep(0.1)
        leave_out(ear.lane, 0.18)
        await asyncio.wait_for(saying, timeout=10)

        assert ear.text == "one"
        assert ear.loop.time() < 0.3

    run_virtual(call())


def test_a_cut_shows_what_was_heard_by_now_and_nothing_later() -> None:
    async def call() -> None:
        ear = Ear()
        saying = asyncio.create_task(ear.mouth.say(words(TEXT)))
        await asyncio.sleep(0.3)
        ear.lane.clear()
        ear.lane.ledger.flush(ear.loop.time())
        ear.mouth.cut()
        saying.cancel()
        await asyncio.sleep(5)

        assert ear.text == "one two"
        await ear.end()

    run_virtual(call())


def test_a_cut_before_the_first_sample_shows_nothing() -> None:
    async def call() -> None:
        ear = Ear()
        ear.player.cancel()
        saying = asyncio.create_task(ear.mouth.say(words(TEXT)))
        await asyncio.sleep(0.3)
        ear.lane.clear()
        ear.mouth.cut()
        saying.cancel()
        await asyncio.sleep(5)

        assert ear.shown == []

    run_virtual(call())


def test_after_a_cut_nothing_of_it_wakes_the_loop_any_more() -> None:
    async def call() -> None:
        ear = Ear()
        ear.player.cancel()
        saying = asyncio.create_task(ear.mouth.say(words(TEXT)))
        await asyncio.sleep(0.1)
        ear.mouth.cut()
        saying.cancel()
        await asyncio.wait((saying,))

        assert ear.mouth._timer is None

    run_virtual(call())


def test_speech_made_faster_than_real_time_rests_while_ten_seconds_wait() -> None:
    async def call() -> None:
        ear = Ear()
        deepest = 0.0

        async def fast() -> AsyncIterator[SpeechChunk]:
            nonlocal deepest
            for _ in range(300):
                yield SpeechChunk(np.ones(800, np.int16), " x")
                deepest = max(deepest, ear.lane.depth_ms)

        await ear.mouth.say(fast())
        assert HIGH_WATER_MS - 200 <= deepest <= HIGH_WATER_MS + 100
        assert ear.lane.stats.dropped == 0
        assert ear.loop.time() == pytest.approx(30, abs=0.1)
        await ear.end()

    run_virtual(call())


def test_speech_without_samples_shows_its_words_at_the_end() -> None:
    async def call() -> None:
        ear = Ear()

        async def mute() -> AsyncIterator[SpeechChunk]:
            yield SpeechChunk(np.zeros(0, np.int16), "silent")

        await ear.mouth.say(mute())
        assert ear.text == "silent"
        await ear.end()

    run_virtual(call())


def test_a_hole_within_an_utterance_is_an_underrun_and_the_pause_between_two_is_none() -> None:
    async def call() -> None:
        ear = Ear()
        await ear.mouth.say(words(TEXT))
        await asyncio.sleep(1)
        await ear.mouth.say(words(TEXT))
        assert ear.lane.ledger.gaps.underruns == 0

        async def halting() -> AsyncIterator[SpeechChunk]:
            yield SpeechChunk(np.ones(1_600, np.int16), "well")
            await asyncio.sleep(1)
            yield SpeechChunk(np.ones(1_600, np.int16), " now")

        await ear.mouth.say(halting())
        assert ear.lane.ledger.gaps.underruns == 1
        assert ear.lane.ledger.gaps.underrun_ms == pytest.approx(800, abs=41)
        await ear.end()

    run_virtual(call())
