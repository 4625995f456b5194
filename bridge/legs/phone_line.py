"""What can be done to a phone call beside its media socket: through the carrier's REST API.

The carriers' clients stand in ``bridge.legs.carrier_rest``; a call without credentials has no line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bridge.errors import BridgeError


class CarrierApiError(BridgeError):
    """A carrier's API refused, failed or did not answer; `status` is its HTTP status, 0 if there was none."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class PhoneLine(Protocol):
    """One phone call as its carrier's API sees it.

    Each method has a deadline of its own and raises CarrierApiError.
    """

    async def hang_up(self) -> None:
        """End the phone call; one that has ended already is a success."""
        ...

    async def transfer(self, target: str) -> None:
        """Send the caller to another number or SIP address (cold); the stream ends by it, see TransfersOnClose."""
        ...

    async def send_digits(self, digits: str) -> None:
        """Press these keys towards the far side: 0-9 A-D * #, and w for half a second of waiting."""
        ...


@runtime_checkable
class TransfersOnClose(Protocol):
    """A line whose `transfer` takes effect when our side closes the media socket; else the carrier ends the stream."""

    transfers_on_close: bool


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """A phone call to place."""

    to: str
    from_: str
    stream_url: str
    """Where the carrier opens its media socket (``wss://…``, token in the path)."""
    status_url: str = ""
    """Where the carrier tells of the call's progress; empty: nowhere."""
    more: Mapping[str, object] = field(default_factory=dict)
    """Further fields for the carrier's request, in its own words (``additionalParams`` of the API)."""
    answer_url: str = ""
    """Where a carrier asks what to do once the call is answered, if its request cannot say it (Plivo)."""


class CarrierApi(Protocol):
    """One account at one carrier."""

    async def place(self, call: OutgoingCall) -> str:
        """Have the carrier call somebody; returns the carrier's id of the phone call.

        Raises: CarrierApiError.
        """
        ...

    def line(self, call_id: str) -> PhoneLine:
        """The phone call with this id."""
        ...
