"""What a carrier plays by itself: recordings it fetches, tones that stand for speech, ringing."""

import io
from typing import Final

import numpy as np
import soundfile

from bridge.testing.playout import Packet
from bridge_codecs.pcm import Int16, to_int16
from bridge_codecs.resample import Resampler
from bridge_codecs.tones import progress_tone

SAY_LETTER_S: Final = 0.06
MAX_SOUND_S: Final = 60.0


class Sound:
    """Plays samples once: a player for the line."""

    def __init__(self, samples: Int16) -> None:
        self._samples = samples
        self._at = 0

    @property
    def n_samples(self) -> int:
        """How long it is."""
        return self._samples.size

    def play(self, n_samples: int) -> Packet:
        """The next packet; none of it is the stream's."""
        packet = np.zeros(n_samples, np.int16)
        piece = self._samples[self._at : self._at + n_samples]
        packet[: piece.size] = piece
        self._at += n_samples
        return Packet(packet, 0, ())

    def said(self, samples: Int16) -> None:
        """Nobody listens."""

    def key(self, digit: str) -> None:
        """Nobody waits for keys."""


def spoken(text: str, rate_hz: int) -> Int16:
    """A tone as long as it takes to say the text."""
    seconds = min(MAX_SOUND_S, SAY_LETTER_S * len(text))
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    tone: Int16 = (3_000 * np.sin(2 * np.pi * 350 * at)).astype(np.int16)
    return tone


def ringing(seconds: float, rate_hz: int) -> Int16:
    """The ring-back tone."""
    return progress_tone("ringback", "us", rate_hz, round(min(seconds, MAX_SOUND_S) * rate_hz))


def recording(content: bytes, rate_hz: int) -> Int16 | None:
    """A fetched file's left channel at the line's rate; None if it is no audio. Blocks."""
    try:
        samples, file_hz = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError):
        return None
    left = to_int16(np.ascontiguousarray(samples[: int(MAX_SOUND_S * file_hz), 0]))
    if file_hz == rate_hz:
        return left
    resampler = Resampler(int(file_hz), rate_hz)
    return np.concatenate([resampler.push(left), resampler.flush()])
