"""What the call service needs of carriers; whoever knows the configuration provides it."""

from typing import Final, Protocol

from bridge.calls.errors import InvalidSettings
from bridge.calls.records import CallRecord
from bridge.calls.settings import PhoneCarrier, PhoneMedium
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.phone_line import CarrierApi
from bridge.wire.carriers.base import CarrierWire
from bridge.wire.carriers.make import make_wire

_NO_ACCOUNT: Final = "This server has no credentials for this carrier, so it cannot place calls."


class Phones(Protocol):
    """The carriers of one server."""

    def admit(self, record: CallRecord) -> None:
        """Let a call in whose medium is a carrier; one that is to be dialled counts until `ended`.

        Raises: InvalidSettings if such a call cannot be made here, TooManyToday, NoCapacity.
        """
        ...

    def ended(self, record: CallRecord) -> None:
        """A call that was let in has ended; may be said again, and of other calls."""
        ...

    def divert(self, target: str) -> str:
        """Let a caller be sent to this number, which counts as a call; returns it as it is to be dialled.

        Raises: CallError if they cannot be.
        """
        ...

    def wire(self, medium: PhoneMedium) -> CarrierWire:
        """The protocol of one media socket."""
        ...

    def figures(self, record: CallRecord) -> CarrierFigures:
        """Where the stream of this call counts, which has come."""
        ...

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:
        """Our account at the carrier; None without credentials."""
        ...

    async def place(self, record: CallRecord) -> str:
        """Have the carrier dial for this call; returns the carrier's id of the phone call.

        Raises: BridgeError with one sentence.
        """
        ...


class NoPhones:
    """A server without carriers' credentials: streams may come, nothing can be dialled or hung up by REST."""

    def admit(self, record: CallRecord) -> None:
        """See Phones."""
        medium = record.settings.medium
        if isinstance(medium, PhoneMedium) and medium.outgoing is not None:
            raise InvalidSettings("medium", _NO_ACCOUNT)

    def ended(self, record: CallRecord) -> None:
        """See Phones."""

    def divert(self, target: str) -> str:  # noqa: ARG002 - nobody can be sent anywhere
        """See Phones."""
        raise InvalidSettings("target", _NO_ACCOUNT)

    def wire(self, medium: PhoneMedium) -> CarrierWire:
        """See Phones."""
        return make_wire(medium.carrier)

    def figures(self, record: CallRecord) -> CarrierFigures:  # noqa: ARG002 - each for itself
        """See Phones."""
        return CarrierFigures()

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:  # noqa: ARG002 - there is none
        """See Phones."""
        return None

    async def place(self, record: CallRecord) -> str:
        """See Phones: never asked, as every outgoing call is refused."""
        raise NotImplementedError
