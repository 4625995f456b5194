"""When the caller began to speak over the agent: found afterwards, from the last seconds of what was heard.

The audio is kept as it came, encoded, and decoded only when a clear asks: it costs next to nothing per frame.
"""

from collections import deque
from typing import Final

import numpy as np

from bridge.audio.level import audible_spans
from bridge.legs.carrier.codec import bytes_per_s, decoder
from bridge.wire.carriers.base import MediaFormat
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16, silence

KEPT_S: Final = 3.0
"""How far back the onset may lie, s; the noise floor is taken from the same stretch."""
RECENT_S: Final = 1.5
"""A caller who fell silent longer ago than this is not who interrupted, s."""


class RecentAudio:
    """The last `KEPT_S` of one stream of payloads."""

    __slots__ = ("_audio", "_max_bytes", "_n_bytes", "_payloads")

    def __init__(self, audio: MediaFormat) -> None:
        self._audio = audio
        self._max_bytes = int(KEPT_S * bytes_per_s(audio))
        self._payloads: deque[bytes] = deque()
        self._n_bytes = 0

    def add(self, payload: bytes) -> None:
        """The newest payload; the oldest give way."""
        payloads = self._payloads
        payloads.append(payload)
        self._n_bytes += len(payload)
        while self._n_bytes > self._max_bytes:
            self._n_bytes -= len(payloads.popleft())

    def onset_ago_s(self) -> float | None:
        """How long before the end of what is kept the caller last began to speak, s; None if that is not known."""
        samples = self._decoded()
        spans = audible_spans(samples, self._audio.rate_hz)
        if not spans or samples.size - spans[-1].end > RECENT_S * self._audio.rate_hz:
            return None
        return (samples.size - spans[-1].start) / self._audio.rate_hz

    def _decoded(self) -> Int16:
        decode = decoder(self._audio)
        pieces = [silence(0)]
        for payload in self._payloads:
            try:
                pieces.append(decode(payload))
            except CodecError:
                continue
        return np.concatenate(pieces)
