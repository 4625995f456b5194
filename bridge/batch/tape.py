"""The tape of one call: both sides sample-locked, streamed to files and kept for the figures."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bridge.batch.result import AGENT_WAV, CALL_WAV
from bridge.legs.wav_writer import WavRecording
from bridge_codecs.pcm import Int16, silence


class TapeFiles:
    """``agent.wav`` (mono) and ``call.wav`` (stereo: caller left, agent right), growing.

    Args:
        folder: where they go.
        rate_hz: of both, Hz.
        on_error: told in one sentence when a file cannot be written any more.
    """

    def __init__(self, folder: Path, rate_hz: int, on_error: Callable[[str], None]) -> None:
        self._agent = WavRecording(
            folder / AGENT_WAV, rate_hz=rate_hz, channels=1, on_error=on_error
        )
        self._call = WavRecording(folder / CALL_WAV, rate_hz=rate_hz, channels=2, on_error=on_error)

    def write(self, frames: Int16) -> None:
        """The next frames of both sides, shape (n, 2); never waits."""
        self._agent.write(frames[:, 1])
        self._call.write(frames)

    async def close(self) -> None:
        """Finish the files."""
        await asyncio.gather(self._agent.close(), self._call.close())


class CallTape:
    """Writes ``agent.wav`` (mono) and ``call.wav`` (stereo: caller left, agent right).

    Args:
        folder: where the files go; None keeps the samples only.
        rate_hz: of both sides, Hz.
        on_error: told in one sentence when a file cannot be written any more.
        on_progress: told the seconds on tape, about once a second.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        rate_hz: int,
        on_error: Callable[[str], None],
        on_progress: Callable[[float], None],
    ) -> None:
        self._caller: list[Int16] = []
        self._agent: list[Int16] = []
        self._n_samples = 0
        self._rate_hz = rate_hz
        self._on_progress = on_progress
        self._files = None if folder is None else TapeFiles(folder, rate_hz, on_error)

    def write(self, caller: Int16, agent: Int16) -> None:
        """One frame of each side; equal lengths."""
        self._caller.append(caller)
        self._agent.append(agent)
        if self._files is not None:
            self._files.write(np.column_stack((caller, agent)))
        before = self._n_samples // self._rate_hz
        self._n_samples += caller.size
        if self._n_samples // self._rate_hz != before:
            self._on_progress(self.duration_s)

    @property
    def duration_s(self) -> float:
        """Seconds on tape."""
        return self._n_samples / self._rate_hz

    def sides(self) -> tuple[Int16, Int16]:
        """All of the caller's and of the agent's samples; equal lengths."""
        return _joined(self._caller), _joined(self._agent)

    async def close(self) -> None:
        """Finish the files."""
        if self._files is not None:
            await self._files.close()


def _joined(frames: list[Int16]) -> Int16:
    return np.concatenate(frames) if frames else silence(0)
