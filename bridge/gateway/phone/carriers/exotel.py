"""Exotel: a voicebot applet whose address is a socket, or an https address that answers with one.

Source: developer.exotel.com/docs/agentstream/stream-voicebot-applet. Nothing is signed: a secret in the socket's
address, Basic credentials, or both; the answer URL can be told by Basic credentials only.
"""

from bridge.gateway.phone.carriers.base import (
    CallComes,
    CallMoved,
    Came,
    News,
    PhoneNumbers,
    StreamTo,
    direction_of,
)
from bridge.gateway.phone.carriers.by_socket import Locked, SocketFirst
from bridge.gateway.phone.carriers.reading import fields_of, needed, said
from bridge.legs.carrier_rest.exotel import ExotelApi
from bridge.legs.phone_line import PhoneLine
from bridge.wire.answers import exotel
from bridge.wire.answers.answer import Answer
from bridge.wire.carriers.make import WireOptions
from bridge.wire.signatures.request import SignedRequest


class Exotel(SocketFirst):
    """Exotel with one account.

    Args:
        lock: of the media socket.
        api: None: no calls are placed.
        rate_hz: of the media sockets that the answer URL names.
    """

    name = "exotel"
    answers = True
    tries_again = True

    def __init__(
        self, lock: Locked, api: ExotelApi | None = None, rate_hz: exotel.RateHz = 8_000
    ) -> None:
        super().__init__(lock, options=WireOptions(l16_rate_hz=rate_hz))
        self.api = api
        self._rate_hz = rate_hz

    def check_webhook(self, came: Came) -> str | None:
        """See Carrier."""
        return self.lock.check_credentials(came.request)

    def read(self, request: SignedRequest) -> News:
        """A call that comes in, or how far a placed one has come."""
        fields = fields_of(request)
        call_id = needed(fields, "CallSid")
        if event := said(fields, "EventType"):
            return CallMoved(call_id, said(fields, "Status"), over=event == "terminal")
        direction = direction_of(said(fields, "Direction"))
        caller, called = said(fields, "CallFrom", "From"), said(fields, "CallTo", "To")
        return CallComes(call_id, PhoneNumbers(caller, called, direction))

    def stream(self, to: StreamTo) -> Answer:
        """See Carrier."""
        return exotel.stream(to.url, rate_hz=self._rate_hz)

    def line(self, call_id: str) -> PhoneLine | None:  # noqa: ARG002
        """See Carrier. Exotel's API places calls and does nothing to them."""
        return None
