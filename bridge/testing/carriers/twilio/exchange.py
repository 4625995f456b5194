"""Twilio's part of a call: signed webhooks, TwiML, opening the media stream.

Sources: twilio.com/docs/voice/twiml/stream, /docs/usage/webhooks/voice-webhooks, /docs/api/errors; reference
telephony section 1.
"""

from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from bridge.clock import rfc3339
from bridge.testing.call_parts import CallFacts, Opened, Refused, Status
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import (
    DEFAULT_NUMBERS,
    WEBHOOK_S,
    Account,
    Carrier,
    Numbers,
    World,
)
from bridge.testing.carriers.twilio.ids import sid
from bridge.testing.carriers.twilio.media import StreamIds, TwilioMedia
from bridge.testing.carriers.twilio.rest import make_app
from bridge.testing.carriers.twiml import read_answer, read_twiml
from bridge.testing.commands import StreamEnd
from bridge.testing.phone_call import PhoneCall
from bridge.testing.signing import twilio as signing
from bridge.testing.verbs import Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, WebhookAnswer, ask

API_VERSION: Final = "2010-04-01"
_EVENT_OF: Final[Mapping[Status, str]] = {
    "queued": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
}
"""Every other status is the event ``completed``."""


class Twilio(Carrier):
    """Twilio with one account: `account_id` is the AccountSid, `token` the auth token."""

    name = "twilio"

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self.app = make_app(self)

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call to a number whose answer URL this is."""
        facts = CallFacts(
            call_id=sid("CA", self.world.ids),
            direction="inbound",
            from_number=numbers.from_number,
            to_number=numbers.to_number,
            more={"Url": url, "StatusCallback": self.status_url_for(url)},
        )
        return self.add(facts, plan)

    # See Exchange

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """The number's TwiML; an outgoing call rings first."""
        more = call.facts.more
        if call.facts.direction == "inbound":
            call.status = "ringing"
        else:
            if not await self.ring(call):
                return []
            await call.answered()
            if "Twiml" in more:
                return read_twiml(more["Twiml"].encode(), call.log)
        return await self.follow(call, Redirect(more["Url"], more.get("Method", "POST")))

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:
        """Ask a URL for TwiML."""
        answer = await self._ask(call, redirect.url, redirect.method, call_fields(self, call))
        call.log.note("document", status=answer.status)
        return read_answer(answer, call.log)

    async def told(self, call: PhoneCall, status: Status) -> None:
        """The call's status callback, for the events that were asked for."""
        more = call.facts.more
        url = more.get("StatusCallback", "")
        event = _EVENT_OF.get(status, "completed")
        if not url or event not in more.get("StatusCallbackEvent", "completed").split():
            return
        fields = call_fields(self, call) | {
            "CallbackSource": "call-progress-events",
            "Timestamp": format_datetime(self.world.clock()),
        }
        if event == "completed":
            fields["CallDuration"] = str(round(call.duration_s))
        method = more.get("StatusCallbackMethod", "POST")
        await self.tell(call, f"status callback ({status})", self._webhook(url, method, fields))

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """Open the stream's socket, with a signature over its URL."""
        refused = self._unfit(stream.url, call)
        if refused is not None:
            return refused
        headers = {signing.HEADER: signing.sign(self.account.token, stream.url)}
        socket = await self.dial_out(call, stream.url, headers)
        if isinstance(socket, Refused):
            return Refused(socket.sentence, "31920")
        ids = StreamIds(
            self.account.account_id,
            call.facts.call_id,
            sid("MZ", self.world.ids),
            dict(stream.parameters),
        )
        return Opened(socket, TwilioMedia(ids), ids.stream_sid)

    async def stream_told(
        self, call: PhoneCall, stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """The stream's status callback."""
        url = stream.options.get("statusCallback", "")
        if not url:
            return
        event = "stream-started" if end is None else "stream-stopped"
        fields = {
            "AccountSid": self.account.account_id,
            "CallSid": call.facts.call_id,
            "StreamSid": stream_id,
            "StreamName": stream.options.get("name", stream_id),
            "StreamEvent": event,
            "Timestamp": rfc3339(self.world.clock()),
        }
        if end is not None and (end.error or end.by == "network"):
            fields |= {"StreamEvent": "stream-error", "StreamError": end.error or "31921"}
        method = stream.options.get("statusCallbackMethod", "POST")
        await self.tell(call, fields["StreamEvent"], self._webhook(url, method, fields))

    # Inside

    async def _ask(
        self, call: PhoneCall, url: str, method: str, fields: Mapping[str, str]
    ) -> WebhookAnswer:
        call.log.note("asked", url=url)
        return await ask(self.world.network, self._webhook(url, method, fields), WEBHOOK_S)

    def _webhook(self, url: str, method: str, fields: Mapping[str, str]) -> Webhook:
        """A signed request; a GET carries its fields in the URL, which is signed with them."""
        token = self.account.token
        if method.upper() == "GET":
            url += ("&" if urlsplit(url).query else "?") + urlencode(fields)
            return Webhook(url, "GET", headers={signing.HEADER: signing.sign(token, url)})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            signing.HEADER: signing.sign(token, url, fields),
        }
        return Webhook(url, "POST", urlencode(fields).encode(), headers)

    def _unfit(self, url: str, call: PhoneCall) -> Refused | None:
        """What Twilio refuses of a stream's URL."""
        parts = urlsplit(url)
        if not parts.netloc:
            return Refused("The stream's URL is no address.", "31923")
        if parts.query:
            return Refused(
                "The stream's URL has a query string, which Twilio refuses: use <Parameter> or the path.",
                "31920",
            )
        if parts.scheme == "ws" and not self.world.strict:
            call.log.remark(
                "The stream's URL is ws://, for this test only: Twilio takes wss:// alone."
            )
        elif parts.scheme != "wss":
            return Refused(f"The stream's URL begins with {parts.scheme}://, not wss://.", "31922")
        return None


def call_fields(carrier: Twilio, call: PhoneCall) -> dict[str, str]:
    """What every webhook says of its call."""
    facts = call.facts
    return {
        "AccountSid": carrier.account.account_id,
        "ApiVersion": API_VERSION,
        "CallSid": facts.call_id,
        "CallStatus": call.status,
        "Called": facts.to_number,
        "Caller": facts.from_number,
        "Direction": "inbound" if facts.direction == "inbound" else "outbound-api",
        "From": facts.from_number,
        "To": facts.to_number,
    }
