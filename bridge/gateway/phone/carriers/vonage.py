"""Vonage: webhooks signed by a JWT, NCCO; the media socket needs our token, because Vonage does not sign it.

Source: developer.vonage.com/en/voice/voice-api/webhook-reference (answer, events).
"""

from typing import Final

from bridge.gateway.phone.carriers.base import (
    CallComes,
    CallMoved,
    Came,
    Carrier,
    News,
    PhoneNumbers,
    StreamTo,
    direction_of,
)
from bridge.gateway.phone.carriers.reading import events_of, needed, said
from bridge.legs.carrier_rest.vonage import VonageApi
from bridge.wire.answers import ncco
from bridge.wire.answers.answer import Answer
from bridge.wire.signatures import vonage as signatures
from bridge.wire.signatures.request import SignedRequest

OVER: Final = frozenset(
    {"completed", "failed", "rejected", "busy", "cancelled", "timeout", "unanswered"}
)
_CANNOT_CHECK: Final = "carriers.vonage has no signature_secret to check with"


class Vonage(Carrier):
    """Vonage with one application.

    Args:
        signature_secret: None: nothing can be checked.
        api: None: phone calls are ended by closing their socket.
        rate_hz: of the media sockets.
    """

    name = "vonage"
    answers = True

    def __init__(
        self,
        signature_secret: str | None,
        api: VonageApi | None = None,
        rate_hz: ncco.RateHz = 16_000,
    ) -> None:
        super().__init__()
        self.api = api
        self._signature_secret = signature_secret
        self._rate_hz = rate_hz

    def check_webhook(self, came: Came) -> str | None:
        """See Carrier."""
        if self._signature_secret is None:
            return _CANNOT_CHECK
        return signatures.check_webhook(self._signature_secret, came.request, came.now_s)

    def once_key(self, request: SignedRequest) -> str:
        """See Carrier."""
        return request.headers.get(signatures.HEADER, "")

    def read(self, request: SignedRequest) -> News:
        """A call that comes in, or an event of one."""
        fields = events_of(request)
        call_id = needed(fields, "uuid")
        if status := said(fields, "status"):
            return CallMoved(call_id, status, over=status in OVER)
        direction = direction_of(said(fields, "direction"))
        return CallComes(call_id, PhoneNumbers(said(fields, "from"), said(fields, "to"), direction))

    def stream(self, to: StreamTo) -> Answer:
        """See Carrier. The call's id goes along: the socket's first message says nothing else of the call."""
        told = {"uuid": to.call_id, **to.parameters}
        return ncco.stream(to.url, told, rate_hz=self._rate_hz)

    def busy(self) -> Answer:
        """See Carrier."""
        return ncco.busy()
