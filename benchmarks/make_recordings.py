"""Makes the caller recordings that ship in bridge/assets/recordings.

    python benchmarks/make_recordings.py

Each is the embedded voice (another one than the agent's) brought to a telephone's sound: 8 kHz mono,
300 to 3,400 Hz, -23 dBFS active speech, line noise at -65 dBFS, through mu-law and back. Babble is six voices talking
at once, 10 dB below the caller. All chance has one seed, so the same version of espeak-ng gives the same files.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bridge.brains.speech.espeak import EspeakOptions, EspeakVoice
from bridge.brains.speech.loudness import active_dbfs
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16, to_float32, to_int16
from bridge_codecs.resample import Resampler

RATE_HZ = 8_000
SPEECH_DBFS = -23.0
NOISE_DBFS = -65.0
BABBLE_SNR_DB = 10.0
BAND_HZ = (300.0, 3_400.0)
SEED = 20_261_121
LEAD_S, TAIL_S = 0.25, 0.35
OUT = Path(__file__).parents[1] / "bridge" / "assets" / "recordings"

CALLER = EspeakOptions(voice="en-us+f4", words_per_minute=145, pitch=50)
BABBLERS = tuple(
    EspeakOptions(voice=f"en-us+{name}", words_per_minute=pace, pitch=pitch)
    for name, pace, pitch in (
        ("m1", 150, 40),
        ("m3", 170, 35),
        ("f1", 160, 60),
        ("f3", 145, 70),
        ("m7", 180, 45),
        ("f5", 165, 50),
    )
)
BABBLE_TEXT = (
    "She sells sea shells by the sea shore, and the shells she sells are surely sea shells. The quick brown fox jumps "
    "over the lazy dog, while a big dwarf only jumps. How much wood would a woodchuck chuck, if it could chuck wood? "
)
TURNS = {
    "appointment": "I would like to book an appointment.",
    "monday": "On Monday please.",
    "afternoon": "In the afternoon please.",
    "nothing-else": "No thank you.",
    "hours": "What are your opening hours?",
    "elephants": "Could you tell me a joke about elephants?",
}
PAUSES_S = {"appointment": 11.2, "monday": 6.6, "afternoon": 6.2, "nothing-else": 14.4}
"""In the recording played straight through: silence before each turn, long enough for the agent."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Booth:
    """Where recordings are made."""

    caller: EspeakVoice
    rng: np.random.Generator

    async def turn(self, text: str) -> Float:
        """One turn at telephone bandwidth and level, without noise."""
        return levelled(await spoken(self.caller, text))


async def spoken(voice: EspeakVoice, text: str) -> Float:
    """Speech at 8 kHz in the telephone's band."""
    utterance = await voice.say(text)
    resampler = Resampler(voice.rate_hz, RATE_HZ)
    samples = np.concatenate((resampler.push(utterance.samples), resampler.flush()))
    return band(to_float32(samples).astype(np.float64))


def band(samples: Float) -> Float:
    """What a telephone lets through."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(samples.size, 1 / RATE_HZ)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    filtered: Float = np.fft.irfft(spectrum, samples.size)
    return filtered


def levelled(samples: Float, dbfs: float = SPEECH_DBFS) -> Float:
    """Active speech at this level."""
    now = active_dbfs(to_int16(samples.astype(np.float32)), RATE_HZ)
    return samples * 10 ** ((dbfs - now) / 20)


def pause(seconds: float) -> Float:
    """Silence, before the line adds its noise."""
    return np.zeros(round(seconds * RATE_HZ))


def on_the_line(samples: Float, rng: np.random.Generator) -> Int16:
    """Line noise, and mu-law there and back."""
    noisy = samples + rng.standard_normal(samples.size) * 10 ** (NOISE_DBFS / 20)
    return decode_ulaw(encode_ulaw(to_int16(noisy.astype(np.float32))))


async def babble(n_samples: int) -> Float:
    """Six voices at once, `BABBLE_SNR_DB` below the caller."""
    mix = np.zeros(n_samples)
    for index, options in enumerate(BABBLERS):
        voice = EspeakVoice(options)
        try:
            words = await spoken(voice, BABBLE_TEXT)
        finally:
            await voice.close()
        mix += np.resize(np.roll(levelled(words), index * RATE_HZ), n_samples)
    rms_db = 10 * np.log10(np.mean(np.square(mix)))
    quiet: Float = mix * 10 ** ((SPEECH_DBFS - BABBLE_SNR_DB - rms_db) / 20)
    return quiet


def write(name: str, samples: Int16) -> None:
    """One file, mono, 16 bit, lossless."""
    soundfile.write(OUT / f"{name}.flac", samples, RATE_HZ, subtype="PCM_16")
    print(f"{name}.flac: {samples.size / RATE_HZ:.2f} s")


async def make(booth: Booth) -> None:
    """All recordings."""
    turns = {name: await booth.turn(text) for name, text in TURNS.items()}
    for name, turn in turns.items():
        write(name, on_the_line(np.concatenate((pause(LEAD_S), turn, pause(TAIL_S))), booth.rng))
    story = np.concatenate(
        [part for name in PAUSES_S for part in (pause(PAUSES_S[name]), turns[name])]
    )
    story = np.concatenate((story, pause(6.0)))
    write("booking-straight", on_the_line(story, booth.rng))
    write("booking-babble", on_the_line(story + await babble(story.size), booth.rng))
    write("silent", on_the_line(pause(20.0), booth.rng))


async def main_async() -> None:
    """Open the booth, record, close it."""
    OUT.mkdir(parents=True, exist_ok=True)
    caller = EspeakVoice(CALLER)
    try:
        await make(Booth(caller, np.random.default_rng(SEED)))
    finally:
        await caller.close()


def main() -> None:
    """Make the recordings."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    ).parse_args()
    asyncio.run(main_async())


if __name__ == "__main__":
    main()
