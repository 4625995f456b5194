import asyncio
import threading

import numpy as np
import pytest

from bridge.audio.endpoint import VadSettings
from bridge.audio.lane import Lane
from bridge.brains.base import HEAR_HZ, UserTurn
from bridge.legs.brain.hearing import Hearing
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.fakes.call_world import LoudVad

CHUNK = 512


class Ears:
    """A hearing over a lane; writes down what it says."""

    def __init__(self, vad: LoudVad | None = None, settings: VadSettings | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.lane = Lane(HEAR_HZ, 2_000, "drop_oldest")
        self.vad = vad or LoudVad()
        self.interruptible = False
        self.said: list[str] = []
        self.turns: list[UserTurn] = []
        self.errors: list[Exception] = []
        self.at: dict[str, float] = {}
        self.hearing = Hearing(self.lane, self.vad, settings or VadSettings(), self)
        self.hearing.start()

    def note(self, what: str) -> None:
        self.said.append(what)
        self.at[what] = self.loop.time()

    def speech_started(self) -> None:
        self.note("started")

    def speech_stopped(self) -> None:
        self.note("stopped")

    def interrupted(self) -> None:
        self.note("interrupted")

    def turn_ended(self, turn: UserTurn) -> None:
        self.note("turn")
        self.turns.append(turn)

    def failed(self, error: Exception) -> None:
        self.note("failed")
        self.errors.append(error)

    async def feed(self, ms: float, level: int, *, frame_ms: int = 20) -> None:
        for _ in range(round(ms / frame_ms)):
            self.lane.push(np.full(HEAR_HZ * frame_ms // 1000, level, np.int16))
            await asyncio.sleep(frame_ms / 1000)


def test_a_turn_holds_its_speech_and_a_little_before_it() -> None:
    async def call() -> None:
        ears = Ears()
        await ears.feed(1_000, 0)
        await ears.feed(1_000, 9_000)
        await ears.feed(1_000, 0)

        assert ears.said == ["started", "stopped", "turn"]
        [turn] = ears.turns
        assert turn.start_ms == pytest.approx(1_000, abs=32)
        assert turn.end_ms == pytest.approx(2_000, abs=32)
        loud = np.flatnonzero(turn.samples)
        assert loud[0] / HEAR_HZ == pytest.approx(0.3, abs=0.033)
        assert loud.size == pytest.approx(HEAR_HZ, abs=CHUNK)
        assert ears.at["turn"] == pytest.approx(2.0 + 0.384, abs=0.06)
        ears.hearing.stop()

    run_virtual(call())


def test_a_breath_ends_no_turn() -> None:
    async def call() -> None:
        ears = Ears()
        await ears.feed(500, 9_000)
        await ears.feed(200, 0)
        await ears.feed(500, 9_000)
        await ears.feed(500, 0)

        assert ears.said == ["started", "stopped", "started", "stopped", "turn"]
        ears.hearing.stop()

    run_virtual(call())


def test_speech_over_an_interruptible_agent_interrupts_after_90_ms_and_once() -> None:
    async def call() -> None:
        ears = Ears()
        ears.interruptible = True
        await ears.feed(1_000, 9_000)

        assert ears.said == ["started", "interrupted"]
        assert ears.at["interrupted"] == pytest.approx(0.096, abs=0.02)
        ears.hearing.stop()

    run_virtual(call())


def test_a_turn_under_the_minimum_is_ignored() -> None:
    async def call() -> None:
        ears = Ears(settings=VadSettings(minimum_turn_duration_ms=500))
        await ears.feed(300, 9_000)
        await ears.feed(600, 0)
        assert ears.said == ["started", "stopped"]
        await ears.feed(600, 9_000)
        await ears.feed(600, 0)
        assert ears.said[2:] == ["started", "stopped", "turn"]
        ears.hearing.stop()

    run_virtual(call())


def test_of_a_long_turn_the_last_thirty_seconds_are_kept() -> None:
    async def call() -> None:
        ears = Ears()
        await ears.feed(40_000, 9_000, frame_ms=100)
        await ears.feed(1_000, 0)

        [turn] = ears.turns
        assert turn.samples.size == pytest.approx(30 * HEAR_HZ, abs=2 * CHUNK)
        ears.hearing.stop()

    run_virtual(call())


def test_a_client_that_falls_silent_in_mid_turn_has_its_turn_closed_after_two_seconds() -> None:
    async def call() -> None:
        ears = Ears()
        await ears.feed(500, 9_000)
        await asyncio.sleep(1.9)
        assert ears.said == ["started"]
        await asyncio.sleep(2.2)

        assert ears.said == ["started", "stopped", "turn"]
        ears.hearing.stop()

    run_virtual(call())


def test_a_long_endpoint_delay_is_waited_for_even_when_no_audio_comes() -> None:
    async def call() -> None:
        ears = Ears(settings=VadSettings(turn_endpoint_delay_ms=60_000))
        await ears.feed(500, 9_000)
        await asyncio.sleep(58)
        assert "turn" not in ears.said
        await asyncio.sleep(5)

        assert ears.said == ["started", "stopped", "turn"]
        ears.hearing.stop()

    run_virtual(call())


def test_a_stopped_hearing_hears_nothing_sets_no_timer_and_gives_its_detector_back_once() -> None:
    async def call() -> None:
        closes: list[int] = []
        vad = LoudVad()
        vad.close = lambda: closes.append(1)  # type: ignore[method-assign]
        ears = Ears(vad)
        await ears.feed(200, 9_000)
        ears.hearing.stop()
        ears.hearing.stop()
        await ears.feed(200, 0)
        await asyncio.sleep(10)

        assert ears.said == ["started"]
        assert closes == [1]

    run_virtual(call())


class Broken(LoudVad):
    def probabilities(self, samples: Int16) -> list[float]:
        raise ValueError("no model")


class HeavyBroken(Broken):
    heavy = True


@pytest.mark.parametrize("vad", [Broken(), HeavyBroken()])
def test_a_detector_that_fails_is_told_once_and_harms_no_source(vad: LoudVad) -> None:
    async def call() -> None:
        ears = Ears(vad)
        await ears.feed(500, 9_000)

        assert ears.said == ["failed"]
        assert isinstance(ears.errors[0], ValueError)

    run_virtual(call())


class Heavy(LoudVad):
    """Works in a thread, where it notes whose thread it was."""

    heavy = True

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.busy = 0
        self.most_busy = 0
        self.closed = 0

    def probabilities(self, samples: Int16) -> list[float]:
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        self.threads.add(threading.get_ident())
        try:
            return super().probabilities(samples)
        finally:
            self.busy -= 1

    def close(self) -> None:
        assert not self.busy
        self.closed += 1


async def test_a_heavy_detector_works_off_the_loop_one_job_at_a_time_and_in_order() -> None:
    vad = Heavy()
    ears = Ears(vad)
    for level in (0, 9_000, 0):
        for _ in range(20):
            ears.lane.push(np.full(CHUNK, level, np.int16))
            await asyncio.sleep(0)
    for _ in range(200):
        if "turn" in ears.said:
            break
        await asyncio.sleep(0.005)
    ears.hearing.stop()
    for _ in range(200):
        if vad.closed:
            break
        await asyncio.sleep(0.005)

    assert ears.said == ["started", "stopped", "turn"]
    assert threading.get_ident() not in vad.threads
    assert vad.most_busy == 1
    assert vad.closed == 1
