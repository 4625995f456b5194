"""Recordings from outside: any file that libsndfile or FFmpeg reads, as mono int16 at one rate.

Plain PCM WAV files are read here (`wav_reader`); everything else is decoded by a child process
under limits (`decode_child`), since decoders are C code fed by strangers. What a file holds before
it breaks is used and said in a note; a file that holds nothing is refused with one sentence. No
more of a file is in memory than its samples at the asked rate.
"""

import json
import os
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final

import numpy as np

from bridge.batch import wav_reader
from bridge.batch.left_block import LeftBlock, from_floats
from bridge.batch.rate import make_converter
from bridge.errors import AudioFileError
from bridge_codecs.pcm import Int16

MAX_DURATION_S: Final = 4 * 3600.0
"""No caller speaks longer; a file that does is refused before it fills the memory."""

_CHILD: Final = Path(__file__).with_name("decode_child.py")
_MAX_RECORD_BYTES: Final = 1 << 20
# The child watches its own CPU time; this is for a child that waits or a machine that crawls.
_CHILD_BASE_S: Final = 20.0
_CHILD_BYTES_PER_S: Final = 200_000


@dataclass(frozen=True, slots=True)
class RecordedAudio:
    """A recording, ready to play.

    Attributes:
        samples: Mono int16 at the asked rate.
        duration_s: Of the recording itself.
        note: Sentences for the user on what was changed or is amiss; empty when nothing was.
    """

    samples: Int16
    duration_s: float
    note: str = ""


@dataclass(slots=True)
class _Source:
    """What a decoder says about the audio it gives; complete once its blocks are used up."""

    rate_hz: int
    channels: int
    blocks: Iterator[LeftBlock]
    notes: list[str] = field(default_factory=list)


def read_audio(path: Path, rate_hz: int, *, max_s: float = MAX_DURATION_S) -> RecordedAudio:
    """The left channel of a recording at `rate_hz`.

    Blocks; call it in an executor where a loop is running.

    Args:
        path: A regular file.
        rate_hz: The rate to resample to.
        max_s: A longer recording is refused.

    Raises: AudioFileError with one sentence that names the file (not its folder).
    """
    try:
        with _open_regular(path) as file, _decoder(file, max_s) as source:
            return _collect(source, rate_hz, max_s)
    except AudioFileError as exc:
        raise AudioFileError(f"{path.name}: {exc}") from exc.__cause__
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise AudioFileError(f"{path.name}: cannot be read ({reason.lower()})") from exc
    except ValueError as exc:  # a NUL in the name
        raise AudioFileError(f"{path.name!r}: this is no file name") from exc


def _open_regular(path: Path) -> BinaryIO:
    """Open without ever waiting: a pipe or a device under the name is refused, not read."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise AudioFileError("this is no file, but a folder, a pipe or a device")
    raise AudioFileError("the file is empty")


@contextmanager
def _decoder(file: BinaryIO, max_s: float) -> Iterator[_Source]:
    layout = wav_reader.open_plain(file)
    if layout is not None:
        yield _plain_source(file, layout)
        return
    file.seek(0)
    size = os.fstat(file.fileno()).st_size
    with _child(file, max_s, _CHILD_BASE_S + size / _CHILD_BYTES_PER_S) as records:
        yield _child_source(records)


def _plain_source(file: BinaryIO, layout: wav_reader.WavLayout) -> _Source:
    notes = []
    promised = layout.n_frames_promised
    if promised is not None and promised > layout.n_frames:
        there_s, promised_s = layout.n_frames / layout.rate_hz, promised / layout.rate_hz
        notes.append(f"it is cut off: {there_s:.1f} s of {promised_s:.1f} s are there")
    blocks = wav_reader.read_left(file, layout)
    return _Source(layout.rate_hz, layout.channels, blocks, notes)


@contextmanager
def _child(file: BinaryIO, max_s: float, deadline_s: float) -> Iterator[IO[bytes]]:
    """A decoder process that reads `file`; dead when this is left, whatever happened."""
    command = [sys.executable, "-I", "-X", "utf8", str(_CHILD), str(max_s)]
    with subprocess.Popen(  # noqa: S603 - our own program, no name of the user's in it
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        watchdog = threading.Timer(deadline_s, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            watchdog.cancel()
            watchdog.join()
            process.kill()


def _child_source(records: IO[bytes]) -> _Source:
    kind, body = _record(records)
    header = json.loads(body)
    if kind == b"E":
        raise AudioFileError(header["error"] or "there is no audio in it")
    notes: list[str] = []
    blocks = _child_blocks(records, notes)
    return _Source(int(header["rate_hz"]), int(header["channels"]), blocks, notes)


def _child_blocks(records: IO[bytes], notes: list[str]) -> Iterator[LeftBlock]:
    while True:
        kind, body = _record(records)
        if kind == b"A":
            yield from_floats(np.frombuffer(body, dtype="<f4"))
            continue
        ending = json.loads(body)
        if ending["error"]:
            raise AudioFileError(ending["error"])
        if ending["note"]:
            notes.append("it is damaged: what comes before the damage is used")
        return


def _record(records: IO[bytes]) -> tuple[bytes, bytes]:
    """One record of the child. Raises: AudioFileError when the child ended without a word."""
    head = records.read(5)
    n_bytes = struct.unpack(">I", head[1:])[0] if len(head) == 5 else _MAX_RECORD_BYTES + 1
    body = records.read(n_bytes) if n_bytes <= _MAX_RECORD_BYTES else b""
    if len(body) != n_bytes:
        raise AudioFileError("the decoder was stopped: it took too long or broke on the file")
    return head[:1], body


def _collect(source: _Source, rate_hz: int, max_s: float) -> RecordedAudio:
    converter = make_converter(source.rate_hz, rate_hz)
    pieces: list[Int16] = []
    n_in = n_strange = 0
    for block in source.blocks:
        n_in += block.samples.size
        n_strange += block.n_strange
        if n_in / source.rate_hz > max_s:
            raise AudioFileError(f"it is longer than {max_s / 3600:g} h")
        pieces.append(converter.push(block.samples))
    pieces.append(converter.flush())
    samples = np.concatenate(pieces)
    if not samples.size:
        raise AudioFileError("there is no audio in it")
    notes = [*_notes(source.channels, n_strange), *source.notes]
    return RecordedAudio(samples, n_in / source.rate_hz, "; ".join(notes))


def _notes(channels: int, n_strange: int) -> Iterator[str]:
    if channels > 1:
        yield f"{'stereo' if channels == 2 else f'{channels} channels'}: the left one is taken"
    if n_strange:
        yield f"{n_strange} of its samples are no numbers and became silence"
