"""A program as the caller: what it writes is said at real tempo, what it reads is what a loudspeaker plays."""

import asyncio

import numpy as np
import pytest

from bridge.errors import UsageError
from bridge.legs.base import MessageEvent
from bridge.talk.program_audio import MAX_UNREAD_S, MAX_WRITTEN_S
from bridge.talk.program_leg import ProgramLeg
from bridge.virtual import run_virtual
from bridge.wire.messages import State
from tests.fakes.legs import HandPort, hand_port
from tests.fakes.talk_world import tone

IN_HZ, OUT_HZ = 16_000, 24_000


class Ends:
    """A leg that runs, and the far side of its port."""

    def __init__(self) -> None:
        self.leg = ProgramLeg(source_hz=IN_HZ, sink_hz=OUT_HZ)
        self.port: HandPort = hand_port(outgoing_hz=IN_HZ, incoming_hz=OUT_HZ)
        self.task = asyncio.create_task(self.leg.run(self.port.port), name="leg")

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))

    def said(self) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        return self.port.outgoing.pull_padded(self.port.outgoing.depth_samples)


def test_what_is_written_is_said_at_real_tempo_with_silence_around_it() -> None:
    async def talk() -> None:
        ends = Ends()
        await asyncio.sleep(0.09)
        ends.leg.microphone.write(tone(0.05))
        ends.leg.microphone.write(tone(0.05))
        await asyncio.sleep(0.4)
        await ends.stop()
        said = ends.said()
        loud = np.flatnonzero(said)

        assert said.size == pytest.approx(0.5 * IN_HZ, abs=IN_HZ // 50)
        assert loud[0] == pytest.approx(0.1 * IN_HZ, abs=2)
        assert loud[-1] - loud[0] == pytest.approx(0.1 * IN_HZ, abs=60)

    run_virtual(talk())


def test_draining_waits_until_all_is_said_or_dropped() -> None:
    async def talk() -> list[float]:
        loop = asyncio.get_running_loop()
        ends, at = Ends(), []
        await ends.leg.microphone.drain()
        at.append(loop.time())
        ends.leg.microphone.write(tone(1.0))
        await ends.leg.microphone.drain()
        at.append(loop.time())
        ends.leg.microphone.write(tone(1.0))
        ends.leg.microphone.clear()
        await ends.leg.microphone.drain()
        at.append(loop.time())
        await ends.stop()
        ends.leg.microphone.write(tone(1.0))
        await ends.leg.microphone.drain()
        return at

    assert run_virtual(talk()) == pytest.approx([0.0, 0.98, 0.98], abs=0.021)


async def test_a_program_may_use_its_array_again() -> None:
    leg = ProgramLeg(source_hz=IN_HZ, sink_hz=OUT_HZ)
    samples = tone(0.02)
    kept = samples.copy()
    leg.microphone.write(samples)
    samples[:] = 0

    assert np.array_equal(leg.microphone.take(samples.size), kept)


@pytest.mark.parametrize(
    "samples", [np.zeros(10, np.float32), np.zeros((10, 2), np.int16), np.zeros(10, ">i2")]
)
async def test_what_is_no_mono_int16_is_refused(
    samples: "np.ndarray[tuple[int], np.dtype[np.int16]]",
) -> None:
    leg = ProgramLeg(source_hz=IN_HZ, sink_hz=OUT_HZ)
    with pytest.raises(UsageError, match="int16 of shape"):
        leg.microphone.write(samples)


async def test_a_minute_may_wait_to_be_said_and_no_more() -> None:
    microphone = ProgramLeg(source_hz=IN_HZ, sink_hz=OUT_HZ).microphone
    microphone.write(np.ones(round(MAX_WRITTEN_S * IN_HZ), np.int16))
    assert microphone.waiting_s == MAX_WRITTEN_S
    with pytest.raises(UsageError, match="drain"):
        microphone.write(np.ones(1, np.int16))


def test_the_speaker_gives_a_frame_every_20_ms_and_the_ledger_knows() -> None:
    async def talk() -> None:
        ends = Ends()
        lane = ends.port.incoming
        lane.push(tone(0.05, OUT_HZ))
        frames = []
        loop = asyncio.get_running_loop()
        async for frame in ends.leg.speaker:
            frames.append((loop.time(), frame))
            if len(frames) == 10:
                break
        await ends.stop()

        assert [at for at, _ in frames] == pytest.approx([0.02 * n for n in range(10)])
        assert {frame.size for _, frame in frames} == {OUT_HZ // 50}
        assert [bool(frame.any()) for _, frame in frames] == [True] * 3 + [False] * 7
        assert lane.ledger.sent_samples == round(0.05 * OUT_HZ)
        assert lane.ledger.time_of(OUT_HZ // 50) == pytest.approx(0.02)

    run_virtual(talk())


def test_a_program_that_falls_behind_loses_the_oldest_and_the_iterator_ends_with_the_call() -> None:
    async def talk() -> None:
        ends = Ends()
        await asyncio.sleep(MAX_UNREAD_S + 1.0)
        await ends.stop()
        frames = [frame async for frame in ends.leg.speaker]

        assert len(frames) == round(MAX_UNREAD_S * 50)
        assert ends.leg.speaker.missed == pytest.approx(50, abs=1)

    run_virtual(talk())


def test_muted_time_passes_all_the_same() -> None:
    async def talk() -> None:
        ends = Ends()
        ends.leg.mic_muted = ends.leg.speaker_muted = True
        ends.leg.microphone.write(tone(0.1))
        ends.port.incoming.push(tone(0.1, OUT_HZ))
        await asyncio.sleep(0.2)
        await ends.stop()
        heard = [frame async for frame in ends.leg.speaker]

        assert not ends.said().any()
        assert not any(frame.any() for frame in heard)
        assert not ends.leg.microphone.waiting_s
        assert not ends.port.incoming.depth_samples

    run_virtual(talk())


def test_draining_the_leg_waits_for_the_agent_s_last_words() -> None:
    async def talk() -> float:
        ends = Ends()
        ends.port.incoming.push(tone(0.5, OUT_HZ))
        await asyncio.sleep(0.01)
        await ends.leg.drain()
        at_s = asyncio.get_running_loop().time()
        await ends.leg.drain()
        await ends.stop()
        return at_s

    assert run_virtual(talk()) == pytest.approx(0.48, abs=0.021)


def test_a_hole_in_the_agent_s_speech_is_counted() -> None:
    async def talk() -> tuple[int, float]:
        ends = Ends()
        ends.leg.receive(MessageEvent(State(state="speaking")))
        for _ in range(2):
            ends.port.incoming.push(tone(0.1, OUT_HZ))
            await asyncio.sleep(0.2)
        ends.leg.receive(MessageEvent(State(state="listening")))
        await ends.stop()
        return ends.leg.underruns.count, ends.leg.underruns.total_ms

    n, total_ms = run_virtual(talk())

    assert n == 1
    assert total_ms == pytest.approx(100, abs=21)


def test_audio_that_comes_in_step_with_time_is_heard_without_holes_though_it_jitters() -> None:
    async def talk() -> tuple[int, float, int]:
        ends = Ends()
        ends.leg.receive(MessageEvent(State(state="speaking")))
        chance = np.random.default_rng(0)
        loop = asyncio.get_running_loop()
        for number in range(50):
            late_s = chance.uniform(0, 0.035)
            loop.call_at(
                0.5 + 0.02 * number + late_s, ends.port.incoming.push, tone(0.02, OUT_HZ) | 1
            )
        await asyncio.sleep(2)
        await ends.stop()
        frames = [bool(frame.all()) for frame in [each async for each in ends.leg.speaker]]
        first = frames.index(True)
        return ends.leg.underruns.count, first * 0.02, sum(frames)

    n_holes, first_s, n_frames = run_virtual(talk())

    assert n_holes == 0
    assert 0.54 <= first_s <= 0.58
    assert n_frames == 50


def test_the_last_piece_of_speech_does_not_wait_for_more() -> None:
    async def talk() -> int:
        ends = Ends()
        await asyncio.sleep(0.01)
        ends.port.incoming.push(tone(0.02, OUT_HZ))
        ends.port.incoming.end_segment()
        await asyncio.sleep(0.02)
        await ends.stop()
        return ends.port.incoming.depth_samples

    assert run_virtual(talk()) == 0
