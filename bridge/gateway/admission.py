"""Whether one more call may come: the configured limit, what the event loop can carry, and what memory there is.

Measured, not guessed: when timers come late, the audio of every call that is up comes late too, and one more makes it
worse for all. New calls are then refused until the loop has been on time again for a while; between the two
thresholds the last decision stands, so that it does not flutter at the edge. One tick in twenty decides, not one in a
hundred: a loop that is held up once, by 50 calls that come at the same moment or by its machine, is not overloaded;
one that is late again and again is. Memory is looked at before it is gone: who asks the kernel for more than there is
loses all calls at once, not the new one.

The log has one line for each time that calls begin to be refused, with the reason, and one when they are taken again.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bridge.gateway.drain import Drain
from bridge.gateway.loop_lag import LoopLag
from bridge.gateway.memory import AGAIN_CALLS, MemoryRoom

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 5
"""When whoever was refused may come again, s: the loop's lateness is judged over as long."""

RefusedFor: TypeAlias = Literal["draining", "full", "overloaded", "memory"]

_SENTENCES: Final[dict[RefusedFor, str]] = {
    "draining": "The server is going away and takes no new calls.",
    "full": "All lines of the server are in use.",
    "overloaded": "The server is too busy to take another call.",
    "memory": "The server has no memory left for another call.",
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
        memory: how much of it there is; None: it is not looked at.
        drain: whether the service is on its way out.
    """

    def __init__(
        self,
        limits: AdmissionLimits | None = None,
        *,
        lag: LoopLag | None = None,
        memory: MemoryRoom | None = None,
        drain: Drain | None = None,
    ) -> None:
        self.refused: Counter[RefusedFor] = Counter()
        """How many calls were refused, by reason."""
        self._limits = limits or AdmissionLimits()
        self._lag = lag
        self._memory = memory
        self._drain = drain
        self._full = False
        self._short_of: RefusedFor | None = None

    def may_take(self, n_live: int | None = None) -> str | None:
        """A sentence that says why no further call is taken, or None if one is.

        Args:
            n_live: how many calls of the kind that `max_calls` limits there are now, those included that were let in
                and have not begun; None: this call is of another kind.
        """
        reason = self._refused_for(n_live)
        if reason is None:
            return None
        self.refused[reason] += 1
        return _SENTENCES[reason]

    def full(self, n_live: int) -> str | None:
        """A sentence if there is no place left for the kind of call that `max_calls` limits; all else was asked."""
        if not self._is_full(n_live):
            return None
        self.refused["full"] += 1
        return _SENTENCES["full"]

    def _refused_for(self, n_live: int | None) -> RefusedFor | None:
        if self._drain is not None and self._drain.begun:
            return "draining"
        if n_live is not None and self._is_full(n_live):
            return "full"
        return self._lacking()

    def _is_full(self, n_live: int) -> bool:
        most = self._limits.max_calls
        full = most is not None and n_live >= most
        if full and not self._full:
            log.warning(
                "! new phone calls are refused: %d are up, phone.max_calls is %d", n_live, most
            )
        elif self._full and not full:
            log.info("= new phone calls are taken again: %d are up", n_live)
        self._full = full
        return full

    def _lacking(self) -> RefusedFor | None:
        """What all calls need and there is not enough of."""
        why = self._late() or self._short()
        reason, sentence = (None, "") if why is None else why
        if reason is not None and reason != self._short_of:
            log.warning("! new calls are refused: %s", sentence)
        elif reason is None and self._short_of is not None:
            log.info("= new calls are taken again")
        self._short_of = reason
        return reason

    def _late(self) -> tuple[RefusedFor, str] | None:
        if self._lag is None:
            return None
        limits = self._limits
        bound_s = limits.take_lag_s if self._short_of == "overloaded" else limits.refuse_lag_s
        late_s = self._lag.recent_s()
        if late_s <= bound_s:
            return None
        late, bound = f"{1000 * late_s:.3g} ms", f"{1000 * bound_s:.3g} ms"
        return "overloaded", f"the event loop is {late} late (p95 of 5 s), {bound} may be"

    def _short(self) -> tuple[RefusedFor, str] | None:
        if self._memory is None:
            return None
        n_calls = AGAIN_CALLS if self._short_of == "memory" else 1
        bound = self._memory.short(n_calls=n_calls)
        if bound is None:
            return None
        return "memory", f"{bound}, phone.memory_share is {self._memory.share:g}"
