"""What a microphone and a loudspeaker cost a call, in delay and in work, beside what is asked.

    python -m benchmarks.device [--minutes 60] [--real 30]

On devices without sound (`tests.fakes.fake_host`, blocks of 10 ms) in virtual time: the delay that we add between a
callback of the microphone and the uplink, and between the downlink and the callback of the loudspeaker; silence after
a clear; what the ledger says was heard against what was; an hour with clocks that are 200 ppm off. ``--real`` serves
this machine's own default devices for so many seconds instead, and tells what they are like.
"""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

# Counts only before numpy is loaded; hence the imports below this line.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.base import Port
from bridge.legs.device.leg import DeviceLeg
from bridge.legs.device.portaudio import PortAudioHost
from bridge.loops import new_event_loop
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.fakes.desk import FRAME, FRAME_S, SINK_HZ, SOURCE_HZ, Desk, desk, pair
from tests.fakes.fake_host import FakeDevice

TRIALS: Final = 200
LOUD: Final = 4_000


async def uplink_ms(rate_hz: int) -> list[float]:
    """From the callback that brings a sound to the push that has it in the uplink."""
    wobble, turned = random.Random(1), [0.0]
    called: list[float] = []
    mic, out = pair(rate_hz=rate_hz, late_s=lambda: 0.002 * wobble.random())
    mic.block = rate_hz // 100

    def sound(at_s: float, n: int) -> Int16:
        on = at_s + np.arange(n) / rate_hz >= turned[0]
        if on.any() and len(called) < 1:
            called.append(asyncio.get_running_loop().time())
        return np.where(on, 12_000, 0).astype(np.int16)

    mic.sound = sound
    delays = []
    async with desk(mic, out) as at:
        for _ in range(TRIALS):
            turned[0] = float("inf")
            await asyncio.sleep(0.1)
            at.uplink_s.clear()
            called.clear()
            turned[0] = at.loop.time() + 0.02 + 0.01 * wobble.random()
            await asyncio.sleep(0.1)
            came_s = next(now for now, s in at.uplink_s if s.size and s.max() > LOUD)
            delays.append(1000 * (came_s - called[0]))
    return delays


async def downlink_ms(rate_hz: int) -> list[float]:
    """From the push of a frame, in step with time, to its place in a callback's block."""
    wobble, delays = random.Random(2), list[float]()
    devices = pair(rate_hz=rate_hz, late_s=lambda: 0.002 * wobble.random())
    async with desk(*devices) as at:
        at.played.rate_hz = rate_hz
        await asyncio.sleep(1)
        held_s = at.leg.figures.latency_out_ms / 1000
        for _ in range(TRIALS):
            at.played.blocks.clear()
            await asyncio.sleep(0.1 + 0.01 * wobble.random())
            loud_s = await _talk(at, wobble)
            await asyncio.sleep(0.1)
            taken_s = at.played.first_sound_s(level=LOUD) - held_s
            delays.append(1000 * (taken_s - loud_s))
    return delays


async def _talk(at: Desk, wobble: random.Random) -> float:
    """Half a second in step, some frames 3 ms late, soft and then loud; the instant of the first loud one."""
    begin_s, loud_s = at.loop.time(), 0.0
    for k in range(25):
        late_s = 0.003 * wobble.random()
        await asyncio.sleep(max(0.0, begin_s + k * FRAME_S + late_s - at.loop.time()))
        if k == 12:
            loud_s = begin_s + k * FRAME_S
        at.downlink.push(np.full(FRAME, 1_000 if k < 12 else 12_000, np.int16))
    return loud_s


async def clear_ms() -> list[float]:
    """From a clear in the middle of speech to the last sample that sounds."""
    wobble, silences = random.Random(3), list[float]()
    async with desk() as at:
        for _ in range(TRIALS):
            at.say(2)
            await asyncio.sleep(0.5 + 0.02 * wobble.random())
            cleared_s = at.loop.time()
            at.clear()
            await asyncio.sleep(0.2)
            silences.append(1000 * max(0.0, at.played.last_sound_s() - cleared_s))
            at.played.blocks.clear()
    return silences


async def ledger_ms(held_blocks: int) -> list[float]:
    """How far the ledger is from what was heard, when all is silent after a clear."""
    wobble, errors, heard_s, played = random.Random(4), list[float](), 0.0, 0.0
    async with desk(*pair(held_blocks=held_blocks)) as at:
        await asyncio.sleep(3)
        for _ in range(TRIALS):
            said_s = at.loop.time()
            at.say(2)
            await asyncio.sleep(0.5 + 0.2 * wobble.random())
            at.clear()
            await asyncio.sleep(0.3)
            heard_s = at.played.last_sound_s(said_s) - at.played.first_sound_s(said_s)
            now = at.downlink.ledger.played(at.loop.time()) / SINK_HZ
            errors.append(1000 * abs(now - played - heard_s))
            played = now
            at.played.blocks.clear()
    return errors


