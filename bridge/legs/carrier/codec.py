"""The audio of a carrier's socket: payloads to samples and back, one function for each direction.

What has state (G.722, Opus) is one stream: a decoder or encoder serves one call and one direction. Opus takes exactly
20 ms at once, G.722 whole frames; the others any length.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from bridge.wire.carriers.base import Encoding, MediaFormat
from bridge_codecs.errors import CodecError
from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from bridge_codecs.g722 import SAMPLE_RATE_HZ as G722_HZ
from bridge_codecs.g722 import G722Decoder, G722Encoder
from bridge_codecs.l16 import decode_l16, encode_l16
from bridge_codecs.opus import FRAME_MS as OPUS_FRAME_MS
from bridge_codecs.opus import OpusDecoder, OpusEncoder
from bridge_codecs.pcm import Int16, from_bytes, to_bytes

Decode: TypeAlias = Callable[[bytes], Int16]
"""A payload to mono samples, shape (n,). Raises CodecError for bytes that cannot be decoded."""
Encode: TypeAlias = Callable[[Int16], bytes]
"""Mono samples, shape (n,), to a payload."""

WHOLE_FRAMES: Final[frozenset[Encoding]] = frozenset({"g722", "opus"})
"""Encodings that take whole frames only."""

_BYTES_PER_SAMPLE: Final[dict[Encoding, float]] = {
    "ulaw": 1,
    "alaw": 1,
    "l16le": 2,
    "l16be": 2,
    "g722": 0.5,
    "opus": 0.5,  # 64 kbit/s at 16 kHz, more than a call ever has
}
_DECODE: Final[dict[Encoding, Decode]] = {
    "ulaw": decode_ulaw,
    "alaw": decode_alaw,
    "l16le": from_bytes,
    "l16be": partial(decode_l16, byteorder="big"),
}
_ENCODE: Final[dict[Encoding, Encode]] = {
    "ulaw": encode_ulaw,
    "alaw": encode_alaw,
    "l16le": to_bytes,
    "l16be": partial(encode_l16, byteorder="big"),
}


def decoder(audio: MediaFormat) -> Decode:
    """Decodes one stream of payloads; of several channels it gives the first.

    Raises: CodecError for a rate that the encoding does not have.
    """
    if audio.encoding == "opus":
        return OpusDecoder(audio.rate_hz).decode  # mixes its channels itself
    if audio.encoding == "g722":
        _check_g722(audio)
        return G722Decoder().decode
    decode = _DECODE[audio.encoding]
    return decode if audio.channels == 1 else partial(_first_channel, decode, audio.channels)


def encoder(audio: MediaFormat, frame_ms: int) -> Encode:
    """Encodes one stream in frames of ``frame_ms``; several channels get the same.

    Raises: CodecError for a rate or a frame that the encoding does not have.
    """
    if audio.encoding == "opus":
        if frame_ms != OPUS_FRAME_MS:
            raise CodecError(f"Opus is sent in frames of {OPUS_FRAME_MS} ms, not {frame_ms}")
        return OpusEncoder(audio.rate_hz).encode
    if audio.encoding == "g722":
        _check_g722(audio)
        return G722Encoder(frame_ms).encode
    encode = _ENCODE[audio.encoding]
    return encode if audio.channels == 1 else partial(_all_channels, encode, audio.channels)


def bytes_per_s(audio: MediaFormat) -> int:
    """About how many bytes one second of audio has."""
    return int(_BYTES_PER_SAMPLE[audio.encoding] * audio.rate_hz * audio.channels)


def _check_g722(audio: MediaFormat) -> None:
    if (audio.rate_hz, audio.channels) != (G722_HZ, 1):
        raise CodecError(
            f"G.722 is mono at {G722_HZ} Hz, not {audio.channels} channels at {audio.rate_hz} Hz"
        )


def _first_channel(decode: Decode, channels: int, payload: bytes) -> Int16:
    samples = decode(payload)
    if samples.size % channels:
        raise CodecError(f"{samples.size} samples are no whole frames of {channels} channels")
    return samples[::channels].copy()


def _all_channels(encode: Encode, channels: int, samples: Int16) -> bytes:
    return encode(np.repeat(samples, channels))
