"""The agent's hearing: uplink audio → voice activity → turns.

Voice activity may be a model: then its work leaves the loop, one job at a time, and the audio waits in the lane.
A client that stops sending in mid-turn is not taken for instantly silent (reference 2.3); after
`STALLED_S` without audio silence stands for what is missing, so that the turn does not hang.
"""

import asyncio
from collections import deque
from typing import Protocol

import numpy as np

from bridge.audio.endpoint import (
    Endpointer,
    EndpointEvent,
    Interrupted,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnIgnored,
    VadSettings,
)
from bridge.audio.lane import Lane
from bridge.brains.base import HEAR_HZ, UserTurn
from bridge.brains.speech.vad import CHUNK_SAMPLES, Vad
from bridge_codecs.pcm import Int16, silence

CHUNK_MS = 1000 * CHUNK_SAMPLES / HEAR_HZ
PRE_ROLL_CHUNKS = 10
"""Kept before the detected start of speech (320 ms): detectors are late on soft first sounds."""
TURN_MAX_CHUNKS = 30_000 // 32
"""At most 30 s of a turn are kept for recognition."""
STALLED_S = 2.0


class Listener(Protocol):
    """Who listens: the conversation."""

    @property
    def interruptible(self) -> bool:
        """Whether the agent is speaking or about to, and speech of the user may stop it."""
        ...

    def speech_started(self) -> None:
        """The user makes the first sound of a turn."""
        ...

    def speech_stopped(self) -> None:
        """The user fell silent, perhaps only for a breath."""
        ...

    def interrupted(self) -> None:
        """The user spoke long enough over the agent to stop it."""
        ...

    def turn_ended(self, turn: UserTurn) -> None:
        """The user finished a turn."""
        ...

    def failed(self, error: Exception) -> None:
        """The agent can hear no more."""
        ...


class Hearing:
    """Turns the uplink into calls on a `Listener`.

    Args:
        lane: the uplink at `HEAR_HZ`.
        vad: gives a probability of speech per 512 samples.
        settings: the call's ``vadSettings``.
        listener: gets the events.
    """

    def __init__(self, lane: Lane, vad: Vad, settings: VadSettings, listener: Listener) -> None:
        self._lane = lane
        self._vad = vad
        self._listener = listener
        self._endpointer = Endpointer(settings, frame_ms=CHUNK_MS)
        self._loop = asyncio.get_running_loop()
        self._job: asyncio.Future[list[float]] | None = None
        self._pre_roll: deque[Int16] = deque(maxlen=PRE_ROLL_CHUNKS)
        self._turn: deque[Int16] | None = None
        self._heard_at = self._loop.time()
        self._stall: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self) -> None:
        """Listen from now on."""
        self._lane.on_ready = self._take

    def stop(self) -> None:
        """Stop listening and give the detector back; a job under way is left to finish unheard."""
        if self._stopped:
            return
        self._lane.on_ready = None
        self._stopped = True
        if self._stall is not None:
            self._stall.cancel()
        if self._job is None:
            self._vad.close()

    def _take(self) -> None:
        try:
            self._judge_what_came()
        except Exception as exc:  # noqa: BLE001 - it would end in the source's hands, who has no part in it
            self._fail(exc)

    def _judge_what_came(self) -> None:
        self._heard_at = self._loop.time()
        n_chunks = self._lane.depth_samples // CHUNK_SAMPLES
        if self._job is not None or not n_chunks:
            return
        samples = self._lane.pull(n_chunks * CHUNK_SAMPLES)
        if not self._vad.heavy:
            self._scored(samples, self._vad.probabilities(samples))
            return
        self._job = self._loop.run_in_executor(None, self._vad.probabilities, samples)
        self._job.add_done_callback(lambda job: self._job_done(samples, job))

    def _job_done(self, samples: Int16, job: "asyncio.Future[list[float]]") -> None:
        self._job = None
        if self._stopped:
            if not job.cancelled():
                job.exception()
            self._vad.close()
            return
        try:
            self._scored(samples, job.result())
        except Exception as exc:  # noqa: BLE001 - a callback's error would only be logged
            self._fail(exc)
        else:
            self._take()

    def _fail(self, error: Exception) -> None:
        self.stop()
        self._listener.failed(error)

    def _scored(self, samples: Int16, probabilities: list[float]) -> None:
        chunks = samples.reshape(-1, CHUNK_SAMPLES)
        for chunk, probability in zip(chunks, probabilities, strict=True):
            (self._pre_roll if self._turn is None else self._turn).append(chunk)
            speaking = self._listener.interruptible
            for event in self._endpointer.push(probability, agent_speaking=speaking):
                self._handle(event)

    def _handle(self, event: EndpointEvent) -> None:
        match event:
            case SpeechStarted():
                if self._turn is None:
                    self._turn = deque(self._pre_roll, maxlen=TURN_MAX_CHUNKS)
                    self._pre_roll.clear()
                self._watch_for_stall()
                self._listener.speech_started()
            case SpeechStopped():
                self._listener.speech_stopped()
            case Interrupted():
                self._listener.interrupted()
            case TurnEnded(start_ms=start_ms, end_ms=end_ms):
                samples = self._take_turn()
                self._listener.turn_ended(UserTurn(samples, start_ms, end_ms))
            case TurnIgnored():
                self._take_turn()

    def _take_turn(self) -> Int16:
        chunks = self._turn or ()
        self._turn = None
        return np.concatenate(chunks) if chunks else silence(0)

    def _watch_for_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
        self._stall = self._loop.call_later(STALLED_S, self._check_stall)

    def _check_stall(self) -> None:
        self._stall = None
        missing_s = self._loop.time() - self._heard_at
        if missing_s >= STALLED_S:
            # As much as is missing, so that the clock of the input audio goes on as it should.
            self._heard_at = self._loop.time()
            for _ in range(round(1000 * missing_s / CHUNK_MS)):
                if self._turn is not None:
                    self._scored(silence(CHUNK_SAMPLES), [0.0])
        if self._turn is not None:
            self._watch_for_stall()
