import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.intake import KEPT_MAX_S, LOOK_S, OLD_S, TRIM_EVERY, Intake
from bridge.legs.carrier.onset import KEPT_S
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import MediaFormat
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def spoken(seconds: float, start: float = 0.0) -> Int16:
    """Samples that tell their own place, to 2 ms."""
    places = np.arange(round(start * RATE_HZ), round((start + seconds) * RATE_HZ)) // 16
    return places.astype(np.int16)


def place_s(sample: int) -> float:
    return int(sample) * 16 / RATE_HZ


@dataclass
class Line:
    """A caller's line into an intake, and what came out at the other end."""

    intake: Intake
    figures: CarrierFigures
    lane: Lane
    came: list[tuple[float, Int16]] = field(default_factory=list)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def open(self) -> None:
        self.lane.on_ready = self._take
        self.intake.open(self.lane)

    def _take(self) -> None:
        self.came.append((self.now, self.lane.pull(self.lane.depth_samples)))

    def burst(self, samples: Int16, frame_ms: int = 20) -> None:
        frame = RATE_HZ * frame_ms // 1000
        for begin in range(0, samples.size, frame):
            self.intake.hear(samples[begin : begin + frame].tobytes(), self.now)

    async def live(self, samples: Int16, frame_ms: int = 20) -> None:
        frame = RATE_HZ * frame_ms // 1000
        for begin in range(0, samples.size, frame):
            self.intake.hear(samples[begin : begin + frame].tobytes(), self.now)
            await asyncio.sleep(frame_ms / 1000)

    @property
    def heard(self) -> Int16:
        return np.concatenate([samples for _, samples in self.came] or [spoken(0)])

    @property
    def lost_ms(self) -> float:
        return self.figures.caller_audio_lost_ms


def line(*, is_open: bool = True) -> Line:
    figures = CarrierFigures()
    made = Line(
        Intake(MediaFormat("l16le", RATE_HZ), figures),
        figures,
        Lane(RATE_HZ, 2_000, "drop_oldest", opening_ms=12_000),
    )
    if is_open:
        made.open()
    return made


def test_live_audio_goes_through_at_once() -> None:
    async def call() -> None:
        caller = line()
        await asyncio.sleep(0.01)
        await caller.live(spoken(1))

        assert np.array_equal(caller.heard, spoken(1))
        assert [at for at, _ in caller.came] == pytest.approx([0.01 + k * 0.02 for k in range(50)])
        assert (caller.lost_ms, caller.figures.frames_in) == (0, 50)

    run(call())


def test_what_cannot_be_decoded_is_ignored_and_counted() -> None:
    async def call() -> None:
        caller = line()
        caller.intake.hear(b"odd", 0.0)

        assert caller.figures.ignored["bad"] == 1
        assert caller.figures.frames_in == 0

    run(call())


# Before somebody is there


def test_what_was_said_before_comes_first_at_once_and_whole_and_live_time_is_not_shifted() -> None:
    async def call() -> None:
        caller = line(is_open=False)
        await caller.live(spoken(5))
        opened = caller.now
        caller.open()
        await caller.live(spoken(1, start=5))

        assert np.array_equal(caller.heard, spoken(6))
        before = [at for at, samples in caller.came][: 5 * 50]
        assert set(before) == {opened}
        assert caller.came[-1][0] == pytest.approx(opened + 0.98)
        assert caller.figures.preroll_ms == pytest.approx(5_020)
        assert caller.lost_ms == 0

    run(call())


@pytest.mark.parametrize(
    ("said_s", "lost_ms"), [(KEPT_MAX_S, 0), (KEPT_MAX_S + 0.02, 20), (12.0, 2_000)]
)
def test_ten_seconds_are_kept_and_the_newest_give_way(said_s: float, lost_ms: float) -> None:
    async def call() -> None:
        caller = line(is_open=False)
        await caller.live(spoken(said_s))
        caller.open()
        await asyncio.sleep(0.01)

        assert np.array_equal(caller.heard, spoken(KEPT_MAX_S))
        assert caller.lost_ms == pytest.approx(lost_ms)

    run(call())


def test_between_two_agents_the_caller_is_kept_for_the_second() -> None:
    async def call() -> None:
        caller = line()
        await caller.live(spoken(1))
        caller.intake.shut()
        await caller.live(spoken(1, start=1))
        assert caller.heard.size == RATE_HZ
        caller.lane = Lane(RATE_HZ, 2_000, "drop_oldest")
        caller.open()
        await caller.live(spoken(1, start=2))

        assert np.array_equal(caller.heard, spoken(3))

    run(call())


def test_an_agent_that_is_gone_before_it_could_take_leaves_all_for_the_next() -> None:
    async def call() -> None:
        caller = line(is_open=False)
        caller.burst(spoken(1))
        caller.open()
        caller.intake.shut()
        await asyncio.sleep(0.01)
        assert caller.heard.size == 0
        caller.open()
        await asyncio.sleep(0.01)

        assert np.array_equal(caller.heard, spoken(1))

    run(call())


