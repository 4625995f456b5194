"""Keeps a call as `tipring call` does: call.wav, agent.wav, call.json, timeline.html.

The time axis of the recording is the loop's clock. The caller's audio comes at real tempo and is written as it comes; a
hole in it (a device that was lost) becomes silence. The agent's is written where the caller heard it: each sample's
place is the instant that the ledger gives it, and what was cleared before it was played is on no tape. Files are
written by threads; the loop waits for none of them.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.audio.ledger import Ledger
from bridge.audio.stereo import StereoAligner
from bridge.batch.result import CALL_WAV, CallResult, write_results
from bridge.batch.tape import TapeFiles
from bridge.errors import UsageError
from bridge.legs.wav_writer import BYTES_PER_SAMPLE, HEADER_BYTES
from bridge.talk.onset import SourceClock
from bridge_codecs.pcm import Int16, silence
from bridge_codecs.resample import Resampler

HOLD_MS: Final = 800
"""Written this much later, so that what was played by then has found its place."""
ROUNDING_S: Final = 0.001
"""A hole in the caller's audio that is no longer than this is none."""
SEAM_MS: Final = 30
"""A piece that is played this little off the end of the one before follows it without a seam."""
EVERY_S: Final = 0.1


@dataclass(slots=True)
class _Piece:
    """The agent's audio that left for the caller's ear: its first sample's place in the ledger."""

    at: int
    samples: Int16


class Recording:
    """One call's recording.

    Args:
        folder: exists already.
        lane: the agent's audio on its way to the caller.
        caller_hz: rate of the caller's audio, Hz.
        on_error: told in one sentence when a file cannot be written any more.

    Attributes:
        complete: false once something could not be written.
    """

    def __init__(
        self, folder: Path, lane: Lane, *, caller_hz: int, on_error: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.complete = True
        self._on_error = on_error
        self.rate_hz = lane.rate_hz
        self._ledger: Ledger = lane.ledger
        self._loop = asyncio.get_running_loop()
        self._since_s = self._written_s = self._loop.time()
        self._clock = SourceClock(caller_hz, self._since_s, self._loop.time)
        self._resampler = Resampler(caller_hz, self.rate_hz)
        self._aligner = StereoAligner(self.rate_hz)
        self._files = TapeFiles(folder, self.rate_hz, self._failed)
        self._pieces: deque[_Piece] = deque()
        self._next = 0
        self._hold = self._samples(HOLD_MS / 1000)

    def heard(self, samples: Int16) -> None:
        """The caller's audio, as it is sent."""
        said = self._resampler.push(samples)
        end = self._samples(self._clock.push(samples.size) - self._since_s)
        missing = end - said.size - self._aligner.position
        if missing > self._samples(ROUNDING_S):
            self._aligner.left(silence(missing))
        self._aligner.left(said)
        self._write_now_and_then()

    def played(self, samples: Int16) -> None:
        """The agent's audio leaves the lane for the caller's ear."""
        self._next = max(self._next, self._ledger.sent_samples)
        self._pieces.append(_Piece(self._next, samples))
        self._next += samples.size
        self._write_now_and_then()

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)

    def _write_now_and_then(self) -> None:
        now_s = self._loop.time()
        if now_s - self._written_s >= EVERY_S:
            self._written_s = now_s
            self._place(now_s)
            frames = self._aligner.drain(self._hold)
            if frames.size:
                self._files.write(frames)

    def _place(self, now_s: float) -> None:
        """Put every piece in its place that was heard to its end, or will not be."""
        while self._pieces:
            piece = self._pieces[0]
            if piece.at + piece.samples.size > self._ledger.sent_samples:
                return
            n = _survived(self._ledger, piece)
            end_s = self._ledger.time_of(piece.at + n - 1) if n else now_s
            if end_s is not None and end_s > now_s:
                return
            self._pieces.popleft()
            if n:
                self._put(piece, piece.samples[:n])

    def _put(self, piece: _Piece, samples: Int16) -> None:
        at_s = self._ledger.time_of(piece.at)
        at = self._aligner.right_end if at_s is None else self._samples(at_s - self._since_s)
        if abs(at - self._aligner.right_end) <= self._samples(SEAM_MS / 1000):
            at = self._aligner.right_end
        self._aligner.right(samples, max(0, at))

    async def finish(self, result: CallResult) -> None:
        """Write what is left, then call.json and timeline.html; the result needs no audio of its own.

        What cannot be written is said like any other file of it.
        """
        self._place(self._loop.time())
        frames = self._aligner.finish()
        if frames.size:
            self._files.write(frames)
        await self._files.close()
        try:
            await self._loop.run_in_executor(None, _write, self.folder, result)
        except OSError as exc:
            told = exc.strerror or type(exc).__name__
            self._failed(f"the results cannot be written into {self.folder} ({told})")

    def _failed(self, sentence: str) -> None:
        self.complete = False
        self._on_error(sentence)


def _survived(ledger: Ledger, piece: _Piece) -> int:
    """How many samples of a piece were played or will be: what was cleared is its end."""
    low, high = 0, piece.samples.size
    while low < high:
        middle = (low + high) // 2
        if ledger.time_of(piece.at + middle) is None:
            high = middle
        else:
            low = middle + 1
    return low


def make_folder(folder: Path) -> None:
    """A folder for a recording. Blocks.

    Raises: UsageError with one sentence if it cannot be, or cannot be written into.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{folder} cannot be a folder for results ({exc.strerror})") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be a folder for results (nothing can be written there)")


def _write(folder: Path, result: CallResult) -> None:
    """In a thread: measure what is on tape, and write the two files that tell of it."""
    caller, agent = _sides(folder / CALL_WAV)
    write_results(folder, replace(result, caller=caller, agent=agent))


def _sides(path: Path) -> tuple[Int16, Int16]:
    """Both channels of call.wav, mapped, not read: an hour of them is more than should be in memory twice."""
    try:
        n_frames = (path.stat().st_size - HEADER_BYTES) // (2 * BYTES_PER_SAMPLE)
        if n_frames <= 0:
            return silence(0), silence(0)
        both = np.memmap(path, "<i2", "r", HEADER_BYTES, (n_frames, 2))
    except OSError:
        return silence(0), silence(0)
    return both[:, 0], both[:, 1]
