"""When the caller began to speak over the agent: found afterwards, from the last seconds of what was heard.

The audio is kept as it came, encoded, and decoded only when a clear asks: it costs next to nothing per frame.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from bridge.audio.level import audible_spans
from bridge.legs.carrier.codec import bytes_per_s, decoder
from bridge.wire.carriers.base import MediaFormat
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16, silence

KEPT_S: Final = 3.0
"""How far back the onset may lie, s; the noise floor is taken from the same stretch."""
RECENT_S: Final = 0.5
"""A caller who fell silent longer ago than this is not who interrupted, s.

A clear is decided while the caller speaks, or a round trip to the AI after a short word."""


class RecentAudio:
    """The last `KEPT_S` of one stream of payloads."""

    __slots__ = ("_audio", "_max_bytes", "_payloads", "add")

    def __init__(self, audio: MediaFormat) -> None:
        self._audio = audio
        self._max_bytes = int(KEPT_S * bytes_per_s(audio))
        self._payloads: deque[bytes] = deque()
        self.add: Callable[[bytes], None] = self._payloads.append
        """Takes the newest payload; `trim` has to be called now and then."""

    def trim(self) -> None:
        """Let the oldest payloads give way."""
        n_bytes = sum(map(len, self._payloads))
        while n_bytes > self._max_bytes:
            n_bytes -= len(self._payloads.popleft())

    def onset_s(self, heard_s: float, began_s: float, now_s: float) -> float | None:
        """Since when the caller has spoken over an agent who is cut off now; None if that was not a caller's voice.

        A caller who had finished before the agent began did not interrupt; one who had not spoke over the agent from
        its beginning on.

        Args:
            heard_s: when the end of what is kept came, loop time, as all of these.
            began_s: when the agent's present utterance began.
            now_s: when it is cut off.
        """
        samples, rate_hz = self._decoded(), self._audio.rate_hz
        spans = audible_spans(samples, rate_hz)
        if not spans:
            return None
        first_s = heard_s - samples.size / rate_hz
        start_s, end_s = (first_s + at / rate_hz for at in (spans[-1].start, spans[-1].end))
        return max(start_s, began_s) if end_s > max(began_s, now_s - RECENT_S) else None

    def _decoded(self) -> Int16:
        self.trim()
        decode = decoder(self._audio)
        pieces = [silence(0)]
        for payload in self._payloads:
            try:
                pieces.append(decode(payload))
            except CodecError:
                continue
        return np.concatenate(pieces)
