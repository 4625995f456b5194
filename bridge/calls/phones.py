"""What the call service needs of carriers; whoever knows the configuration provides it."""

from typing import Protocol

from bridge.calls.records import CallRecord
from bridge.calls.settings import PhoneCarrier, PhoneMedium
from bridge.legs.phone_line import CarrierApi
from bridge.wire.carriers.base import CarrierWire
from bridge.wire.carriers.make import make_wire


class Phones(Protocol):
    """The carriers of one server."""

    def refusal(self, medium: PhoneMedium) -> str | None:
        """A sentence that says why no call of this medium can be made here; None if it can."""
        ...

    def wire(self, carrier: PhoneCarrier) -> CarrierWire:
        """The protocol of one media socket."""
        ...

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:
        """Our account at the carrier; None without credentials."""
        ...

    async def place(self, record: CallRecord) -> str:
        """Have the carrier dial for this call; returns the carrier's id of the phone call.

        Raises: CarrierApiError.
        """
        ...


class NoPhones:
    """A server without carriers' credentials: streams may come, nothing can be dialled or hung up by REST."""

    def refusal(self, medium: PhoneMedium) -> str | None:
        """See Phones."""
        if medium.outgoing is None:
            return None
        return "This server has no credentials for this carrier, so it cannot place calls."

    def wire(self, carrier: PhoneCarrier) -> CarrierWire:
        """See Phones."""
        return make_wire(carrier)

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:  # noqa: ARG002 - there is none
        """See Phones."""
        return None

    async def place(self, record: CallRecord) -> str:
        """See Phones: never asked, as every outgoing call is refused."""
        raise NotImplementedError
