"""The caller's keys: quick presses together become one message to the agent.

Source: the API's ``dtmfHandling`` (reference 7.9): unset, the digits are a user text message with immediate urgency.
Carriers are not trusted to press at human speed: at most 20 a second count (reliability T9).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bridge.legs.carrier.figures import CarrierFigures
from bridge.wire.limits import TokenBucket
from bridge.wire.messages import Urgency, UserTextMessage

QUICK_S: Final = 0.5
"""A key pressed within this of the one before belongs to the same message."""
MAX_DIGITS: Final = 64
"""In one message; more begin the next."""
MAX_PER_S: Final = 20
MAX_WAITING: Final = 8
"""Messages that may wait for an agent to be there."""
PLACEHOLDER: Final = "{digits}"


@dataclass(frozen=True, slots=True)
class DtmfHandling:
    """What becomes of the caller's keys: ``dtmfHandling`` of the API."""

    ignore: bool = False
    text: str = PLACEHOLDER
    """Of the message; ``{digits}`` in it stands for the keys."""
    urgency: Urgency = "immediate"


class Keypad:
    """Collects the keys of one caller.

    Args:
        handling: what becomes of them.
        send: gives a message to the agent.
        figures: counts the keys.

    Attributes:
        handling: may be set anew.
        pressed_s: when a key was pressed last that the agent is told of, loop time; None before the first.
    """

    def __init__(
        self,
        handling: DtmfHandling,
        send: Callable[[UserTextMessage], None],
        figures: CarrierFigures,
    ) -> None:
        self.handling = handling
        self.pressed_s: float | None = None
        self._send = send
        self._figures = figures
        self._loop = asyncio.get_running_loop()
        self._rate = TokenBucket(MAX_PER_S, MAX_PER_S)
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[UserTextMessage] = []
        self._open = False

    def press(self, digit: str, quick_s: float = QUICK_S) -> None:
        """The caller pressed a key; one pressed within `quick_s` of it belongs to the same message."""
        self._figures.digits += 1
        now_s = self._loop.time()
        if self.handling.ignore or not self._rate.take(1, now_s):
            return
        self.pressed_s = now_s
        self._digits += digit
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(quick_s, self._flush)
        if len(self._digits) >= MAX_DIGITS:
            self._flush()

    def flush(self) -> None:
        """No key follows: what was pressed goes now."""
        if self._digits:
            self._flush()

    def open(self) -> None:
        """There is an agent that listens, from now on."""
        if not self._open:
            self._open = True
            waiting, self._waiting = self._waiting, []
            for message in waiting:
                self._send(message)

    def shut(self) -> None:
        """There is no agent any more: messages wait for the next one."""
        self._open = False

    def stop(self) -> None:
        """The caller is gone."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        digits, self._digits = self._digits, ""
        text = self.handling.text.replace(PLACEHOLDER, digits)
        message = UserTextMessage(text=text, urgency=self.handling.urgency)
        if self._open:
            self._send(message)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(message)
