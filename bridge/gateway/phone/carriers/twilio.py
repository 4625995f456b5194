"""Twilio: signed form webhooks, TwiML, a signed upgrade that also needs our token.

Sources: twilio.com/docs/voice/twiml (request parameters), /docs/voice/api/call-resource (status callbacks),
/docs/voice/twiml/stream (stream status callbacks).
"""

from typing import Final

from bridge.errors import UsageError
from bridge.gateway.phone.carriers.base import (
    CallComes,
    CallMoved,
    Came,
    Carrier,
    News,
    StreamTo,
    numbers_in,
)
from bridge.gateway.phone.carriers.reading import WebhookUnclear, fields_of, needed, said
from bridge.legs.carrier_rest.twilio import TwilioApi
from bridge.wire.answers import twiml
from bridge.wire.answers.answer import Answer
from bridge.wire.signatures import twilio as signatures
from bridge.wire.signatures.request import SignedRequest

_CANNOT_CHECK: Final = "carriers.twilio has no auth_token to check with"
OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class Twilio(Carrier):
    """Twilio with one account.

    Args:
        auth_token: the primary one; None: nothing can be checked.
        account_sid: calls of other accounts are not answered; None: of any.
        api: None: phone calls can be ended by closing their stream only.
    """

    name = "twilio"
    answers = True

    def __init__(
        self,
        auth_token: str | None,
        account_sid: str | None = None,
        api: TwilioApi | None = None,
    ) -> None:
        super().__init__()
        self._auth_token = auth_token
        self._account_sid = account_sid
        self.api = api

    def check_webhook(self, came: Came) -> str | None:
        """See Carrier."""
        if self._auth_token is None:
            return _CANNOT_CHECK
        return signatures.check_webhook(self._auth_token, came.request, came.public_url)

    def check_upgrade(self, came: Came) -> str | None:
        """See Carrier."""
        if self._auth_token is None:
            return _CANNOT_CHECK
        return signatures.check_upgrade(self._auth_token, came.request, came.public_url)

    def read(self, request: SignedRequest) -> News:
        """A call that comes in, or how far a call or its stream has come."""
        fields = fields_of(request)
        call_id = needed(fields, "CallSid")
        if event := said(fields, "StreamEvent"):
            failed = event == "stream-error"
            return CallMoved(call_id, stream_failed=failed, detail=said(fields, "StreamError"))
        account_id, status = said(fields, "AccountSid"), said(fields, "CallStatus")
        if "CallbackSource" in fields or status in OVER:
            return CallMoved(call_id, status, over=status in OVER)
        if self._account_sid is not None and account_id != self._account_sid:
            raise WebhookUnclear("it is of another account")
        # No time stands in the signature: a webhook that was heard once could be said again for ever.
        once = status != "in-progress"
        return CallComes(call_id, numbers_in(fields), account_id, once=once)

    def stream(self, to: StreamTo) -> Answer:
        """See Carrier."""
        try:
            return twiml.stream(to.url, to.parameters, status_url=to.status_url)
        except UsageError:  # a parameter too long: the call is worth more
            return twiml.stream(to.url, status_url=to.status_url)

    def busy(self) -> Answer:
        """See Carrier."""
        return twiml.busy()
