"""From voice activity to turns, by the API's ``vadSettings``.

Every probability is one frame of input audio, normally 32 ms; positions are ms on that audio's
clock. A frame is active when its probability reaches ``frame_activation_threshold``.

- Speech starts with the first active frame, and stops with `STOP_FRAMES` inactive frames in a row;
  the position of the stop is the end of the last active frame. A turn may hold several starts.
- A turn ends after ``turn_endpoint_delay_ms`` without an active frame. It is ignored when its
  active frames together are shorter than ``minimum_turn_duration_ms``.
- The user interrupts, once per turn, when the active frames of the turn that fell while the agent
  was speaking together reach ``minimum_interruption_duration_ms`` (or
  ``minimum_turn_duration_ms``, if that is longer). What was said before the agent began counts not.
"""

from dataclasses import dataclass
from typing import TypeAlias

STOP_FRAMES = 2
"""One inactive frame within a word is a stop consonant, not silence."""


@dataclass(frozen=True, slots=True)
class VadSettings:
    """The API's ``vadSettings``, with its defaults."""

    turn_endpoint_delay_ms: float = 384.0
    minimum_turn_duration_ms: float = 0.0
    minimum_interruption_duration_ms: float = 90.0
    frame_activation_threshold: float = 0.1

    def __post_init__(self) -> None:
        durations = (
            self.turn_endpoint_delay_ms,
            self.minimum_turn_duration_ms,
            self.minimum_interruption_duration_ms,
        )
        if not all(duration >= 0 for duration in durations):
            raise ValueError("the durations of the VAD settings cannot be negative")
        if not 0 < self.frame_activation_threshold <= 1:
            raise ValueError("the VAD's frame activation threshold lies above 0 and up to 1")


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user makes a sound, at the start of a turn or after a pause within it."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The user fell silent, perhaps only for a breath."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user spoke long enough over the agent to stop it."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The user finished a turn: from its first to its last active frame."""

    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class TurnIgnored:
    """A turn is over that was too short to be one."""

    start_ms: float
    end_ms: float


EndpointEvent: TypeAlias = SpeechStarted | SpeechStopped | Interrupted | TurnEnded | TurnIgnored


@dataclass(slots=True)
class _Turn:
    """Counts of frames in the turn under way; ``start`` is a position in frames."""

    start: int
    active: int = 0
    over_agent: int = 0
    quiet: int = 0
    """Inactive frames since the last active one."""
    speaking: bool = False
    interrupted: bool = False


class Endpointer:
    """One user's turns in one stream of audio.

    Args:
        settings: the call's ``vadSettings``.
        frame_ms: audio per probability, ms.
    """

    def __init__(self, settings: VadSettings, frame_ms: float = 32) -> None:
        if not frame_ms > 0:
            raise ValueError(f"a frame needs a duration above 0 ms, got {frame_ms}")
        self.settings = settings
        self.frame_ms = frame_ms
        self._n_frames = 0
        self._turn: _Turn | None = None

    @property
    def position_ms(self) -> float:
        """Audio judged so far, ms: where the next frame begins."""
        return self._n_frames * self.frame_ms

    @property
    def in_turn(self) -> bool:
        """Whether a turn is under way, its closing silence included."""
        return self._turn is not None

    def push(self, probability: float, *, agent_speaking: bool) -> list[EndpointEvent]:
        """Judge the next frame; a probability that is no number counts as silence."""
        active = probability >= self.settings.frame_activation_threshold
        if self._turn is None:
            if not active:
                self._n_frames += 1
                return []
            self._turn = _Turn(start=self._n_frames)
        if active:
            return self._active(self._turn, over_agent=agent_speaking)
        return self._quiet(self._turn)

    def _active(self, turn: _Turn, *, over_agent: bool) -> list[EndpointEvent]:
        events: list[EndpointEvent] = []
        if not turn.speaking:
            turn.speaking = True
            events.append(SpeechStarted(self.position_ms))
        self._n_frames += 1
        turn.quiet = 0
        turn.active += 1
        if over_agent:
            turn.over_agent += 1
            if not turn.interrupted and self._interrupts(turn):
                turn.interrupted = True
                events.append(Interrupted(self.position_ms))
        return events

    def _quiet(self, turn: _Turn) -> list[EndpointEvent]:
        events: list[EndpointEvent] = []
        self._n_frames += 1
        turn.quiet += 1
        over = turn.quiet * self.frame_ms >= self.settings.turn_endpoint_delay_ms
        end_ms = (self._n_frames - turn.quiet) * self.frame_ms
        if turn.speaking and (over or turn.quiet >= STOP_FRAMES):
            turn.speaking = False
            events.append(SpeechStopped(end_ms))
        if over:
            self._turn = None
            start_ms = turn.start * self.frame_ms
            long_enough = turn.active * self.frame_ms >= self.settings.minimum_turn_duration_ms
            events.append((TurnEnded if long_enough else TurnIgnored)(start_ms, end_ms))
        return events

    def _interrupts(self, turn: _Turn) -> bool:
        needed_ms = max(
            self.settings.minimum_interruption_duration_ms, self.settings.minimum_turn_duration_ms
        )
        return turn.over_agent * self.frame_ms >= needed_ms
