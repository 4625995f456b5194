"""Changes the format of a stream of audio payloads, and says how.

    >>> str(Chain.between(AudioFormat("ulaw", 8_000), AudioFormat("l16le", 48_000)))
    'ulaw 8000 -> pcm 8000 -> pcm 48000 -> l16le 48000 -> 20 ms'

Audio is resampled at most once, and not even decoded where both ends speak the same format.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bridge_codecs.errors import CodecError
from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from bridge_codecs.l16 import decode_l16, encode_l16
from bridge_codecs.pcm import Int16, from_bytes, to_bytes
from bridge_codecs.resample import Resampler

Encoding = Literal["ulaw", "alaw", "l16le", "l16be"]
Decode: TypeAlias = Callable[[bytes], Int16]
Encode: TypeAlias = Callable[[Int16], bytes]


def _decode_l16be(payload: bytes) -> Int16:
    return decode_l16(payload, "big")


def _encode_l16be(samples: Int16) -> bytes:
    return encode_l16(samples, "big")


_CODECS: Final[dict[Encoding, tuple[int, Decode, Encode]]] = {
    "ulaw": (1, decode_ulaw, encode_ulaw),
    "alaw": (1, decode_alaw, encode_alaw),
    "l16le": (2, from_bytes, to_bytes),
    "l16be": (2, _decode_l16be, _encode_l16be),
}
"""Bytes per sample, decoder, encoder."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How mono samples are written as bytes, and how many there are in a second."""

    encoding: Encoding
    rate_hz: int

    @property
    def bytes_per_sample(self) -> int:
        """1 for G.711, 2 for linear PCM."""
        return _CODECS[self.encoding][0]

    def __str__(self) -> str:
        return f"{self.encoding} {self.rate_hz}"


class Chain:
    """Payloads of one format in, frames of another out; `between` builds it.

    Args:
        source: format of what is pushed.
        sink: format of what comes out.
        frame_ms: duration of the frames that come out, ms; a whole number of samples.
    """

    def __init__(self, source: AudioFormat, sink: AudioFormat, frame_ms: int) -> None:
        n_samples, rest = divmod(sink.rate_hz * frame_ms, 1000)
        if n_samples < 1 or rest:
            raise ValueError(f"{frame_ms} ms at {sink.rate_hz} Hz is no whole number of samples")
        self.source = source
        self.sink = sink
        self.frame_ms = frame_ms
        self._decode = _CODECS[source.encoding][1]
        self._encode = _CODECS[sink.encoding][2]
        same_rate = source.rate_hz == sink.rate_hz
        self._resampler = None if same_rate else Resampler(source.rate_hz, sink.rate_hz)
        self._frame_bytes = n_samples * sink.bytes_per_sample
        self._pending = b""

    @classmethod
    def between(cls, source: AudioFormat, sink: AudioFormat, frame_ms: int = 20) -> "Chain":
        """The shortest chain from one format to the other, in frames of ``frame_ms``."""
        return cls(source, sink, frame_ms)

    def push(self, payload: bytes) -> list[bytes]:
        """Take a payload of any length in the source format; return the frames now complete.

        Raises:
            CodecError: the payload is no whole number of samples; the chain stays as it was.
        """
        return self._cut(self._convert(payload))

    def flush(self) -> list[bytes]:
        """End the stream: what is left inside, the last frame perhaps short. Then begin anew."""
        frames = []
        if self._resampler is not None:
            frames = self._cut(self._encode(self._resampler.flush()))
        if self._pending:
            frames.append(self._pending)
        self.reset()
        return frames

    def reset(self) -> None:
        """Forget the stream so far."""
        self._pending = b""
        if self._resampler is not None:
            self._resampler.reset()

    def __str__(self) -> str:
        stages = [str(self.source)]
        if self.source != self.sink:
            stages.append(f"pcm {self.source.rate_hz}")
            if self._resampler is not None:
                stages.append(f"pcm {self.sink.rate_hz}")
            stages.append(str(self.sink))
        return " -> ".join((*stages, f"{self.frame_ms} ms"))

    def _convert(self, payload: bytes) -> bytes:
        if self.source == self.sink:
            if len(payload) % self.source.bytes_per_sample:
                raise CodecError(f"{len(payload)} bytes are no whole number of 16-bit samples")
            return payload
        samples = self._decode(payload)
        if self._resampler is not None:
            samples = self._resampler.push(samples)
        return self._encode(samples)

    def _cut(self, converted: bytes) -> list[bytes]:
        size = self._frame_bytes
        if not self._pending and len(converted) == size:
            return [converted]
        stream = self._pending + converted
        whole = len(stream) // size * size
        self._pending = stream[whole:]
        return [stream[begin : begin + size] for begin in range(0, whole, size)]
