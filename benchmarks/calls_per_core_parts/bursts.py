"""What the emulated callers say, and how the same is found again in what they hear.

Every half second a burst of tones of 60 ms, between them noise at the level of a quiet room. A burst is the sum of
tones from 300 to 3,000 Hz in phases of their own: its correlation with itself has one sharp peak, with the others none.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16

RATE_HZ: Final = 8_000
FRAME: Final = 160
FRAME_S: Final = FRAME / RATE_HZ
PERIOD: Final = 25
"""Frames from one burst to the next."""
BURST_FRAMES: Final = 3
KINDS: Final = 16
"""Bursts that differ: the same one comes again after 8 s."""
_ALIKE: Final = 0.7
"""Correlation from which on a burst is found; two different ones stay below 0.3."""
_REACHES_S: Final = (0.1, 0.5, 4.0)
"""How far behind its sending a burst is looked for: the nearest first."""

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """What one caller heard.

    Attributes:
        samples: shape (n,), at 8 kHz, in the order of arrival.
        starts: index of the first sample of each message, shape (m,).
        arrived_s: when each message came, shape (m,).
        played_s: when the caller's ear gets each message that plays all at once, and waits for none, shape (m,).
    """

    samples: Int16
    starts: NDArray[np.int64]
    arrived_s: Float64
    played_s: Float64


def heard(messages: Sequence[tuple[float, bytes]]) -> Heard:
    """Decode what came: times and µ-law in base64."""
    payloads = [base64.b64decode(payload) for _at_s, payload in messages]
    sizes = np.array([len(payload) for payload in payloads], np.int64)
    arrived_s = np.array([at_s for at_s, _payload in messages], np.float64)
    played_s = arrived_s.copy()
    for i in range(1, len(messages)):
        played_s[i] = max(played_s[i], played_s[i - 1] + sizes[i - 1] / RATE_HZ)
    return Heard(decode_ulaw(b"".join(payloads)), np.cumsum(sizes) - sizes, arrived_s, played_s)


class Speech:
    """What a caller says, frame by frame; callers differ in where their bursts lie and which come."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        noise = random.normal(0, 30, PERIOD * FRAME).astype(np.int16)
        self._noise = [_base64(frame) for frame in noise.reshape(PERIOD, FRAME)]
        spoken = [_burst(random) for _ in range(KINDS)]
        self._bursts = [[_base64(frame) for frame in burst.reshape(-1, FRAME)] for burst in spoken]
        self._shapes = [_unit(decode_ulaw(encode_ulaw(burst))) for burst in spoken]

    def frame(self, caller: int, n: int) -> str:
        """Frame `n` of a caller: µ-law in base64."""
        burst, at = divmod(n + 7 * caller, PERIOD)
        if at < BURST_FRAMES:
            return self._bursts[self.kind(caller, burst)][at]
        return self._noise[at]

    @staticmethod
    def kind(caller: int, burst: int) -> int:
        """Which burst comes at this caller's turn `burst`."""
        return (burst + 5 * caller) % KINDS

    @staticmethod
    def bursts(caller: int, n_frames: int) -> list[tuple[int, int]]:
        """All whole bursts within so many frames: the number of the first frame of each, and its kind."""
        first = -(-7 * caller // PERIOD)
        numbers = range(first, (n_frames + 7 * caller) // PERIOD)
        return [(i * PERIOD - 7 * caller, Speech.kind(caller, i)) for i in numbers]

    def find(self, ear: Heard, kind: int, sent_s: float) -> tuple[float, float] | None:
        """Seconds from the sending of a burst to its arrival, and to the ear; None if it never came."""
        shape = self._shapes[kind]
        for reach_s in _REACHES_S:
            first, last = np.searchsorted(ear.arrived_s, (sent_s, sent_s + reach_s))
            if first >= ear.starts.size:
                return None
            begin = int(ear.starts[first])
            end = ear.samples.size if last >= ear.starts.size else int(ear.starts[last])
            at = _find(ear.samples[begin : end + shape.size].astype(np.float64), shape)
            if at is not None:
                return self._delays(ear, begin + at, sent_s)
        return None

    @staticmethod
    def _delays(ear: Heard, position: int, sent_s: float) -> tuple[float, float]:
        message = int(np.searchsorted(ear.starts, position, "right")) - 1
        within_s = (position - ear.starts[message]) / RATE_HZ - sent_s
        return float(ear.arrived_s[message] + within_s), float(ear.played_s[message] + within_s)


def _find(samples: Float64, shape: Float64) -> int | None:
    if samples.size < shape.size:
        return None
    n = 1 << (samples.size + shape.size - 1).bit_length()
    spectrum = np.fft.rfft(samples, n) * np.fft.rfft(shape, n).conj()
    alike = np.fft.irfft(spectrum, n)[: samples.size - shape.size + 1]
    at = int(alike.argmax())
    there = samples[at : at + shape.size]
    loud = float(np.sqrt(there.dot(there)))
    return at if loud and alike[at] / loud >= _ALIKE else None


def _burst(random: np.random.Generator) -> Int16:
    t = np.arange(BURST_FRAMES * FRAME) / RATE_HZ
    tones_hz = np.arange(300, 3_001, 50)
    phases = random.uniform(0, 2 * np.pi, tones_hz.size)
    wave = np.sin(2 * np.pi * tones_hz * t[:, None] + phases).sum(axis=1)
    burst: Int16 = np.round(wave / np.abs(wave).max() * 16_000).astype(np.int16)
    return burst


def _unit(samples: Int16) -> Float64:
    wide = samples.astype(np.float64)
    unit: Float64 = wide / np.sqrt(wide.dot(wide))
    return unit


def _base64(samples: Int16) -> str:
    return base64.b64encode(encode_ulaw(samples)).decode()
