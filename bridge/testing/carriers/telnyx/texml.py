"""Telnyx with TeXML: an answer URL as at Twilio, Telnyx's signature, Telnyx's media socket.

Source: developers.telnyx.com, texml-verbs/stream; reference telephony section 2. The document owns the call: when the
stream ends the next verb runs, and at its end Telnyx hangs up.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from bridge.testing.call_parts import Opened, Refused, Status
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import DEFAULT_NUMBERS, WEBHOOK_S, Numbers
from bridge.testing.carriers.telnyx.exchange import Telnyx
from bridge.testing.carriers.twiml import Family, read_answer
from bridge.testing.commands import StreamEnd
from bridge.testing.phone_call import PhoneCall
from bridge.testing.signing import telnyx as signing
from bridge.testing.verbs import Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, ask

TEXML: Final = Family(
    "TeXML",
    frozenset(
        {
            "url",
            "name",
            "track",
            "codec",
            "bidirectionalMode",
            "bidirectionalCodec",
            "bidirectionalSamplingRate",
            "bidirectionalTargetLegs",
            "statusCallback",
            "statusCallbackMethod",
            "authToken",
        }
    ),
    frozenset({"inbound_track", "outbound_track", "both_tracks"}),
    10_000,
)
_FIELD_OF: Final = {
    "codec": "stream_codec",
    "bidirectionalMode": "stream_bidirectional_mode",
    "bidirectionalCodec": "stream_bidirectional_codec",
    "bidirectionalSamplingRate": "stream_bidirectional_sampling_rate",
    "bidirectionalTargetLegs": "stream_bidirectional_target_legs",
    "authToken": "stream_auth_token",
}


class TelnyxTexml(Telnyx):
    """Telnyx, for an application that answers with TeXML."""

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call to a number whose TeXML stands at this URL."""
        more = {"texml_url": url, "status_url": self.status_url_for(url)}
        return self.add(self.facts("inbound", numbers, more), plan)

    def waits(self, call: PhoneCall) -> bool:  # noqa: ARG002 - none does
        """The end of the document is the end of the call."""
        return False

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """The number's TeXML."""
        call.status = "ringing"
        return await self.follow(call, Redirect(call.facts.more["texml_url"]))

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:
        """Ask a URL for TeXML."""
        webhook = self._form(redirect.url, self._fields(call))
        return read_answer(await ask(self.world.network, webhook, WEBHOOK_S), call.log, TEXML)

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """As Call Control opens it, with the attributes' names; a single leg hears what comes."""
        named = {
            _FIELD_OF[name]: value for name, value in stream.options.items() if name in _FIELD_OF
        }
        named.setdefault("stream_bidirectional_target_legs", "self")
        return await super().open(call, Stream(stream.url, stream.parameters, named))

    def transfer(self, call: PhoneCall, target: str) -> None:
        """The caller hears somebody else; the document still owns the call, and goes on when its stream ends."""
        call.connected_to = target
        call.log.note("connected", to=target)
        call.log.remark(
            "Call Control transferred a call that a TeXML document owns: when the document ends, so does the call."
        )

    async def told(self, call: PhoneCall, status: Status) -> None:
        """The end of the call goes to the application's status callback."""
        url = call.facts.more["status_url"]
        if url and call.is_over:
            fields = self._fields(call) | {"CallbackSource": "call-progress-events"}
            await self.tell(call, f"status callback ({status})", self._form(url, fields))

    async def stream_told(
        self, call: PhoneCall, stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """The stream's status callback."""
        url = stream.options.get("statusCallback", "")
        if url:
            event = "stream-started" if end is None else "stream-stopped"
            fields = self._fields(call) | {"StreamSid": stream_id, "StreamEvent": event}
            await self.tell(call, event, self._form(url, fields))

    def _fields(self, call: PhoneCall) -> dict[str, str]:
        facts = call.facts
        return {
            "AccountSid": self.account.account_id,
            "CallSid": facts.call_id,
            "CallSidLegacy": facts.call_id,
            "CallStatus": call.status,
            "Direction": "inbound",
            "From": facts.from_number,
            "To": facts.to_number,
        }

    def _form(self, url: str, fields: Mapping[str, str]) -> Webhook:
        body = urlencode(fields).encode()
        at_s = int(self.world.clock().timestamp())
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Webhook(url, "POST", body, headers | signing.sign(self.private_key, at_s, body))
