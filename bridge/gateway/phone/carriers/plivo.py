"""Plivo: signed form webhooks, Plivo XML; the media socket needs our token, and a signature where it has one.

Sources: plivo.com/docs/voice/concepts/callbacks, …/xml/audio-streaming (status callbacks, in older and newer names).
"""

from typing import Final
from urllib.parse import parse_qs

from bridge.gateway.phone.carriers.base import (
    NOTHING,
    CallComes,
    CallGoesTo,
    CallMoved,
    Came,
    Carrier,
    News,
    StreamTo,
    numbers_in,
)
from bridge.gateway.phone.carriers.reading import fields_of, needed, said
from bridge.legs.carrier_rest.plivo import TRANSFER_FIELD, PlivoApi
from bridge.wire.answers import plivo_xml
from bridge.wire.answers.answer import Answer
from bridge.wire.answers.plivo_xml import MU_LAW, ContentType
from bridge.wire.signatures import plivo as signatures
from bridge.wire.signatures.request import SignedRequest

OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "timeout", "cancel"})
_FAILED: Final = frozenset({"failed", "FailedStream"})
_CANNOT_CHECK: Final = "carriers.plivo has no auth_token to check with"


class Plivo(Carrier):
    """Plivo with one account.

    Args:
        auth_token: None: nothing can be checked.
        api: None: phone calls end with their stream.
        content_type: of the media sockets.
    """

    name = "plivo"
    answers = True
    dated = False
    tries_again = True

    def __init__(
        self,
        auth_token: str | None,
        api: PlivoApi | None = None,
        content_type: ContentType = MU_LAW,
    ) -> None:
        super().__init__()
        self.api = api
        self._auth_token = auth_token
        self._content_type = content_type

    def check_webhook(self, came: Came) -> str | None:
        """See Carrier."""
        if self._auth_token is None:
            return _CANNOT_CHECK
        return signatures.check_webhook(self._auth_token, came.request, came.public_url)

    def check_upgrade(self, came: Came) -> str | None:
        """See Carrier. Sockets are signed "if configured": a signature that is there must be right."""
        if self._auth_token is None or signatures.HEADER not in came.request.headers:
            return None
        return signatures.check_upgrade(self._auth_token, came.request, came.public_url)

    def once_key(self, request: SignedRequest) -> str:
        """See Carrier."""
        return request.headers.get(signatures.NONCE_HEADER, "")

    def read(self, request: SignedRequest) -> News:
        """A call that comes in or is sent elsewhere, or how far a call or its stream has come."""
        query = parse_qs(request.target.partition("?")[2])
        if TRANSFER_FIELD in query:
            return CallGoesTo(query[TRANSFER_FIELD][0])
        fields = fields_of(request)
        call_id = needed(fields, "CallUUID")
        event, status = said(fields, "Event"), said(fields, "CallStatus")
        if "StreamID" in fields:
            why = said(fields, "StatusReason")
            return CallMoved(call_id, stream_failed=event in _FAILED, detail=why)
        if event == "Hangup" or status in OVER:
            return CallMoved(call_id, status, over=True)
        if event not in ("StartApp", ""):
            return CallMoved(call_id, status) if status else NOTHING
        # No time stands in the signature: a webhook that was heard once could be said again for ever.
        once = status != "in-progress"
        return CallComes(call_id, numbers_in(fields), once=once)

    def stream(self, to: StreamTo) -> Answer:
        """See Carrier."""
        return plivo_xml.stream(
            to.url,
            status_url=to.status_url,
            content_type=self._content_type,
            then_hang_up=self.api is None,
        )

    def busy(self) -> Answer:
        """See Carrier."""
        return plivo_xml.busy()

    def transfer(self, target: str) -> Answer:
        """See Carrier."""
        return plivo_xml.transfer(target)
