"""Somebody with headphones in a noisy room, no echo cancellation, the energy detector: who interrupts the agent?

A device leg on fake devices hears a minute of noise while the agent speaks all the time; what it sends is judged as the
embedded server judges it. A fan and a crowd must not stop the agent, a voice must. A few voices that come and go are
another matter: by level alone nobody can tell them from somebody who speaks (`bridge.audio.energy_vad`).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.audio.endpoint import Endpointer, Interrupted, VadSettings
from bridge.audio.energy_vad import EnergyVad
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16, to_int16
from bridge_codecs.resample import Resampler
from tests.fakes.desk import desk, pair
from tests.fakes.echo_path import talking

RATE_HZ = 48_000
UP_HZ = 16_000
SECONDS = 60
NOISE_DBFS = -40.0
CROWD = 12
SPEAKS_S = 40.0
NAMES = ("appointment", "hours", "monday", "afternoon", "elephants")

Noise = NDArray[np.float64]


def fan(seed: int) -> Noise:
    """Pink noise that swells and fades by 5 dB in a second and a half."""
    n = SECONDS * RATE_HZ
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE_HZ), 20.0))
    swelling = 1 + 0.3 * np.sin(2 * np.pi * 0.7 * np.arange(n) / RATE_HZ)
    return np.asarray(np.fft.irfft(spectrum, n) * swelling)


def hiss(seed: int) -> Noise:
    """White noise."""
    return np.random.default_rng(seed).normal(size=SECONDS * RATE_HZ)


def crowd(seed: int) -> Noise:
    """Many voices at once, without their pauses."""
    random = np.random.default_rng(seed)
    mixed = np.zeros(SECONDS * RATE_HZ)
    for number in range(CROWD):
        voice = wide(without_pauses(talking(20, NAMES[number % len(NAMES)])))
        begin = random.integers(voice.size)
        mixed += np.resize(np.roll(voice, begin), mixed.size) * 10 ** (random.uniform(-3, 3) / 20)
    return mixed


def without_pauses(voice: Int16) -> Int16:
    frames = voice[: voice.size // 320 * 320].reshape(-1, 320)
    levels = np.mean(frames.astype(np.float64) ** 2, axis=1)
    loud: Int16 = frames[levels > levels.max() / 1_000].reshape(-1)
    return loud


def wide(voice: Int16) -> Noise:
    return Resampler(UP_HZ, RATE_HZ).push(voice).astype(np.float64)


def levelled(noise: Noise, dbfs: float) -> Int16:
    return to_int16((noise / np.sqrt(np.mean(noise**2)) * 10 ** (dbfs / 20)).astype(np.float32))


def sent(heard: Int16) -> Int16:
    """What goes into the call when the microphone hears this."""

    async def main() -> Int16:
        mic, out = pair()
        mic.sound = lambda at_s, n: heard.take(round(at_s * RATE_HZ) + np.arange(n), mode="wrap")
        async with desk(mic, out) as at:
            await at.say_in_step(SECONDS - 1)
            return at.heard()

    return run_virtual(main())


def interruptions_s(uplink: Int16) -> Sequence[float]:
    """When an agent that speaks all the time would have been stopped."""
    detector, endpointer = EnergyVad(UP_HZ), Endpointer(VadSettings())
    chunks = uplink[: uplink.size // 512 * 512].reshape(-1, 512)
    return [
        event.at_ms / 1000
        for chunk in chunks
        for event in endpointer.push(detector.push(chunk), agent_speaking=True)
        if isinstance(event, Interrupted)
    ]


@pytest.mark.parametrize(
    "noise",
    [pytest.param(fan, marks=pytest.mark.slow), pytest.param(hiss, marks=pytest.mark.slow), crowd],
)
def test_a_steady_noise_does_not_interrupt_the_agent_and_a_voice_in_it_does(
    noise: Callable[[int], Noise],
) -> None:
    room = levelled(noise(1), NOISE_DBFS)
    with_voice = room.copy()
    voice = (wide(talking(2, "appointment")) / 1.5).astype(np.int16)
    begin = round(SPEAKS_S * RATE_HZ)
    with_voice[begin : begin + voice.size] += voice

    assert interruptions_s(sent(room)) == []
    spoken_s = interruptions_s(sent(with_voice))
    assert spoken_s
    assert all(SPEAKS_S < at_s < SPEAKS_S + 3 for at_s in spoken_s)
