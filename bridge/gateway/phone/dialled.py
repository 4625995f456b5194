"""What carriers ask and tell of the phone calls that the call service has placed.

Their webhooks come to the same addresses as those of the desk's calls and are checked in the same way; which call it is
stands in the address.
"""

from typing import Final
from urllib.parse import parse_qs, urlencode

from bridge.calls.dialling import PhoneNews
from bridge.calls.records import CallRecord
from bridge.calls.service import CallService
from bridge.gateway.join_route import stream_url
from bridge.gateway.phone.carriers.base import CallComes, CallMoved, Carrier, StreamTo
from bridge.gateway.public_url import PublicUrl
from bridge.wire.answers.answer import Answer

CALL_FIELD: Final = "call"
"""In the query of a status URL: our id of the call."""


def status_url(web: str, carrier: str, call_id: str) -> str:
    """Where a carrier tells how far a placed call has come, under the address of the service."""
    return f"{web}/carriers/{carrier}/status?{urlencode({CALL_FIELD: call_id})}"


def answer_url(web: str, carrier: str, record: CallRecord) -> str:
    """Where a carrier asks what to do with a placed call once it is answered."""
    return f"{web}/carriers/{carrier}/answer/{record.call_id}/{record.join_token}"


class DialledCalls:
    """The placed calls of a call service, for the webhooks of carriers.

    Args:
        service: has the calls.
        public: under which carriers reach the service.
    """

    def __init__(self, service: CallService, public: PublicUrl) -> None:
        self._service = service
        self._public = public

    def answer(self, carrier: Carrier, comes: CallComes, call_id: str, token: str) -> Answer | None:
        """What to do with a placed call that somebody has answered; None if nobody waits for it."""
        record = self._service.dialled(carrier.name, call_id, token, comes.call_id)
        if record is None:
            return None
        sockets, web = self._public.sockets("", secure=True), self._public.web("", secure=True)
        told = status_url(web, carrier.name, call_id)
        return carrier.stream(StreamTo(stream_url(record, sockets), told, comes.call_id))

    def moved(self, carrier: Carrier, moved: CallMoved, target: str) -> None:
        """How far a call has come; `target` is the webhook's request target."""
        for call_id in parse_qs(target.partition("?")[2]).get(CALL_FIELD, [])[:1]:
            news = PhoneNews(
                carrier=carrier.name,
                phone_call_id=moved.call_id,
                call_id=call_id,
                status=moved.status,
                over=moved.over,
                stream_failed=moved.stream_failed,
            )
            self._service.phone_moved(news)
