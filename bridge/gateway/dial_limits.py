"""What phone calls the API may have placed: none unless that is switched on, to few numbers, few at once, few a day.

Calls cost money, and whoever gets hold of an API key could place them (reliability T13). The limits are those of the
whole service. What counts in a day is kept in memory: a new process begins a new day.
"""

import math
import re
from collections import deque
from collections.abc import Callable
from typing import Final

from bridge.calls.errors import InvalidSettings, TooManyToday
from bridge.phone_config import OutgoingConfig

DAY_S: Final = 86_400.0
_NUMBER: Final = re.compile(r"\+[1-9]\d{3,14}", re.ASCII)
_BETWEEN: Final = re.compile(r"[ ().-]")
"""What people write between digits."""
_OFF: Final = "This server places no calls: outgoing.enabled is not set."
_NO_NUMBER: Final = "Calls go to telephone numbers with their country, such as +15550100, only."
_NOT_THERE: Final = "This server does not call there: no prefix of outgoing.prefixes fits."
_FULL: Final = "As many calls are up as may be placed at the same time: outgoing.max_calls."
_SPENT: Final = "As many calls were placed as may be within a day: outgoing.max_per_day."


class DialLimits:
    """Lets calls be placed, and counts them.

    Args:
        config: the limits.
        now_s: a clock that nobody sets, s.
    """

    def __init__(self, config: OutgoingConfig, now_s: Callable[[], float]) -> None:
        self._config = config
        self._now_s = now_s
        self._up: set[str] = set()
        self._placed_s: deque[float] = deque()

    def check(self, to: str) -> str:
        """The number that may be called, as it is to be dialled. Raises: InvalidSettings."""
        number, why = _BETWEEN.sub("", to), ""
        if not self._config.enabled:
            why = _OFF
        elif not _NUMBER.fullmatch(number):
            why = _NO_NUMBER
        elif not number.startswith(self._config.prefixes):
            why = _NOT_THERE
        if why:
            raise InvalidSettings("medium", why)
        return number

    def take(self, call_id: str, to: str) -> None:
        """Count a call that is to be placed now, until `give_back`. Raises: InvalidSettings, TooManyToday."""
        self.check(to)
        if len(self._up) >= self._config.max_calls:
            raise InvalidSettings("medium", _FULL)
        self._spend()
        self._up.add(call_id)

    def give_back(self, call_id: str) -> None:
        """A call has ended; may be said again, and of calls that were not counted."""
        self._up.discard(call_id)

    def divert(self, target: str) -> str:
        """Count a caller who is sent elsewhere; returns the number to dial. Raises: InvalidSettings, TooManyToday."""
        number = self.check(target)
        self._spend()
        return number

    def _spend(self) -> None:
        now_s, placed_s = self._now_s(), self._placed_s
        while placed_s and now_s - placed_s[0] >= DAY_S:
            placed_s.popleft()
        if len(placed_s) >= self._config.max_per_day:
            wait_s = DAY_S - (now_s - placed_s[0]) if placed_s else DAY_S
            raise TooManyToday(_SPENT, retry_after_s=math.ceil(wait_s))
        placed_s.append(now_s)
