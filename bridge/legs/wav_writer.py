"""WAV files that grow while a call runs, and stay readable whatever ends them.

The header first says "endless" (lengths of 0xFFFFFFFF, as libsndfile and FFmpeg understand them);
samples are appended unbuffered; the true lengths are set when the file is closed. A file whose
writer was killed therefore holds all that had been written and can be opened as it is.

`WavFile` blocks and belongs into an executor; `WavRecording` is its front on the event loop: it
never waits, and an error (a full disk, say) ends the recording, not the call. That much comes at
once (a gap that is filled, what a call's end drains) says nothing of the disk: a disk is behind when
what it was given stays unwritten, not where the process stood still meanwhile. Silence waits as a
count: however long a gap is, it does not fill the memory.
"""

import asyncio
import contextlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from bridge.clock import machine_s
from bridge_codecs.pcm import Int16

HEADER_BYTES: Final = 44
BYTES_PER_SAMPLE: Final = 2
BLOCK_MS: Final = 80
"""Audio that may wait in memory before it is handed to the system: what a kill can cost."""
MAX_PENDING_MS: Final = 10_000
"""A disk that takes longer than this for what it was given ends the recording."""
MAX_WAITING_MS: Final = 120_000
"""So does one behind which more audio than this waits, silence excepted."""
SILENCE_BYTES: Final = 1 << 16
"""Of silence that is written at once."""
LOOK_S: Final = 1.0
"""Between two looks at the disk so much counts at most: who looks less often has stood still, and the disk with it."""
SYNC_EVERY_S: Final = 1.0

_ENDLESS: Final = 0xFFFFFFFF


def wav_header(rate_hz: int, channels: int, n_bytes: int | None) -> bytes:
    """The 44 octets before 16-bit samples; None, or more than 4 GiB of them, says "endless"."""
    riff = data = _ENDLESS
    if n_bytes is not None and n_bytes + HEADER_BYTES - 8 < _ENDLESS:
        riff, data = n_bytes + HEADER_BYTES - 8, n_bytes
    frame_bytes = channels * BYTES_PER_SAMPLE
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 16)
    return struct.pack("<4sI8sI16s4sI", b"RIFF", riff, b"WAVEfmt ", 16, form, b"data", data)


class WavFile:
    """A growing WAV file of 16-bit samples, mode 0600; every method blocks and may raise OSError.

    A file of that name is replaced; a link of that name is not followed.
    """

    def __init__(self, path: Path, *, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._n_bytes = 0
        self._synced_s = machine_s()
        path.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o600)
        try:
            self._write(wav_header(rate_hz, channels, None))
        except OSError:
            os.close(self._descriptor)
            raise
        self._n_bytes = 0

    def append(self, payload: bytes) -> None:
        """Hand samples (little-endian, channels interleaved) to the system."""
        self._write(payload)

    def sync(self) -> None:
        """Bring to the disk what was appended, once a second at most."""
        now_s = machine_s()
        if now_s - self._synced_s >= SYNC_EVERY_S:
            self._synced_s = now_s
            getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def finish(self) -> None:
        """Cut what is no whole frame, set the lengths, close; never raises.

        A disk that cannot take even that leaves the endless header, which can be read too.
        """
        frame_bytes = self._channels * BYTES_PER_SAMPLE
        n_bytes = self._n_bytes - self._n_bytes % frame_bytes
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, HEADER_BYTES + n_bytes)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, wav_header(self._rate_hz, self._channels, n_bytes))
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def _write(self, payload: bytes) -> None:
        view = memoryview(payload)
        while view:
            taken = os.write(self._descriptor, view)
            self._n_bytes += taken
            view = view[taken:]


