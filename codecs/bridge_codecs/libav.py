"""One audio codec of FFmpeg through PyAV: mono int16 in or out, whole frames, no container.

PyAV is loaded when the first codec is made and not before: it takes a third of the start-up time.
The codecs that stand on this module (G.722, Opus) say what their frames are.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16, check_int16

if TYPE_CHECKING:
    from av import AudioCodecContext

_NOTHING: Final[Int16] = np.zeros(0, np.int16)


class Encoder:
    """A stream of frames of `frame_samples` each, one packet a frame. Not for several threads.

    Raises: CodecError if FFmpeg cannot make the codec so.
    """

    __slots__ = ("_context", "_make_frame", "frame_samples", "rate_hz")

    def __init__(
        self, name: str, rate_hz: int, options: Mapping[str, str], bitrate: int | None = None
    ) -> None:
        import av  # noqa: PLC0415 - slow to load, and for these codecs only

        self.rate_hz = rate_hz
        self._make_frame = av.AudioFrame
        self._context = cast("AudioCodecContext", av.CodecContext.create(name, "w"))
        self._context.sample_rate = rate_hz
        self._context.layout = "mono"
        self._context.format = "s16"
        self._context.options = dict(options)
        if bitrate is not None:
            self._context.bit_rate = bitrate
        try:
            self._context.open()
        except av.FFmpegError as failure:
            raise CodecError(f"FFmpeg cannot encode {name} so: {failure.strerror}") from failure
        self.frame_samples = self._context.frame_size

    def encode(self, frame: Int16) -> bytes:
        """Encode one whole frame.

        Raises: CodecError if it is not one row of `frame_samples` int16.
        """
        check_int16(frame)
        if frame.size != self.frame_samples:
            raise CodecError(f"a frame has {self.frame_samples} samples, not {frame.size}")
        return self._encoded(frame)

    def finish(self, rest: Int16) -> bytes:
        """Encode a last, shorter frame; no other may follow it."""
        return self._encoded(rest) + b"".join(map(bytes, self._context.encode(None)))

    def _encoded(self, samples: Int16) -> bytes:
        frame = self._make_frame(format="s16", layout="mono", samples=samples.size)
        plane = frame.planes[0]
        # FFmpeg may have rounded the plane up; it takes all of it or nothing.
        plane.update(samples.tobytes().ljust(plane.buffer_size, b"\0"))
        frame.sample_rate = self.rate_hz
        return b"".join(map(bytes, self._context.encode(frame)))


class Decoder:
    """A stream of packets, each decoded at once. Not for several threads."""

    __slots__ = ("_context", "_error", "_make_packet")

    def __init__(self, name: str, rate_hz: int) -> None:
        import av  # noqa: PLC0415 - slow to load, and for these codecs only

        self._error = av.FFmpegError
        self._make_packet = av.Packet
        self._context = cast("AudioCodecContext", av.CodecContext.create(name, "r"))
        self._context.sample_rate = rate_hz
        self._context.layout = "mono"

    def decode(self, payload: bytes) -> Int16:
        """Decode one packet: int16, shape (n,), read-only. Nothing in, nothing out.

        Raises: CodecError if the codec does not take the packet; the stream may go on.
        """
        if not payload:  # to FFmpeg an empty packet is the end of the stream
            return _NOTHING
        try:
            frames = self._context.decode(self._make_packet(payload))
        except self._error as failure:
            name = self._context.name
            raise CodecError(f"no {name} packet: {failure.strerror}") from failure
        made = [_samples(bytes(frame.planes[0]), frame.samples) for frame in frames]
        return made[0] if len(made) == 1 else np.concatenate([_NOTHING, *made])


def _samples(plane: bytes, n_samples: int) -> Int16:
    # The plane may be longer than what is in it.
    return np.frombuffer(plane, np.int16, n_samples)
