"""The way from a loudspeaker to a microphone in a room, and voices to send over it."""

import functools
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridge.batch.audio_file import read_audio
from bridge_codecs.pcm import Int16

RECORDINGS: Final = Path(__file__).parents[2] / "bridge" / "assets" / "recordings"
RATE_HZ: Final = 16_000
REVERBERATION_S: Final = 0.1


@functools.cache
def voice(name: str) -> Int16:
    """A shipped recording at 16 kHz, its peak at half of full scale."""
    samples = read_audio(RECORDINGS / f"{name}.flac", RATE_HZ).samples.astype(np.float64)
    loud: Int16 = np.rint(samples * (16_384 / np.abs(samples).max())).astype(np.int16)
    return loud


def talking(seconds: float, *names: str) -> Int16:
    """Recordings one after the other, again and again."""
    return np.resize(np.concatenate([voice(name) for name in names]), round(seconds * RATE_HZ))


class EchoPath:
    """Samples of the loudspeaker in, as many of the microphone out; chunked as one likes.

    Args:
        rate_hz: of both, Hz.
        level_db: how much weaker the echo comes back.
        delay_ms: how late its first sound comes.
        reverberant: whether the room rings on for 0.1 s.
    """

    def __init__(
        self,
        rate_hz: int = RATE_HZ,
        *,
        level_db: float = -10.0,
        delay_ms: float = 40.0,
        reverberant: bool = True,
        seed: int = 1,
    ) -> None:
        delay = round(delay_ms * rate_hz / 1000)
        n_tail = round(REVERBERATION_S * rate_hz) if reverberant else 1
        at = np.arange(n_tail)
        tail = 0.3 * np.random.default_rng(seed).normal(size=n_tail)
        tail *= np.exp(-at / (0.02 * rate_hz))
        tail[0] = 1.0
        tail *= 10 ** (level_db / 20) / np.sqrt(np.sum(tail**2))
        self._response: NDArray[np.float32] = np.concatenate((np.zeros(delay), tail)).astype(
            np.float32
        )
        self._before: NDArray[np.float32] = np.zeros(self._response.size - 1, np.float32)

    def push(self, played: Int16) -> Int16:
        """What the microphone hears of it, shape (n,) int16 for n samples played."""
        whole = np.concatenate((self._before, played.astype(np.float32)))
        n_fft = 1 << (whole.size + self._response.size - 2).bit_length()
        heard = np.fft.irfft(np.fft.rfft(whole, n_fft) * np.fft.rfft(self._response, n_fft), n_fft)
        echo = heard[self._before.size : whole.size]
        self._before = whole[whole.size - self._before.size :]
        return np.clip(np.rint(echo), -32_768, 32_767).astype(np.int16)