async def drift(ppm: float, minutes: float) -> str:
    """Both ways without a pause, with clocks that are off: holes, and how the depths moved."""
    mic = FakeDevice("Mic", n_inputs=1, drift_ppm=ppm)
    out = FakeDevice("Speaker", n_outputs=2, drift_ppm=-ppm)
    frame = np.full(FRAME, 8_000, np.int16)
    up_ms, down_ms, came, holes = list[float](), list[float](), 0, 0
    async with desk(mic, out) as at:
        await asyncio.sleep(1)
        at.uplink_s.clear()
        begin_s = at.loop.time()
        for sent in range(1, round(minutes * 60 / FRAME_S)):
            at.downlink.push(frame)
            if sent % 50 == 0:
                # At each push: a look in between would see how long ago the last one was.
                for pushed_s, samples in at.uplink_s:
                    came += samples.size
                    up_ms.append(1000 * (came / SOURCE_HZ - (pushed_s - begin_s)))
                down_ms.append(at.leg.figures.buffer_ms + at.downlink.depth_ms)
                blocks = [s for at_s, s in at.played.blocks if at_s > begin_s + 0.2]
                holes += sum(int(samples.min()) < LOUD for samples in blocks)
                at.uplink_s.clear()
                at.played.blocks.clear()
            await asyncio.sleep(max(0.0, begin_s + sent * FRAME_S - at.loop.time()))
        figures = at.leg.figures
    return (
        f"{holes} holes; uplink {min(up_ms):+.1f} to {max(up_ms):+.1f} ms, loudspeaker's buffer "
        f"{min(down_ms):.1f} to {max(down_ms):.1f} ms; measured {figures.drift_ppm_in:+.1f} and "
        f"{figures.drift_ppm_out:+.1f} ppm"
    )


async def busy(rate_hz: int) -> None:
    """A minute of speech both ways."""
    async with desk(*pair(rate_hz=rate_hz)) as at:
        await at.say_in_step(60)


async def real(seconds: float) -> None:
    """The default devices of this machine, with speech both ways."""
    host, loop = PortAudioHost(), asyncio.get_running_loop()
    leg = DeviceLeg(host)
    uplink, downlink = Lane(SOURCE_HZ, 2_000, "drop_oldest"), Lane(SINK_HZ, 32_000, "drop_newest")
    begin_s = loop.time()
    await leg.open()
    print(f"devices open after {1000 * (loop.time() - begin_s):.0f} ms")
    call = loop.create_task(leg.run(Port(uplink, downlink, print, lambda: None)))
    await asyncio.sleep(1)
    begin_s, used_s = loop.time(), time.process_time()
    for sent in range(1, round(seconds / FRAME_S)):
        downlink.push(np.full(FRAME, 1_000, np.int16))
        await asyncio.sleep(max(0.0, begin_s + sent * FRAME_S - loop.time()))
    used_s = time.process_time() - used_s
    print(leg.figures)
    print(f"gaps: {downlink.ledger.gaps}; {100 * used_s / (loop.time() - begin_s):.1f} % of a core")
    leg.hang_up()
    await call
    await host.close()


def row(what: str, asked: str, figures: Sequence[float]) -> None:
    p50, p99 = np.percentile(figures, (50, 99))
    print(
        f"{what:<52} asked {asked:>7} | p50 {p50:5.1f}  p99 {p99:5.1f}  worst {max(figures):5.1f} ms"
    )


def virtual(minutes: float) -> None:
    for rate_hz in (48_000, 44_100):
        row(
            f"microphone's callback ({rate_hz} Hz) to uplink",
            "<= 25",
            run_virtual(uplink_ms(rate_hz)),
        )
    for rate_hz in (48_000, 44_100):
        row(
            f"downlink to loudspeaker's callback ({rate_hz} Hz)",
            "<= 25",
            run_virtual(downlink_ms(rate_hz)),
        )
    row("silence after a clear, device included", "<= 30", run_virtual(clear_ms()))
    for held_blocks in (2, 8):
        what = f"ledger against what was heard, device holds {10 * held_blocks} ms"
        row(what, "<= 20", run_virtual(ledger_ms(held_blocks)))
    for rate_hz in (48_000, 44_100):
        used_s = time.process_time()
        run_virtual(busy(rate_hz))
        percent = 100 * (time.process_time() - used_s) / 60
        print(
            f"work of both directions at {rate_hz} Hz, fake devices included: {percent:.1f} % of a core"
        )
    for ppm in (200.0, -200.0):
        print(f"{minutes:g} minutes at {ppm:+g} ppm: {run_virtual(drift(ppm, minutes))}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0, help="of drift, in virtual time")
    parser.add_argument("--real", type=float, default=0.0, help="seconds on this machine's devices")
    options = parser.parse_args()
    if options.real:
        with asyncio.Runner(loop_factory=new_event_loop) as runner, suppress(KeyboardInterrupt):
            runner.run(real(options.real))
    else:
        virtual(options.minutes)


if __name__ == "__main__":
    main()
