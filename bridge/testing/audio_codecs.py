"""Encoders and decoders of the carriers' audio, one packet of 20 ms at a time."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from bridge_codecs.errors import CodecError
from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from bridge_codecs.g722 import G722Decoder, G722Encoder
from bridge_codecs.l16 import ByteOrder, decode_l16, encode_l16
from bridge_codecs.opus import OpusDecoder, OpusEncoder
from bridge_codecs.pcm import Int16

CodecName: TypeAlias = Literal["PCMU", "PCMA", "G722", "OPUS", "L16"]
Encode: TypeAlias = Callable[[Int16], bytes]
Decode: TypeAlias = Callable[[bytes], Int16]
G722_HZ = 16_000


def sample_rate_of(codec: CodecName, wanted_hz: int) -> int:
    """The rate of the samples of a codec, Hz; some leave no choice."""
    return {"PCMU": 8_000, "PCMA": 8_000, "G722": G722_HZ}.get(codec, wanted_hz)


def encoder(codec: CodecName, rate_hz: int, byteorder: ByteOrder) -> Encode:
    """One stream's encoder: 20 ms of samples to a payload."""
    match codec:
        case "PCMU":
            return encode_ulaw
        case "PCMA":
            return encode_alaw
        case "G722":
            return G722Encoder().encode
        case "OPUS":
            return OpusEncoder(rate_hz).encode
        case "L16":
            return lambda samples: encode_l16(samples, byteorder)


def decoder(codec: CodecName, rate_hz: int, byteorder: ByteOrder) -> Decode:
    """One stream's decoder: a payload to samples. It raises CodecError."""
    match codec:
        case "PCMU":
            return decode_ulaw
        case "PCMA":
            return decode_alaw
        case "G722":
            return G722Decoder().decode
        case "OPUS":
            return OpusDecoder(rate_hz).decode
        case "L16":
            return lambda payload: decode_l16(payload, byteorder)


def looks_like_noise(samples: Int16) -> bool:
    """Whether 16-bit audio looks as if its bytes were in the wrong order: neighbours have nothing in common."""
    wide = samples.astype("f8")
    power = float((wide * wide).mean()) if wide.size else 0.0
    if wide.size < 160 or power < 1_000.0**2:
        return False
    steps = wide[1:] - wide[:-1]
    return float((steps * steps).mean()) > 1.5 * power


__all__ = [
    "CodecError",
    "CodecName",
    "Decode",
    "Encode",
    "decoder",
    "encoder",
    "looks_like_noise",
    "sample_rate_of",
]