class WavRecording:
    """Streams one WAV file from the event loop.

    Args:
        path: The file; its folder exists.
        rate_hz: Sample rate.
        channels: 1 or 2.
        on_error: Called once, on the loop, with a sentence, when the recording had to stop; the
            file then holds what was written before, with the right lengths.
    """

    def __init__(
        self, path: Path, *, rate_hz: int, channels: int, on_error: Callable[[str], None]
    ) -> None:
        self.path = path
        self._rate_hz = rate_hz
        self._channels = channels
        self._on_error = on_error
        bytes_per_s = rate_hz * channels * BYTES_PER_SAMPLE
        self._block_bytes = bytes_per_s * BLOCK_MS // 1000
        self._max_bytes = bytes_per_s * MAX_WAITING_MS // 1000
        self._pending: list[bytes | int] = []
        """Samples, or so many bytes of silence."""
        self._n_pending = self._n_sound = 0
        self._file: WavFile | None = None
        self._closing = False
        self._stopped = False
        self._job: asyncio.Future[str | None] | None = None
        self._written = False
        """Whether it has done its work, which is known in its thread before it is on the loop."""
        self._looked_s = self._waited_s = 0.0
        """When it was last looked at, loop time, and how long it was waited for."""
        self._finished: asyncio.Future[None] | None = None

    @property
    def stopped(self) -> bool:
        """Whether an error has ended the recording."""
        return self._stopped

    def write(self, samples: Int16) -> None:
        """Append samples, shape (n,) for one channel or (n, channels); never waits or raises.

        After an error or `close` they are ignored.
        """
        if self._stopped or self._closing:
            return
        if self._is_behind():
            self._stop(f"{self.path.name}: recording stopped, the disk does not keep up")
            return
        self._keep(samples)
        self._pump()

    async def close(self) -> None:
        """Write what is left, set the lengths, close the file; never raises.

        Cancelled, it stops waiting; the file is finished all the same.
        """
        self._closing = True
        if self._finished is None:
            self._finished = asyncio.get_running_loop().create_future()
            self._pump()
        await asyncio.shield(self._finished)

    def _keep(self, samples: Int16) -> None:
        n_bytes = samples.size * BYTES_PER_SAMPLE
        self._n_pending += n_bytes
        if samples.any():
            self._pending.append(samples.astype("<i2", copy=False).tobytes())
            self._n_sound += n_bytes
            return
        if self._pending and isinstance(before := self._pending[-1], int):
            self._pending[-1] = before + n_bytes
        else:
            self._pending.append(n_bytes)

    def _is_behind(self) -> bool:
        """Look whether what waits for the disk waits for too long, or is too much."""
        if self._job is None or self._written:
            return False
        now_s = asyncio.get_running_loop().time()
        self._waited_s += min(now_s - self._looked_s, LOOK_S)
        self._looked_s = now_s
        return self._waited_s > MAX_PENDING_MS / 1000 or self._n_sound > self._max_bytes

    def _pump(self) -> None:
        """Start the next job where one is due; there is never more than one."""
        if self._job is not None:
            return
        if self._stopped and self._file is None:
            self._settle()
            return
        last = self._closing or self._stopped
        if not last and self._n_pending < self._block_bytes:
            return
        pieces, self._pending, self._n_pending, self._n_sound = self._pending, [], 0, 0
        loop = asyncio.get_running_loop()
        self._written, self._looked_s, self._waited_s = False, loop.time(), 0.0
        self._job = loop.run_in_executor(None, self._work, pieces, last)
        self._job.add_done_callback(self._job_done)

    def _work(self, pieces: list[bytes | int], last: bool) -> str | None:
        """In the executor: append, sync, finish; gives the sentence of an error."""
        error: str | None = None
        try:
            if self._file is None:
                self._file = WavFile(self.path, rate_hz=self._rate_hz, channels=self._channels)
            for block in _blocks(pieces):
                self._file.append(block)
            self._file.sync()
        except OSError as exc:
            reason = (exc.strerror or type(exc).__name__).lower()
            error = f"{self.path.name}: recording stopped, {reason}"
        if self._file is not None and (last or error is not None):
            self._file.finish()
            self._file = None
        self._written = True
        return error

    def _job_done(self, job: asyncio.Future[str | None]) -> None:
        self._job = None
        error = "its writer was cancelled" if job.cancelled() else None
        if error is None:
            failure = job.exception()
            error = job.result() if failure is None else f"{self.path.name}: {failure!r}"
        if error is not None:
            self._stop(error)
        if self._closing and self._file is None:
            self._settle()
        else:
            self._pump()

    def _stop(self, sentence: str) -> None:
        self._pending, self._n_pending, self._n_sound = [], 0, 0
        if not self._stopped:
            self._stopped = True
            self._on_error(sentence)

    def _settle(self) -> None:
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(None)


def _blocks(pieces: Iterable[bytes | int]) -> Iterator[bytes]:
    """What is handed to the system at once: sound as it is, silence piece by piece."""
    sound: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            sound.append(piece)
            continue
        yield b"".join(sound)
        sound.clear()
        for at in range(0, piece, SILENCE_BYTES):
            yield bytes(min(SILENCE_BYTES, piece - at))
    yield b"".join(sound)
