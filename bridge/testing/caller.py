"""The human at the phone: says recordings turn by turn, presses keys, hangs up.

Turns are those of ``tipring call`` (`bridge.batch.caller`): silence of the agent lets the next one begin, one with an
offset interrupts. A phone shows no state of the agent, so the caller goes by what it hears; the first turn waits for
the agent's greeting, or until patience ends.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.batch.caller import AUDIBLE, PATIENCE, Caller, CallerTurn, Started
from bridge.errors import UsageError
from bridge.legs.base import MessageEvent
from bridge.wire.messages import State
from bridge_codecs.pcm import Int16, silence

KEY_S: Final = 0.25
"""From one key to the next."""
_KEYS: Final = re.compile(
    r"(?P<digits>[0-9*#A-D]{1,64})@(?P<sign>\+?)(?P<number>\d{1,5}(\.\d{1,3})?)s"
)


@dataclass(frozen=True, slots=True)
class KeyPresses:
    """Keys the caller presses, the first ``at_s`` into the call, or after the agent's next first audible sample."""

    digits: str
    at_s: float
    after_agent: bool = False


def parse_options(texts: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` for each switch. Raises: UsageError."""
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"“{text}” is no option; write NAME=VALUE, as in codec=slin16")
        options[name] = value
    return options


def parse_keys(text: str) -> KeyPresses:
    """``12#@5s``, or ``12#@+1.5s`` after the agent's next first sound. Raises: UsageError."""
    match = _KEYS.fullmatch(text)
    if match is None:
        raise UsageError(
            f"“{text}” are no keys; write 12#@5s to press them 5 s into the call, "
            "12#@+1.5s for 1.5 s after the agent's next first sound"
        )
    return KeyPresses(match["digits"], float(match["number"]), bool(match["sign"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPlan:
    """What the caller does; recordings at the line's rate."""

    turns: Sequence[CallerTurn] = ()
    keys: Sequence[KeyPresses] = ()
    turn_gap_ms: float = 700.0
    tail_s: float = 10.0
    """Silence of both sides after which the caller hangs up."""
    hang_up_at_s: float | None = None
    """The caller hangs up then, whatever is being said."""


class PhoneCaller:
    """Gives what the caller says packet by packet, the keys that are pressed, and hangs up.

    Args:
        plan: what to do.
        rate_hz: of the line.
    """

    def __init__(self, plan: CallerPlan, rate_hz: int) -> None:
        self._plan = plan
        self._rate_hz = rate_hz
        self._caller = Caller(
            plan.turns, rate_hz=rate_hz, turn_gap_ms=plan.turn_gap_ms, tail_s=plan.tail_s
        )
        self._at = 0
        self._last_audible: int | None = None
        self._last_pressed: int | None = None
        self._listening = False
        self._keys = [_Keys(presses, rate_hz) for presses in plan.keys]

    @property
    def started(self) -> Sequence[Started]:
        """The turns so far, each with the sample of the line at which it began."""
        return self._caller.started

    @property
    def unplayed(self) -> Sequence[str]:
        """Names of the turns that never found their moment."""
        return [turn.name for turn in self._caller.unplayed]

    @property
    def expected_left_s(self) -> float:
        """About how long the call will go on."""
        return self._caller.expected_left_s

    def say(self, n_samples: int) -> Int16 | None:
        """The next packet; None when the caller hangs up."""
        hang_up_at_s = self._plan.hang_up_at_s
        if hang_up_at_s is not None and self._at >= hang_up_at_s * self._rate_hz:
            return None
        if not self._listening and self._may_begin():
            # For a phone the agent listens whenever it is silent.
            self._listening = True
            self._caller.receive(MessageEvent(State(state="listening")), 0.0)
        packet = self._caller.next_frame(n_samples, 0.0)
        if packet is None and self._has_keys_to_press():
            packet = silence(n_samples)
        self._at += n_samples
        return packet

    def hear(self, samples: Int16) -> None:
        """What was heard while the last packet was said."""
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
        if loud.size:
            first = self._at - samples.size + int(loud[0])
            gap = self._rate_hz * self._plan.turn_gap_ms / 2000
            if self._last_audible is None or first - self._last_audible > gap:
                for keys in self._keys:
                    keys.agent_began(first)
            self._last_audible = self._at - samples.size + int(loud[-1])
        self._caller.heard(samples, 0.0)

    def pressed(self) -> str:
        """Keys that are due by now; each is given once."""
        pressed = "".join(keys.due(self._at) for keys in self._keys)
        if pressed:
            self._last_pressed = self._at
        return pressed

    def _has_keys_to_press(self) -> bool:
        """Whether keys are still to come, or what they do is still waited for."""
        tail = self._plan.tail_s * self._rate_hz
        waits = self._last_pressed is not None and self._at - self._last_pressed < tail
        return waits or any(keys.will_come for keys in self._keys)

    def _may_begin(self) -> bool:
        patience = PATIENCE * self._plan.tail_s * self._rate_hz
        return self._last_audible is not None or self._at >= patience


class _Keys:
    """One run of key presses and how far it is."""

    def __init__(self, presses: KeyPresses, rate_hz: int) -> None:
        self.left = presses.digits
        self._rate_hz = rate_hz
        self._offset = round(presses.at_s * rate_hz)
        self._next: int | None = None if presses.after_agent else self._offset

    @property
    def will_come(self) -> bool:
        """Whether keys are left whose instant is known."""
        return bool(self.left) and self._next is not None

    def agent_began(self, at: int) -> None:
        """The agent has become audible."""
        if self._next is None:
            self._next = at + self._offset

    def due(self, at: int) -> str:
        """The keys to press until now."""
        pressed = ""
        while self.left and self._next is not None and self._next <= at:
            pressed += self.left[0]
            self.left = self.left[1:]
            self._next += round(KEY_S * self._rate_hz)
        return pressed
