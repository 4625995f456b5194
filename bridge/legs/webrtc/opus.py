"""Opus on a connection with losses: libopus itself, by ctypes, for what FFmpeg does not pass on.

Sources: RFC 6716 and 7587, reference webrtc 5 and 6. Only libopus conceals lost packets, reads the copy of a packet
that its successor may carry (in-band FEC), works at our own rates without a resampler, and takes settings while it
runs. The system's library is used, else the copy that PyAV brings; where there is neither, PyAV codes, and what is lost
is concealed as far as it can.

The library is called with Python's lock held: a packet takes 0.1 ms at most, less than to give the lock up under load.
"""

import ctypes
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from bridge.legs.webrtc.options import OPUS_HZ
from bridge_codecs.errors import CodecError
from bridge_codecs.opus import OpusDecoder as AvDecoder
from bridge_codecs.opus import OpusEncoder as AvEncoder
from bridge_codecs.opus_packet import CLOCK_HZ, has_copy, packet_samples
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

FRAME_MS: Final = 20
COMPLEXITY: Final = 5
"""Of 10."""

_MAX_MS: Final = 120
_MAX_BYTES: Final = 1_275
_GRID_HZ: Final = 400
"""libopus conceals in multiples of 2.5 ms."""
_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_SET_FEC: Final = 4012
_SET_LOSS: Final = 4014
_SET_SIGNAL: Final = 4024
_SIGNAL_VOICE: Final = 3001
_NAMES: Final = {"win32": ("opus.dll", "libopus-0.dll"), "darwin": ("libopus.0.dylib",)}


class Decoder(Protocol):
    """One stream of packets to mono int16 at ``rate_hz``. Lengths are samples at 48 kHz, as RTP counts them."""

    rate_hz: int

    def decode(self, packet: bytes) -> Int16:
        """A packet. Raises: CodecError if it is none; the stream may go on."""
        ...

    def conceal(self, n_samples: int, fec: bytes | None = None) -> Int16:
        """What was lost, as well as it can be guessed, or read from the packet after it."""
        ...

    def recovers(self, n_samples: int, fec: bytes | None) -> bool:
        """Whether `conceal` would read what was lost rather than guess it."""
        ...


class Encoder(Protocol):
    """Frames of 20 ms, mono int16 at ``rate_hz``, to packets."""

    rate_hz: int
    frame_samples: int

    def encode(self, frame: Int16) -> bytes:
        """A frame, shape (frame_samples,)."""
        ...

    def expect_loss(self, percent: int) -> None:
        """So much of what is sent gets lost: put copies into the packets, or, at 0, none."""
        ...


def make_decoder(rate_hz: int) -> Decoder:
    """The best there is. Raises: CodecError for a rate that Opus does not have."""
    _check_rate(rate_hz)
    return LibDecoder(rate_hz, _LIB) if _LIB is not None else PlainDecoder(rate_hz)


def make_encoder(rate_hz: int, bitrate: int) -> Encoder:
    """The best there is; `bitrate` in bit/s. Raises: CodecError for a rate that Opus does not have."""
    _check_rate(rate_hz)
    return (
        LibEncoder(rate_hz, bitrate, _LIB) if _LIB is not None else PlainEncoder(rate_hz, bitrate)
    )


def load_libopus() -> ctypes.PyDLL | None:
    """The system's library or PyAV's copy, with its functions declared; None if there is neither."""
    for name in (*_NAMES.get(sys.platform, ("libopus.so.0",)), *_in_pyav()):
        try:
            return _declared(ctypes.PyDLL(name))
        except (OSError, AttributeError):
            continue
    return None


def _in_pyav() -> list[str]:
    spec = find_spec("av")
    if spec is None or spec.origin is None:
        return []
    package = Path(spec.origin).parent
    places = (package.parent / "av.libs", package / ".dylibs")
    return sorted(str(path) for place in places for path in place.glob("libopus*"))


def _declared(lib: ctypes.PyDLL) -> ctypes.PyDLL:
    for name in ("encoder", "decoder"):
        getattr(lib, f"opus_{name}_create").restype = ctypes.c_void_p
        getattr(lib, f"opus_{name}_destroy").argtypes = [ctypes.c_void_p]
        getattr(lib, f"opus_{name}_destroy").restype = None
    lib.opus_encoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    lib.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.c_void_p]
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    lib.opus_encode.argtypes = [pointer, pointer, ctypes.c_int, pointer, number]
    lib.opus_encode.restype = number
    lib.opus_decode.argtypes = [
        *(pointer, ctypes.c_char_p, number),
        *(pointer, ctypes.c_int, ctypes.c_int),
    ]
    lib.opus_decode.restype = ctypes.c_int
    # One argument follows that is not declared: some systems pass those of variadic functions elsewhere.
    lib.opus_encoder_ctl.argtypes = [pointer, ctypes.c_int]
    lib.opus_encoder_ctl.restype = ctypes.c_int
    return lib


_LIB: Final = load_libopus()


