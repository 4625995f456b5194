"""How long the loudspeaker still sounds when the agent says that the playback shall be cleared.

The agent is a socket that `tipring talk` joins: it says some seconds of noise at once, as fast as the socket takes it,
and in the midst of it sends ``playback_clear_buffer``. The loudspeaker is PulseAudio's null sink, whose monitor is
recorded; the sound of each sample is told by the earliest pieces of the recording, so that a reader that is late makes
nothing longer. What the recorder itself holds is in the figures: they are no less than the truth.
"""

import asyncio
import os
import random
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import numpy as np
from websockets.asyncio.server import ServerConnection, serve

from bridge_codecs.pcm import Int16
from tests.fakes.pulse import RATE_HZ, PulseServer, running

AGENT_HZ: Final = 24_000
SAYS_S: Final = 3.0
PIECE_S: Final = 0.005
QUIET_S: Final = 0.6
LOUD: Final = 500
SPEAKING: Final = '{"type":"state","state":"speaking"}'
LISTENING: Final = '{"type":"state","state":"listening"}'
CLEAR: Final = '{"type":"playback_clear_buffer"}'


class Ear:
    """Records the loudspeaker, and knows when each piece of the recording came."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pieces: list[Int16] = []
        self._came_s: list[float] = []
        self._thread = threading.Thread(target=self._listen, name="ear", daemon=True)
        self._thread.start()

    def last_sound_s(self, begin_s: float, end_s: float) -> float:
        """The instant (``time.monotonic``) of the last loud sample in between."""
        ends = np.cumsum([piece.size for piece in self._pieces]) / RATE_HZ
        heard, came_s = np.concatenate(self._pieces), np.array(self._came_s[: ends.size])
        # Of the pieces around, as the recorder's clock may drift.
        near = (came_s > begin_s - 5) & (came_s < end_s + 5)
        offset_s = float((came_s - ends)[near].min())
        first, last = (max(0, round((at - offset_s) * RATE_HZ)) for at in (begin_s, end_s))
        loud = np.flatnonzero(np.abs(heard[first:last].astype(np.int32)) > LOUD)
        return (first + int(loud[-1])) / RATE_HZ + offset_s if loud.size else begin_s

    def join(self) -> None:
        """Return when the recorder has ended."""
        self._thread.join()

    def _listen(self) -> None:
        n = 2 * round(PIECE_S * RATE_HZ)
        pending = b""
        while piece := os.read(self._descriptor, n - len(pending)):
            pending += piece
            if len(pending) == n:
                self._came_s.append(time.monotonic())
                self._pieces.append(np.frombuffer(pending, np.int16))
                pending = b""


@contextmanager
def listening(server: PulseServer) -> Iterator[Ear]:
    """An ear at the loudspeaker for the time of the context."""
    form = ["--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=10"]
    command = ["parec", "--device=loudspeaker.monitor", *form]
    with running(command, env=server.environment, stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        ear = Ear(recorder.stdout.fileno())
        yield ear
        recorder.terminate()
        ear.join()


class Interrupted:
    """An agent that is interrupted again and again; the instants at which it sent its clears."""

    def __init__(self, trials: int) -> None:
        self._trials = trials
        self._wobble = random.Random(1)
        self.cleared_s: list[float] = []
        self.done = asyncio.Event()

    async def __call__(self, socket: ServerConnection) -> None:
        """One call."""
        reading = asyncio.create_task(_read_on(socket))
        await asyncio.sleep(1.0)
        for _ in range(self._trials):
            noise = np.random.default_rng(1).integers(-9_000, 9_000, round(SAYS_S * AGENT_HZ))
            await socket.send(SPEAKING)
            for frame in noise.astype("<i2").reshape(-1, AGENT_HZ // 50):
                await socket.send(frame.tobytes())
            await asyncio.sleep(1.0 + 0.1 * self._wobble.random())
            self.cleared_s.append(time.monotonic())
            await socket.send(CLEAR)
            await socket.send(LISTENING)
            await asyncio.sleep(QUIET_S)
        self.done.set()
        await reading


async def _read_on(socket: ServerConnection) -> None:
    async for _ in socket:
        pass


@asynccontextmanager
async def interrupted_agent(trials: int) -> AsyncIterator[tuple[Interrupted, str]]:
    """The agent and the URL at which it is joined."""
    agent = Interrupted(trials)
    async with serve(agent, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield agent, f"ws://127.0.0.1:{port}/"
