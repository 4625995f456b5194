"""Whether one more call may come: the limit of the configuration, and what the event loop can carry.

Measured, not guessed: when timers come late, the audio of every call that is up comes late too, and one more makes it
worse for all. New calls are then refused until the loop has been on time again for a while; between the two
thresholds the last decision stands, so that it does not flutter at the edge. One tick in twenty decides, not one in a
hundred: a loop that is held up once, by 50 calls that come at the same moment or by its machine, is not overloaded;
one that is late again and again is.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bridge.gateway.drain import Drain
from bridge.gateway.loop_lag import LoopLag

RETRY_AFTER_S: Final = 5
"""When whoever was refused may come again, s: the loop's lateness is judged over as long."""

RefusedFor: TypeAlias = Literal["draining", "full", "overloaded"]

_SENTENCES: Final[dict[RefusedFor, str]] = {
    "draining": "The server is going away and takes no new calls.",
    "full": "All lines of the server are in use.",
    "overloaded": "The server is too busy to take another call.",
}


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much the service takes on."""

    max_calls: int | None = None
    """Calls at the same time; None: as many as the loop carries."""
    refuse_lag_s: float = 0.040
    """How late the loop may be (p95 of its last seconds) before new calls are refused, s."""
    take_lag_s: float = 0.020
    """How late it may be for them to be taken again, s."""


class Admission:
    """The one who decides; asked once for each call, before anything is spent on it.

    Args:
        limits: how much is taken on.
        lag: the running measurement of the loop; None: it is not looked at (virtual time knows no lateness).
        drain: whether the service is on its way out.
    """

    def __init__(
        self,
        limits: AdmissionLimits | None = None,
        *,
        lag: LoopLag | None = None,
        drain: Drain | None = None,
    ) -> None:
        self.refused: Counter[RefusedFor] = Counter()
        """How many calls were refused, by reason."""
        self._limits = limits or AdmissionLimits()
        self._lag = lag
        self._drain = drain
        self._overloaded = False

    def may_take(self, n_live: int = 0) -> str | None:
        """A sentence that says why no further call is taken, or None if one is.

        Args:
            n_live: how many calls of the kind that `max_calls` limits there are now, those included that were let in
                and have not begun.
        """
        reason = self._refused_for(n_live)
        if reason is None:
            return None
        self.refused[reason] += 1
        return _SENTENCES[reason]

    def _refused_for(self, n_live: int) -> RefusedFor | None:
        if self._drain is not None and self._drain.begun:
            return "draining"
        if self._limits.max_calls is not None and n_live >= self._limits.max_calls:
            return "full"
        return "overloaded" if self._is_overloaded() else None

    def _is_overloaded(self) -> bool:
        if self._lag is not None:
            limits = self._limits
            bound_s = limits.take_lag_s if self._overloaded else limits.refuse_lag_s
            self._overloaded = self._lag.recent_s() > bound_s
        return self._overloaded
