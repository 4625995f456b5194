"""All phone calls of the process, whichever way they came: what `phone.max_calls` limits and the metrics page counts.

Most are answered at the desk and relayed to an AI call. Calls of the API whose medium is a carrier have a line too:
those that it dials, and those whose join URL somebody else's stream is pointed at.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bridge.calls.errors import NoCapacity
from bridge.gateway.admission import RETRY_AFTER_S, Admission
from bridge.gateway.phone_totals import LivePhoneCall, PhoneTotals
from bridge.legs.carrier.figures import CarrierFigures


@dataclass(slots=True)
class ApiPhoneCall:
    """A call of the API whose medium is a carrier, as the metrics see it."""

    carrier: str
    figures: CarrierFigures
    state: str = "waiting"
    """`live` from when its stream is there."""


class PhoneLines:
    """The lines of one process.

    Args:
        admission: who decides about new calls.
    """

    def __init__(self, admission: Admission) -> None:
        self.totals = PhoneTotals()
        """What the calls that have ended add up to."""
        self._admission = admission
        self._of_api: dict[str, ApiPhoneCall] = {}
        self._at_desk: Callable[[], Iterable[LivePhoneCall]] = tuple
        self._n_at_desk: Callable[[], int] = int

    def serve(self, live: Callable[[], Iterable[LivePhoneCall]], n_live: Callable[[], int]) -> None:
        """A desk takes calls: how to look at those that it has."""
        self._at_desk, self._n_at_desk = live, n_live

    def may_take(self) -> str | None:
        """Why no further call is taken at the desk, in a sentence; None if one is."""
        return self._admission.may_take(self._n_live)

    def live(self) -> Iterator[LivePhoneCall]:
        """The calls that have not ended."""
        yield from self._at_desk()
        yield from tuple(self._of_api.values())

    # Calls of the API

    def check(self) -> None:
        """Look whether a call of the API gets a line. Raises: NoCapacity.

        What else decides about it was asked before its request was read.
        """
        if why := self._admission.full(self._n_live):
            raise NoCapacity(why, retry_after_s=RETRY_AFTER_S)

    def begin(self, call_id: str, carrier: str) -> None:
        """A call of the API takes a line, until its `end`."""
        totals = self.totals
        figures = CarrierFigures(lateness=totals.lateness, clear_latency=totals.clear_latency)
        self._of_api[call_id] = ApiPhoneCall(carrier, figures)

    def connect(self, call_id: str) -> CarrierFigures | None:
        """The stream of a call is there: where it counts; None for a call without a line."""
        call = self._of_api.get(call_id)
        if call is None:
            return None
        call.state = "live"
        return call.figures

    def end(self, call_id: str, reason: str) -> None:
        """A call of the API has ended; may be said again, and of others."""
        call = self._of_api.pop(call_id, None)
        if call is not None:
            self.totals.end(call, reason)

    @property
    def _n_live(self) -> int:
        return self._n_at_desk() + len(self._of_api)