class LibDecoder:
    """A decoder of libopus. Not for several threads."""

    def __init__(self, rate_hz: int, lib: ctypes.PyDLL) -> None:
        failed = ctypes.c_int()
        self.rate_hz = rate_hz
        self._handle = lib.opus_decoder_create(rate_hz, 1, ctypes.byref(failed))
        if not self._handle:
            raise CodecError(f"libopus cannot decode at {rate_hz} Hz (error {failed.value})")
        self._destroy = lib.opus_decoder_destroy
        self._decode = lib.opus_decode
        self._made = np.empty(rate_hz * _MAX_MS // 1000, np.int16)
        self._at = self._made.ctypes.data

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._destroy(self._handle)

    def decode(self, packet: bytes) -> Int16:
        """See Decoder."""
        n = self._decode(self._handle, packet, len(packet), self._at, self._made.size, 0)
        if n < 0 or not packet:
            raise CodecError(f"{len(packet)} bytes are no Opus packet")
        return self._made[:n].copy()

    def conceal(self, n_samples: int, fec: bytes | None = None) -> Int16:
        """See Decoder."""
        n = n_samples * self.rate_hz // CLOCK_HZ
        n_grid = min(n - n % (self.rate_hz // _GRID_HZ), self._made.size)
        out = np.zeros(n, np.int16)
        if n_grid:
            has_fec = _fits(n_samples, fec)
            data = fec if has_fec else None
            size = len(data) if data is not None else 0
            made = self._decode(self._handle, data, size, self._at, n_grid, int(has_fec))
            if made > 0:
                out[:made] = self._made[:made]
        return out

    def recovers(self, n_samples: int, fec: bytes | None) -> bool:
        """See Decoder."""
        return fec is not None and _fits(n_samples, fec) and has_copy(fec)


def _fits(n_samples: int, fec: bytes | None) -> bool:
    return fec is not None and packet_samples(fec) == n_samples


class LibEncoder:
    """An encoder of libopus. Not for several threads."""

    def __init__(self, rate_hz: int, bitrate: int, lib: ctypes.PyDLL) -> None:
        failed = ctypes.c_int()
        self.rate_hz = rate_hz
        self.frame_samples = rate_hz * FRAME_MS // 1000
        self._lib = lib
        self._handle = lib.opus_encoder_create(rate_hz, 1, _VOIP, ctypes.byref(failed))
        if not self._handle:
            raise CodecError(f"libopus cannot encode at {rate_hz} Hz (error {failed.value})")
        self._encode = lib.opus_encode
        self._packet = ctypes.create_string_buffer(_MAX_BYTES)
        self._set(_SET_BITRATE, bitrate)
        self._set(_SET_COMPLEXITY, COMPLEXITY)
        self._set(_SET_SIGNAL, _SIGNAL_VOICE)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._lib.opus_encoder_destroy(self._handle)

    def encode(self, frame: Int16) -> bytes:
        """See Encoder. Raises: CodecError if it is not one row of so many int16."""
        if frame.shape != (self.frame_samples,) or frame.dtype != np.int16:
            raise CodecError(f"a frame has {self.frame_samples} samples of int16")
        samples = np.ascontiguousarray(frame)
        n = self._encode(
            self._handle, samples.ctypes.data, self.frame_samples, self._packet, _MAX_BYTES
        )
        if n < 0:
            raise CodecError(f"libopus could not encode a frame (error {n})")
        return self._packet.raw[:n]

    def expect_loss(self, percent: int) -> None:
        """See Encoder."""
        self._set(_SET_LOSS, min(max(percent, 0), 100))
        self._set(_SET_FEC, 1 if percent > 0 else 0)

    def _set(self, what: int, value: int) -> None:
        self._lib.opus_encoder_ctl(self._handle, what, ctypes.c_int32(value))


class PlainDecoder:
    """A decoder of PyAV; it conceals by libopus's own means, but reads no copies."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        at_hz = 2 * rate_hz if rate_hz == OPUS_HZ[1] else rate_hz
        self._codec = AvDecoder(at_hz)
        self._resampler = Resampler(at_hz, rate_hz)

    def decode(self, packet: bytes) -> Int16:
        """See Decoder."""
        return self._resampler.push(self._codec.decode(packet))

    def conceal(self, n_samples: int, fec: bytes | None = None) -> Int16:  # noqa: ARG002 - a Decoder
        """See Decoder."""
        n = n_samples * self.rate_hz // CLOCK_HZ
        out = np.zeros(n, np.int16)
        guessed = self._resampler.push(self._codec.decode(None))[:n]
        out[: guessed.size] = guessed
        return out

    def recovers(self, n_samples: int, fec: bytes | None) -> bool:  # noqa: ARG002 - a Decoder
        """See Decoder."""
        return False


class PlainEncoder:
    """An encoder of PyAV, without copies of packets."""

    def __init__(self, rate_hz: int, bitrate: int) -> None:
        self.rate_hz = rate_hz
        at_hz = 2 * rate_hz if rate_hz == OPUS_HZ[1] else rate_hz
        self.frame_samples = rate_hz * FRAME_MS // 1000
        self._codec = AvEncoder(at_hz, bitrate)
        self._resampler = Resampler(rate_hz, at_hz)

    def encode(self, frame: Int16) -> bytes:
        """See Encoder. Raises: CodecError if it is not one row of so many int16."""
        return self._codec.encode(self._resampler.push(frame))

    def expect_loss(self, percent: int) -> None:
        """See Encoder: there is nothing to be done."""


def _check_rate(rate_hz: int) -> None:
    if rate_hz not in OPUS_HZ:
        raise CodecError(f"Opus works at 8, 12, 16, 24 or 48 kHz, not at {rate_hz} Hz")
