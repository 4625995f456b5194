"""The caller made of recordings: who speaks when, to the sample.

One input without an offset is played straight through at its own times. Several are turns: each starts when the agent
is listening and its audio has been silent for the turn gap; one with an offset starts that long after the agent's next
first audible sample, and so interrupts. Silence is streamed in between. After the last input, and when nobody has been
audible for the tail, the caller hangs up.

Both sides count the same samples: what the caller says and what it hears at one index happens at one instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bridge.legs.base import LegEvent, MessageEvent
from bridge.wire.messages import State
from bridge_codecs.pcm import Int16, silence

EXPECTED_ANSWER_S = 6.0
"""How long an agent is thought to speak before a turn, where nothing better than a guess is to be had."""

AUDIBLE = 184
"""A sample above this is audible: -45 dBFS, well above codec noise and below any speech."""

PATIENCE = 0.8
"""The part of the tail after which a caller whom nobody answers goes on with the next input."""


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """One input: mono samples at the call's rate; ``offset_s`` after the agent's next first audible sample."""

    name: str
    samples: Int16
    offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """An input began at this sample of the call."""

    turn: CallerTurn
    at: int


class Caller:
    """Gives the caller's audio frame by frame.

    Args:
        turns: the inputs in order.
        rate_hz: of the call, Hz.
        turn_gap_ms: the agent's silence before a turn begins.
        tail_s: silence of both sides before the caller hangs up.
    """

    def __init__(
        self, turns: Sequence[CallerTurn], *, rate_hz: int, turn_gap_ms: float, tail_s: float
    ) -> None:
        self.started: list[Started] = []
        self._turns = list(turns)
        self._gap = round(rate_hz * turn_gap_ms / 1000)
        self._tail = round(rate_hz * tail_s)
        self._patience = round(PATIENCE * self._tail)
        self._rate_hz = rate_hz
        self._straight = len(turns) == 1 and turns[0].offset_s is None
        self._at = 0
        self._heard_at = 0
        self._start_at: int | None = 0 if self._straight else None
        self._playing: Int16 | None = None
        self._last_said = 0
        self._last_audible: int | None = None
        self._least_left = sum(self._expected(turn) for turn in turns) + self._tail
        self._agent_state = ""
        self._waits_for_onset = False

    def next_frame(self, n_samples: int, now_s: float) -> Int16 | None:  # noqa: ARG002
        """The next frame; None when the caller hangs up."""
        if self._playing is None and self._turns:
            self._plan()
        if self._is_over():
            return None
        frame = self._render(n_samples)
        self._at += n_samples
        return frame

    def heard(self, samples: Int16, now_s: float) -> None:  # noqa: ARG002
        """What the caller heard in the frame just given."""
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
        if loud.size:
            first = self._heard_at + int(loud[0])
            if self._waits_for_onset and self._is_onset(first):
                self._waits_for_onset = False
                offset_s = self._turns[0].offset_s or 0.0
                self._start_at = first + round(offset_s * self._rate_hz)
            self._last_audible = self._heard_at + int(loud[-1])
        self._heard_at += samples.size

    def receive(self, event: LegEvent, now_s: float) -> None:  # noqa: ARG002
        """Follow the agent's state."""
        if isinstance(event, MessageEvent) and isinstance(event.message, State):
            self._agent_state = event.message.state

    def _plan(self) -> None:
        if self._start_at is not None:
            return
        if self._turns[0].offset_s is not None:
            self._waits_for_onset = True
        elif self._agent_state == "listening" and self._silent_for() >= self._gap_now():
            self._start_at = self._at

    def _silent_for(self) -> int:
        return self._at - max(self._last_said, self._last_audible or 0)

    def _gap_now(self) -> int:
        """A turn that the agent has not answered yet is waited for: some servers tell no ``thinking``."""
        answered = self._last_audible is not None and self._last_audible > self._last_said
        return self._gap if answered or not self.started else max(self._gap, self._patience)

    def _is_onset(self, first: int) -> bool:
        """The agent was silent before this sample: it begins to speak, it does not go on."""
        return self._last_audible is None or first - self._last_audible > self._gap // 2

    def _render(self, n_samples: int) -> Int16:
        frame = silence(n_samples)
        begin = 0
        if self._playing is None and self._start_at is not None:
            begin = self._start_at - self._at
            if begin >= n_samples:
                return frame
            begin = max(0, begin)
            self._begin(self._at + begin)
        if self._playing is not None:
            piece = self._playing[: n_samples - begin]
            frame[begin : begin + piece.size] = piece
            self._last_said = self._at + begin + piece.size
            self._playing = self._playing[piece.size :]
            if not self._playing.size:
                self._playing = None
        return frame

    @property
    def expected_left_s(self) -> float:
        """About how long the call will go on, s: a guess that never grows, for a progress bar."""
        playing = 0 if self._playing is None else self._playing.size
        left = sum(self._expected(turn) for turn in self._turns) + playing + self._tail
        if not self._turns and self._playing is None:
            left = max(0, self._tail - self._silent_for())
        self._least_left = min(self._least_left, left)
        return self._least_left / self._rate_hz

    def _expected(self, turn: CallerTurn) -> int:
        answer_s = 0.0 if self._straight else EXPECTED_ANSWER_S
        return turn.samples.size + round(answer_s * self._rate_hz)

    @property
    def unplayed(self) -> Sequence[CallerTurn]:
        """Inputs that never found their moment."""
        return self._turns

    def _begin(self, at: int) -> None:
        turn = self._turns.pop(0)
        self.started.append(Started(turn, at))
        self._playing = turn.samples if turn.samples.size else None
        self._start_at = None

    def _is_over(self) -> bool:
        if self._playing is not None or (self._turns and self._start_at is not None):
            return False
        return self._silent_for() >= self._tail
