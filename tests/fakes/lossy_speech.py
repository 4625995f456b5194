"""Speech that goes through a network that loses and delays packets, into an ear of ours; in virtual time, by a seed."""

import asyncio
from functools import cache
from typing import Final

import numpy as np

from bridge.brains.speech.espeak import EspeakVoice
from bridge.legs.webrtc.ear import Ear
from bridge.legs.webrtc.opus import make_encoder
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler
from tests.fakes.lossy import FRAME_S, arrivals

SEND_HZ: Final = 24_000
EAR_HZ: Final = 16_000
JITTER_S: Final = 0.02
LAG_S: Final = 0.0065
"""How far the encoder looks ahead."""
WORDS: Final = (
    "The quick brown fox jumps over the lazy dog near the river bank. She sells sea shells by the sea shore. ",
    "He thought about seven thick thistle sticks. We were away a year ago, when the weather changed for good.",
)


@cache
def speech() -> Int16:
    """Some eleven seconds at `SEND_HZ`."""

    async def say() -> Int16:
        voice = EspeakVoice()
        try:
            spoken = [(await voice.say(text)).samples for text in WORDS]
        finally:
            await voice.close()
        return np.concatenate(spoken)

    return resampled(asyncio.run(say()), EspeakVoice.rate_hz, SEND_HZ)


@cache
def packets(percent: int) -> tuple[bytes, ...]:
    """The speech as a sender encodes it who knows of so much loss."""
    encoder = make_encoder(SEND_HZ, 28_000)
    encoder.expect_loss(percent)
    n = encoder.frame_samples
    samples = speech()
    return tuple(encoder.encode(samples[i : i + n]) for i in range(0, samples.size - n + 1, n))


def resampled(samples: Int16, from_hz: int, to_hz: int) -> Int16:
    """The same sound at another rate."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def heard(sent: tuple[bytes, ...], comes: list[bool], *, jitter_s: float = JITTER_S) -> Int16:
    """What an ear makes of what comes, until the last packet's time is over."""

    async def listen() -> Int16:
        loop = asyncio.get_running_loop()
        out: list[Int16] = []
        ear = Ear(out.append, EAR_HZ)
        began_s = loop.time()
        for at_s, index in arrivals(comes, jitter_s, 7):
            await asyncio.sleep(max(0.0, began_s + at_s - loop.time()))
            ear.put(index & 0xFFFF, 960 * index, sent[index])
        end_s = began_s + FRAME_S * len(comes) + ear.figures.patience_ms / 1000
        await asyncio.sleep(max(0.0, end_s - loop.time()))
        ear.close()
        return np.concatenate(out)

    return run_virtual(listen())


def intelligibility(sent: tuple[bytes, ...], comes: list[bool]) -> float:
    """STOI of what is heard against the speech as it was."""
    from pystoi import stoi

    clean = resampled(speech(), SEND_HZ, EAR_HZ)
    audio = heard(sent, comes)[round(LAG_S * EAR_HZ) :]
    n = min(clean.size, audio.size)
    return float(stoi(clean[:n], audio[:n], EAR_HZ))
