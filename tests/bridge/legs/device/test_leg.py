"""A microphone and a loudspeaker as one end of a call: latency, clears, the ledger, mutes, drift."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.legs.base import Ended
from bridge.legs.device.leg import DeviceLeg
from bridge_codecs.pcm import Int16
from tests.fakes.desk import FRAME, FRAME_S, SINK_HZ, SOURCE_HZ, Desk, desk, pair
from tests.fakes.fake_host import FakeDevice, FakeHost

Virtual = Callable[[Coroutine[Any, Any, None]], None]


class Listening:
    """An echo processor that only listens."""

    rate_hz = 16_000

    def __init__(self) -> None:
        self.played_frames: list[Int16] = []
        self.heard_frames: list[Int16] = []
        self.delays_ms: list[float] = []
        self.closed = False

    def played(self, frame: Int16) -> None:
        self.played_frames.append(frame)

    def heard(self, frame: Int16, delay_ms: float) -> Int16:
        self.heard_frames.append(frame)
        self.delays_ms.append(delay_ms)
        return frame

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 16_000])
@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("blocks_per_s", [None, 100, 50])
def test_the_microphone_reaches_the_uplink_within_25_ms(
    virtual: Virtual, rate_hz: int, blocks_per_s: int | None, *, processed: bool
) -> None:
    async def main() -> None:
        mic, out = pair(rate_hz=rate_hz)
        mic.block = blocks_per_s and rate_hz // blocks_per_s
        began_s: list[float] = []

        def sound(at_s: float, n: int) -> Int16:
            loud = at_s > 1.0
            if loud:
                began_s.append(at_s + n / rate_hz)  # its last sample, and so the callback
            return np.full(n, 10_000 if loud else 0, np.int16)

        mic.sound = sound
        async with desk(mic, out, processing=Listening if processed else None) as at:
            await asyncio.sleep(2)
            first_s = next(now for now, samples in at.uplink_s if np.abs(samples).max() > 5_000)
            assert 0 < first_s - began_s[0] <= 0.025

    virtual(main())


def test_audio_in_step_is_in_the_loudspeakers_buffer_within_25_ms(virtual: Virtual) -> None:
    async def main() -> None:
        for phase in range(10):
            async with desk() as at:
                await asyncio.sleep(1 + phase / 1000)
                said_s = at.loop.time()
                await at.say_in_step(0.5)
                held_s = at.leg.figures.latency_out_ms / 1000
                await asyncio.sleep(0.2)
                assert 0 < at.played.first_sound_s(said_s) - held_s - said_s <= 0.025

    virtual(main())


@pytest.mark.parametrize("late_ms", [0.0, 3.0])
def test_speech_in_step_has_no_hole_when_frames_and_callbacks_are_a_little_late(
    virtual: Virtual, late_ms: float
) -> None:
    async def main() -> None:
        wobble = random.Random(3)
        devices = pair(late_s=lambda: wobble.random() * late_ms / 1000)
        async with desk(*devices) as at:
            at.speaking(on=True)
            begin_s = at.loop.time()
            await at.say_in_step(20)
            inside = at.played.between(begin_s + 0.2, at.loop.time() - 0.1)
            assert inside.size > 19 * 48_000
            assert inside.min() > 7_000
            assert at.leg.figures.underruns == 0

    virtual(main())


def test_a_burst_plays_through_a_loop_that_is_held_up(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            at.say(3)
            begin_s = at.loop.time()
            await asyncio.sleep(2.5)
            assert at.played.between(begin_s + 0.1, begin_s + 2.4).min() > 7_000
            assert at.leg.figures.buffer_ms > 20

    virtual(main())


@pytest.mark.parametrize("burst", [True, False])
def test_a_clear_is_silence_within_30_ms_device_included(virtual: Virtual, *, burst: bool) -> None:
    async def main() -> None:
        for phase in range(0, 20, 3):
            async with desk() as at:
                talking = None
                if burst:
                    at.say(5)
                else:
                    talking = asyncio.create_task(at.say_in_step(5))
                await asyncio.sleep(1 + phase / 1000)
                if talking is not None:
                    talking.cancel()
                at.clear()
                cleared_s = at.loop.time()
                await asyncio.sleep(0.3)
                assert at.played.last_sound_s() - cleared_s <= 0.030

    virtual(main())


def test_what_comes_after_a_clear_plays_whole(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            at.say(2)
            await asyncio.sleep(0.5)
            at.clear()
            await asyncio.sleep(0.1)
            again_s = at.loop.time()
            at.say(1, level=4_000)
            await asyncio.sleep(1.5)
            begin_s, end_s = at.played.first_sound_s(again_s), at.played.last_sound_s(again_s)
            assert end_s - begin_s == pytest.approx(1.0, abs=0.003)

    virtual(main())


@pytest.mark.parametrize("held_blocks", [2, 6])
@pytest.mark.parametrize("claims_s", [None, 0.0, -3.0, 5.0, float("nan")])
def test_the_ledger_knows_what_was_heard_to_20_ms_whatever_the_device_claims(
    virtual: Virtual, held_blocks: int, claims_s: float | None
) -> None:
    async def main() -> None:
        devices = pair(held_blocks=held_blocks, claims_s=claims_s)
        async with desk(*devices) as at:
            await asyncio.sleep(3)
            said_s = at.loop.time()
            at.say(10)
            await asyncio.sleep(2)
            # Before the clear: what plays now; after it: what had been heard when all was silent.
            playing_s = at.loop.time() - at.played.first_sound_s(said_s)
            assert at.downlink.ledger.played(at.loop.time()) / SINK_HZ == pytest.approx(
                playing_s, abs=0.020
            )
            at.clear()
            await asyncio.sleep(0.5)
            heard_s = at.played.last_sound_s(said_s) - at.played.first_sound_s(said_s)
            account = at.downlink.ledger.heard(at.loop.time())
            played = account.played_acknowledged + account.played_interpolated
            assert played / SINK_HZ == pytest.approx(heard_s, abs=0.020)
            assert account.sent == played + account.flushed
            assert at.leg.heard_until == played

    virtual(main())


def test_a_drain_ends_when_the_last_word_was_heard(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            said_s = at.loop.time()
            at.say(1)
            await at.leg.drain()
            drained_s = at.loop.time()
            await asyncio.sleep(0.5)
            assert 0 <= drained_s - at.played.last_sound_s(said_s) < 0.03
            assert at.downlink.ledger.ahead_ms(at.loop.time()) == 0

    virtual(main())


async def _an_hour(at: Desk, seconds: float) -> tuple[list[float], list[float]]:
    """Talk both ways in step; how much too much went up and how long audio waited to be played, ms.

    What went up is told just after each push, what waits at each second: between two pushes the microphone's block is
    on its way, so a look at any other instant sees how long ago the last one was.
    """
    up_ms, down_ms, sent, n_up = [], [], 0, 0
    at.uplink_s.clear()
    begin_s = at.loop.time()
    frame = np.full(round(SINK_HZ * FRAME_S), 8_000, np.int16)
    while at.loop.time() - begin_s < seconds:
        at.downlink.push(frame)
        sent += 1
        if sent % 50 == 0:
            for pushed_s, samples in at.uplink_s:
                n_up += samples.size
                up_ms.append(1000 * (n_up / SOURCE_HZ - (pushed_s - begin_s)))
            at.uplink_s.clear()
            down_ms.append(at.leg.figures.buffer_ms + at.downlink.depth_ms)
            old = [block for block in at.played.blocks if block[0] > begin_s + 0.2]
            assert all(samples.min() > 7_000 for _, samples in old)
            at.played.blocks.clear()
        await asyncio.sleep(max(0.0, begin_s + sent * FRAME_S - at.loop.time()))
    return up_ms, down_ms


def check_drift(virtual: Virtual, ppm: float, seconds: float) -> None:
    async def main() -> None:
        mic = FakeDevice("Mic", n_inputs=1, drift_ppm=ppm)
        out = FakeDevice("Speaker", n_outputs=2, drift_ppm=-ppm)
        async with desk(mic, out) as at:
            await asyncio.sleep(1)
            up_ms, down_ms = await _an_hour(at, seconds)
            assert max(up_ms) - min(up_ms) <= 20
            assert max(down_ms) - min(down_ms) <= 20
            for kept_ms in (up_ms, down_ms):
                tenth = len(kept_ms) // 10
                assert abs(np.mean(kept_ms[-tenth:]) - np.mean(kept_ms[tenth : 2 * tenth])) <= 10
            figures = at.leg.figures
            assert figures.drift_ppm_in == pytest.approx(ppm, abs=2)
            assert figures.drift_ppm_out == pytest.approx(-ppm, abs=2)
            assert figures.reopened == figures.underruns == figures.overruns == 0

    virtual(main())


@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_a_minute_of_drift_makes_no_gap_and_no_growth(virtual: Virtual, ppm: float) -> None:
    check_drift(virtual, ppm, 60)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_an_hour_of_drift_makes_no_gap_and_no_growth(virtual: Virtual, ppm: float) -> None:
    check_drift(virtual, ppm, 3_600)


@pytest.mark.parametrize("network_ppm", [150.0, -150.0])
def test_a_far_end_whose_clock_differs_leaves_no_hole_either(
    virtual: Virtual, network_ppm: float
) -> None:
    async def main() -> None:
        async with desk() as at:
            begin_s = at.loop.time()
            frame, sent, down_ms = np.full(480, 8_000, np.int16), 0, []
            while sent < 3_500:
                at.downlink.push(frame)
                sent += 1
                if sent % 50 == 0:
                    down_ms.append(at.leg.figures.buffer_ms + at.downlink.depth_ms)
                due_s = begin_s + sent * FRAME_S / (1 + network_ppm * 1e-6)
                await asyncio.sleep(max(0.0, due_s - at.loop.time()))
            assert max(down_ms) - min(down_ms) <= 20
            quietest = at.played.between(begin_s + 0.2, at.loop.time() - 0.1).min()
            assert quietest > 7_000

    virtual(main())


def test_a_muted_microphone_gives_silence_in_time(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        mic.sound = lambda _at_s, n: np.full(n, 9_000, np.int16)
        async with desk(mic, out) as at:
            await asyncio.sleep(0.5)
            assert at.leg.levels[0] == pytest.approx(-11.2, abs=0.8)
            at.leg.mic_muted = True
            at.uplink_s.clear()
            await asyncio.sleep(1)
            assert at.heard().size == pytest.approx(SOURCE_HZ, abs=400)
            assert not at.heard()[200:].any()
            assert at.leg.levels[0] < -60

    virtual(main())


@pytest.mark.parametrize(
    ("muted", "held", "silent"),
    [
        (False, None, False),
        (True, None, True),
        (False, False, True),
        (False, True, False),
        (True, True, True),
    ],
)
def test_push_to_talk_opens_the_microphone_while_the_key_is_held(
    virtual: Virtual, *, muted: bool, held: bool | None, silent: bool
) -> None:
    async def main() -> None:
        mic, out = pair()
        mic.sound = lambda _at_s, n: np.full(n, 9_000, np.int16)
        async with desk(mic, out) as at:
            at.leg.push_to_talk(True)
            at.leg.mic_muted = muted
            at.leg.push_to_talk(held)
            at.uplink_s.clear()
            await asyncio.sleep(0.2)
            assert (not at.heard()[400:].any()) is silent

    virtual(main())


def test_a_muted_loudspeaker_keeps_time(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            at.leg.speaker_muted = True
            assert at.leg.speaker_muted
            at.say(1)
            await at.leg.drain()
            assert at.loop.time() == pytest.approx(1.1, abs=0.06)
            assert not at.played.between(0, 2).any()
            assert at.downlink.ledger.played(at.loop.time()) == SINK_HZ

    virtual(main())


@pytest.mark.parametrize("speaking", [False, True])
def test_a_key_tone_is_heard_and_is_not_in_the_ledger(virtual: Virtual, *, speaking: bool) -> None:
    async def main() -> None:
        async with desk() as at:
            if speaking:
                at.say(1, level=3_000)
            await asyncio.sleep(0.3)
            pressed_s = at.loop.time()
            at.leg.play_tone(np.full(2_400, 5_000, np.int16))
            await asyncio.sleep(1)
            level = 7_500 if speaking else 4_500
            begin_s = at.played.first_sound_s(pressed_s, level)
            end_s = at.played.last_sound_s(pressed_s, level)
            assert begin_s - pressed_s < 0.12
            assert end_s - begin_s == pytest.approx(0.1, abs=0.003)
            assert at.downlink.ledger.sent_samples == (SINK_HZ if speaking else 0)

    virtual(main())


def test_a_key_tone_of_more_than_2_seconds_is_cut(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            at.leg.play_tone(np.full(10 * SINK_HZ, 5_000, np.int16))
            await asyncio.sleep(5)
            lasted_s = at.played.last_sound_s() - at.played.first_sound_s()
            assert lasted_s == pytest.approx(2.0, abs=0.01)

    virtual(main())


def test_a_processor_gets_the_loudspeaker_in_step_with_its_echo(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair(drift_ppm=100)
        listening = Listening()
        sounding: list[float] = []

        def echo(at_s: float, n: int) -> Int16:
            begin_s = sounding[0] if sounding else float("inf")
            return np.where(at_s + np.arange(n) / 48_000 >= begin_s, 6_000, 0).astype(np.int16)

        mic.sound = echo
        async with desk(mic, out, processing=lambda: listening) as at:
            await asyncio.sleep(2)
            at.say(1)
            said_s = at.loop.time()
            while not any(samples.max() > 500 for _, samples in at.played.blocks):  # noqa: ASYNC110 - a list tells nobody
                await asyncio.sleep(0.001)
            sounding.append(at.played.first_sound_s(said_s))
            await asyncio.sleep(2)
        assert listening.closed
        assert abs(len(listening.played_frames) - len(listening.heard_frames)) == 0
        first_played = next(k for k, f in enumerate(listening.played_frames) if f.max() > 3_000)
        first_heard = next(k for k, f in enumerate(listening.heard_frames) if f.max() > 3_000)
        seen_ms = 10 * (first_heard - first_played)
        assert seen_ms == pytest.approx(listening.delays_ms[first_heard], abs=15)

    virtual(main())


def test_half_duplex_mutes_the_microphone_while_the_agent_speaks(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        mic.sound = lambda _at_s, n: np.full(n, 9_000, np.int16)
        async with desk(mic, out, half_duplex=True) as at:
            await asyncio.sleep(0.5)
            assert at.heard()[-1_000:].min() > 8_000
            at.say(1)
            await asyncio.sleep(0.6)
            at.uplink_s.clear()
            await asyncio.sleep(0.3)
            assert not at.heard().any()
            await asyncio.sleep(2)
            assert at.heard()[-1_000:].min() > 8_000

    virtual(main())


def test_silence_is_as_long_as_it_lasts(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            await asyncio.sleep(30)
            assert at.heard().size == pytest.approx(30 * SOURCE_HZ, abs=0.06 * SOURCE_HZ)
            assert at.leg.figures.underruns == 0
            assert at.leg.levels == (-120.0, -120.0)

    virtual(main())


def test_late_frames_are_counted_as_holes_and_make_the_leg_more_patient(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            at.speaking(on=True)
            frame = np.full(480, 8_000, np.int16)
            for k in range(400):
                at.downlink.push(frame)
                late_s = 0.03 if k % 20 == 10 else 0.0
                await asyncio.sleep(FRAME_S + late_s)
                if late_s:
                    at.downlink.push(frame)
            holes = at.leg.figures.underruns
            assert 0 < holes <= 6  # of 20 late ones

    virtual(main())


def test_a_leg_ends_when_its_user_hangs_up(virtual: Virtual) -> None:
    async def main() -> None:
        async with desk() as at:
            at.leg.hang_up()
            assert await at.task == Ended("hangup")
            assert not any(device.opened for device in at.host.there)

    virtual(main())


def test_a_leg_that_never_runs_gives_its_devices_back(virtual: Virtual) -> None:
    async def main() -> None:
        host, listening = FakeHost(*pair()), Listening()
        leg = DeviceLeg(host, processing=lambda: listening)
        await leg.open()
        await leg.open()
        assert [device.opened for device in host.there] == [1, 1]
        await leg.close()
        await leg.close()
        await host.close()
        assert listening.closed

    virtual(main())


def test_the_figures_name_the_devices_and_their_rates(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        mic.rate_hz = 44_100
        async with desk(mic, out) as at:
            await asyncio.sleep(1)
            figures = at.leg.figures
            assert (figures.microphone, figures.microphone_hz) == ("Mic", 44_100)
            assert (figures.loudspeaker, figures.loudspeaker_hz) == ("Speaker", 48_000)
            assert figures.latency_out_ms == pytest.approx(10, abs=1)
            at.leg.hang_up()
            await at.task
            assert at.leg.figures == figures

    virtual(main())


def test_a_loudspeaker_that_loses_time_all_the_while_catches_up_in_the_pauses(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        mic, out = pair()
        out.runs_at = 42_240  # an eighth too slow, as on a busy machine
        async with desk(mic, out) as at:
            begin_s, waiting_ms = at.loop.time(), list[float]()
            for k in range(20 * 50):
                await asyncio.sleep(max(0.0, begin_s + k * FRAME_S - at.loop.time()))
                level = 8_000 if k // 25 % 2 else 0
                at.downlink.push(np.full(FRAME, level, np.int16))
                waiting_ms.append(at.downlink.depth_ms + at.leg.figures.buffer_ms)
            assert max(waiting_ms[250:]) < 500
            assert at.warnings == []
            played = np.concatenate([samples for _, samples in at.played.blocks])
            spoken = np.count_nonzero(np.abs(played.astype(np.int32)) > 4_000) / 48_000
            assert spoken == pytest.approx(10, abs=0.4)  # not a word is lost
            assert at.downlink.ledger.ahead_ms(at.loop.time()) < 500

    virtual(main())
