"""Plain WAV files, read without any foreign decoder.

Reads RIFF/WAVE with integer PCM of 8, 16, 24 and 32 bits and float PCM of 32 and 64 bits, plain or
in the extensible form (Microsoft, Multiple Channel Audio Data and WAVE Files, 2007). Nothing the
header says is believed before it is checked: a length is at most what the file holds, chunks may
come in any order, and the endless lengths of unfinished files (0 or 0xFFFFFFFF) mean "to the end".
Whatever is not plain is left to others: `open_plain` gives None.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from bridge.batch.left_block import LeftBlock, from_floats
from bridge.errors import AudioFileError

MIN_RATE_HZ: Final = 1_000
MAX_RATE_HZ: Final = 384_000
MAX_CHANNELS: Final = 32
MAX_CHUNKS: Final = 1_000
"""More chunks than this before the audio is an attack, or no WAV at all."""

_PCM: Final = 1
_FLOAT: Final = 3
_EXTENSIBLE: Final = 0xFFFE
_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
_ENDLESS: Final = (0, 0xFFFFFFFF)
_BLOCK_BYTES: Final = 1 << 18
_WIDTHS: Final = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8)}


@dataclass(frozen=True, slots=True)
class WavLayout:
    """Where the samples of a plain WAV file are, and what they are."""

    is_float: bool
    width: int
    channels: int
    rate_hz: int
    data_start: int
    n_frames: int
    n_frames_promised: int | None
    """What the header says; None when it says "to the end"."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.width * self.channels


def open_plain(file: BinaryIO) -> WavLayout | None:
    """The layout of a plain WAV file, or None when it is something else.

    Raises: AudioFileError (without the file's name) when it is a WAV file that cannot be.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    chunks = _find_chunks(file, size)
    form = chunks.get(b"fmt ")
    data = chunks.get(b"data")
    if form is None or data is None:
        raise AudioFileError("the WAV header ends before any audio")
    return _layout(file, size, form, data, riff_size=int.from_bytes(head[4:8], "little"))


def read_left(file: BinaryIO, layout: WavLayout) -> Iterator[LeftBlock]:
    """The left channel in blocks, int16; 24 and 32 bits keep their upper 16."""
    file.seek(layout.data_start)
    frames_left = layout.n_frames
    per_block = max(1, _BLOCK_BYTES // layout.frame_bytes)
    while frames_left > 0:
        payload = file.read(min(per_block, frames_left) * layout.frame_bytes)
        n_frames = len(payload) // layout.frame_bytes
        if n_frames == 0:
            return
        frames_left -= n_frames
        yield _left(payload[: n_frames * layout.frame_bytes], layout)


def _find_chunks(file: BinaryIO, size: int) -> dict[bytes, tuple[int, int]]:
    """Start and promised length of the chunks up to the first fmt and data, in whichever order."""
    found: dict[bytes, tuple[int, int]] = {}
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > size:
            break
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        found.setdefault(head[:4], (at + 8, length))
        if b"fmt " in found and b"data" in found:
            break
        at += 8 + length + (length & 1)
    else:
        raise AudioFileError(f"the WAV header has more than {MAX_CHUNKS} chunks before its audio")
    return {key: found[key] for key in (b"fmt ", b"data") if key in found}


def _layout(
    file: BinaryIO, size: int, form: tuple[int, int], data: tuple[int, int], *, riff_size: int
) -> WavLayout | None:
    file.seek(form[0])
    fields = file.read(min(form[1], 40))
    if len(fields) < 16:
        raise AudioFileError("the WAV header is cut off")
    tag, channels = (int.from_bytes(fields[at : at + 2], "little") for at in (0, 2))
    rate_hz = int.from_bytes(fields[4:8], "little")
    bits = int.from_bytes(fields[14:16], "little")
    if tag == _EXTENSIBLE and fields[26:40] == _GUID_TAIL:
        tag = int.from_bytes(fields[24:26], "little")
    if tag not in _WIDTHS:
        return None
    _check(tag, channels, rate_hz, bits)
    frame_bytes = channels * bits // 8
    there = max(0, size - data[0])
    endless = data[1] == 0xFFFFFFFF or (data[1] == 0 and riff_size in _ENDLESS)
    return WavLayout(
        is_float=tag == _FLOAT,
        width=bits // 8,
        channels=channels,
        rate_hz=rate_hz,
        data_start=data[0],
        n_frames=(there if endless else min(there, data[1])) // frame_bytes,
        n_frames_promised=None if endless else data[1] // frame_bytes,
    )


def _check(tag: int, channels: int, rate_hz: int, bits: int) -> None:
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioFileError(f"it claims {channels} channels (1 to {MAX_CHANNELS} can be read)")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise AudioFileError(
            f"it claims {rate_hz} samples a second ({MIN_RATE_HZ} to {MAX_RATE_HZ} can be read)"
        )
    if bits % 8 or bits // 8 not in _WIDTHS[tag]:
        kind = "float" if tag == _FLOAT else "integer"
        raise AudioFileError(f"it claims {bits} bits per {kind} sample")


def _left(payload: bytes, layout: WavLayout) -> LeftBlock:
    if layout.is_float:
        numbers = np.frombuffer(payload, dtype=f"<f{layout.width}")[:: layout.channels]
        return from_floats(numbers)
    if layout.width == 1:
        octets = np.frombuffer(payload, dtype=np.uint8)[:: layout.channels]
        return LeftBlock(((octets.astype(np.int16) - 128) << 8).astype(np.int16))
    # The upper two octets of a little-endian sample are its last two.
    octets = np.frombuffer(payload, dtype=np.uint8).reshape(-1, layout.frame_bytes)
    upper = np.ascontiguousarray(octets[:, layout.width - 2 : layout.width])
    return LeftBlock(upper.view("<i2").reshape(-1).astype(np.int16))