def test_a_caller_who_is_gone_is_kept_no_longer() -> None:
    async def call() -> None:
        caller = line(is_open=False)
        caller.burst(spoken(1))
        caller.intake.stop()

        assert not caller.intake._kept

    run(call())


# After a hold-up


@pytest.mark.parametrize("stall_s", [0.5, 1.0, OLD_S - 0.1])
def test_a_stall_of_less_than_two_seconds_loses_nothing(stall_s: float) -> None:
    async def call() -> None:
        caller = line()
        await caller.live(spoken(1))
        await asyncio.sleep(stall_s)
        caller.burst(spoken(stall_s + 0.02, start=1))
        await caller.live(spoken(1, start=1.02 + stall_s))

        assert np.array_equal(caller.heard, spoken(2.02 + stall_s))
        assert caller.lost_ms == 0

    run(call())


@pytest.mark.parametrize(("stall_s", "frame_ms"), [(OLD_S + 0.1, 20), (10.0, 20), (10.0, 100)])
def test_after_a_longer_stall_the_call_goes_on_with_what_is_said_now(
    stall_s: float, frame_ms: int
) -> None:
    async def call() -> None:
        caller = line()
        await caller.live(spoken(1), frame_ms)
        await asyncio.sleep(stall_s)
        caller.burst(spoken(stall_s, start=1), frame_ms)
        await caller.live(spoken(3, start=1 + stall_s), frame_ms)

        newest = [(at, samples) for at, samples in caller.came if at > 1 + stall_s]
        assert place_s(newest[0][1][0]) > 1 + stall_s - 0.201
        for at, samples in newest:
            assert at - place_s(samples[0]) < 0.2
        assert place_s(newest[-1][1][-1]) == pytest.approx(4 + stall_s, abs=0.003)
        total = caller.heard.size / RATE_HZ * 1000
        assert total + caller.lost_ms == pytest.approx(1000 * (4 + stall_s))

    run(call())


def test_a_burst_that_takes_a_second_to_arrive_is_skipped_to_its_end() -> None:
    async def call() -> None:
        caller = line()
        await caller.live(spoken(1))
        await asyncio.sleep(8)
        for second in range(8):
            caller.burst(spoken(1, start=1 + second))
            await asyncio.sleep(0.02)
        await caller.live(spoken(1, start=9))

        after = [(at, samples) for at, samples in caller.came if at > 1.5]
        assert place_s(after[0][1][0]) > 8.8
        assert caller.lost_ms > 7_800

    run(call())


@pytest.mark.parametrize("silence_s", [3.0, 60.0])
def test_a_carrier_that_sends_no_silence_loses_no_word_after_it(silence_s: float) -> None:
    async def call() -> None:
        caller = line()
        await caller.live(spoken(1))
        await asyncio.sleep(silence_s)
        began = caller.now
        await caller.live(spoken(1, start=1))

        assert np.array_equal(caller.heard, spoken(2))
        assert caller.lost_ms == 0
        first_after = next(at for at, _ in caller.came if at > 1)
        assert first_after - began <= LOOK_S + 1e-9
        assert caller.came[-1][0] == pytest.approx(began + 0.98)

    run(call())


def test_a_carrier_with_long_frames_that_sends_no_silence_loses_no_word_either() -> None:
    async def call() -> None:
        caller = line()
        for second in range(5):
            await caller.live(spoken(1, start=second), frame_ms=100)
            await asyncio.sleep(1.5)

        assert np.array_equal(caller.heard, spoken(5))
        assert caller.lost_ms == 0

    run(call())


def test_hours_of_a_clock_that_is_a_little_slow_lose_nothing() -> None:
    async def call() -> None:
        caller = line()
        frame = spoken(0.2).tobytes()
        for _ in range(5 * 3600 * 3):  # 3 hours at 250 ppm: 2.7 s behind
            caller.intake.hear(frame, caller.now)
            await asyncio.sleep(0.200_05)

        assert caller.lost_ms == 0

    run(call())


def test_what_is_held_at_the_end_of_an_agent_still_reaches_it() -> None:
    async def call() -> None:
        caller = line()
        await caller.live(spoken(1))
        await asyncio.sleep(5)
        caller.burst(spoken(0.04, start=1))
        caller.intake.shut()

        assert np.array_equal(caller.heard, spoken(1.04))

    run(call())


def test_silence_stands_for_audio_that_the_carrier_lost() -> None:
    async def call() -> None:
        caller = line()
        await asyncio.sleep(0.01)
        caller.burst(spoken(0.02))
        caller.intake.missing(60.0, caller.now)
        caller.burst(spoken(0.02))

        assert caller.heard.size == 160 + 480 + 160
        assert not caller.heard[160:640].any()
        assert caller.figures.caller_audio_missing_ms == 60

    run(call())


def test_what_is_kept_of_the_callers_voice_for_finding_its_onset_is_bounded_however_long_a_call() -> (
    None
):
    async def call() -> None:
        caller = line()
        caller.burst(spoken(60))

        n_payloads = len(caller.intake.recent._payloads)
        assert n_payloads <= KEPT_S * 50 + TRIM_EVERY

    run(call())
