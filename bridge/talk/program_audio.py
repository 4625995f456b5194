"""What a program says and hears, as numpy arrays: the two ends of a ProgramLeg that the program holds."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from bridge.audio.ring import Ring
from bridge.errors import UsageError
from bridge_codecs.pcm import Int16, silence

FRAME_MS: Final = 20
MAX_WRITTEN_S: Final = 60.0
"""Audio that may wait to be sent."""
MAX_UNREAD_S: Final = 2.0
"""Frames that a program may leave unread; then the oldest are left out."""


class Microphone:
    """Where a program speaks. Made by a ProgramLeg.

    Attributes:
        rate_hz: of what is written, Hz.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._written = Ring(rate_hz, round(MAX_WRITTEN_S * rate_hz))
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False

    def write(self, samples: Int16) -> None:
        """Say this after what was written before, at real tempo: shape (n,) int16. Never waits.

        After the end of the call it is ignored.

        Raises: UsageError if it is no mono int16, or if more than a minute would wait to be said.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise UsageError(
                f"the microphone takes int16 of shape (n,), not {samples.dtype} of {samples.shape}"
            )
        if self._closed or not samples.size:
            return
        if self._written.depth + samples.size > MAX_WRITTEN_S * self.rate_hz:
            raise UsageError(
                f"more than {MAX_WRITTEN_S:g} s would wait to be said: await drain() in between"
            )
        self._written.write(samples.copy())  # the program may use its array again
        self._empty.clear()

    async def drain(self) -> None:
        """Wait until all that was written has been said, or the call is over."""
        await self._empty.wait()

    def clear(self) -> None:
        """Do not say what waits to be said."""
        self._written.skip(self._written.depth)
        self._empty.set()

    @property
    def waiting_s(self) -> float:
        """Audio that waits to be said, s."""
        return self._written.depth / self.rate_hz

    def take(self, n: int) -> Int16:
        """The next ``n`` samples for the call, silence behind what was written."""
        frame = silence(n)
        n_real = min(n, self._written.depth)
        frame[:n_real] = self._written.read(n_real)
        if not self._written.depth:
            self._empty.set()
        return frame

    def close(self) -> None:
        """The call is over."""
        self._closed = True
        self.clear()


class Speaker:
    """What a program hears: an async iterator of frames of 20 ms, shape (n,) int16, silence included.

    A frame comes at the instant when a loudspeaker would play it. A program that falls behind loses the oldest.

    Attributes:
        rate_hz: of the frames, Hz.
        missed: frames that were not read in time.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.missed = 0
        self._frames: deque[Int16] = deque()
        self._most = round(1000 * MAX_UNREAD_S) // FRAME_MS
        self._came = asyncio.Event()
        self._closed = False

    def __aiter__(self) -> AsyncIterator[Int16]:
        """The frames from now on, until the call is over."""
        return self

    async def __anext__(self) -> Int16:
        """The next frame."""
        while not self._frames:
            if self._closed:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        return self._frames.popleft()

    def play(self, frame: Int16) -> None:
        """One frame of the call."""
        if len(self._frames) >= self._most:
            self._frames.popleft()
            self.missed += 1
        self._frames.append(frame)
        self._came.set()

    def close(self) -> None:
        """The call is over."""
        self._closed = True
        self._came.set()
