"""Plivo's part of a call: signed webhooks, XML, opening the stream.

Sources: plivo.com/docs/voice/xml/audio-streaming, /voice/concepts/callbacks; reference telephony section 3.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from urllib.parse import urlencode

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
from bridge.testing.carriers.plivo.document import read_answer
from bridge.testing.carriers.plivo.media import CONTENT_TYPES, PlivoMedia, StreamFacts
from bridge.testing.carriers.plivo.rest import make_app
from bridge.testing.commands import StreamEnd
from bridge.testing.phone_call import PhoneCall
from bridge.testing.shaped_socket import ShapedSocket
from bridge.testing.signing import plivo as signing
from bridge.testing.verbs import Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, ask

TRIES: Final = 2
_STATUS: Final[Mapping[Status, str]] = {"canceled": "cancel"}


class Plivo(Carrier):
    """Plivo with one account: `account_id` is the auth id, `token` the auth token."""

    name = "plivo"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "events": ("older", "newer"),
        "requests": ("same", "own"),
    }
    """`requests`: whether a request to place a call has the id of the call, or one of its own."""

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self.app = make_app(self)

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call to a number whose answer URL this is."""
        more = {"answer_url": url, "hangup_url": self.status_url_for(url)}
        return self.add(self.facts("inbound", numbers, more), plan)

    def facts(self, direction: str, numbers: Numbers, more: Mapping[str, str]) -> CallFacts:
        """A new call's facts."""
        return CallFacts(
            call_id=self.world.ids.uuid(),
            direction="inbound" if direction == "inbound" else "outbound",
            from_number=numbers.from_number.lstrip("+"),
            to_number=numbers.to_number.lstrip("+"),
            more=dict(more),
        )

    # See Exchange

    def waits(self, call: PhoneCall) -> bool:
        """A stream that keeps the call alive leaves it up when it ends: somebody has to hang up."""
        return call.facts.more.get("kept alive") == "yes"

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """The number's XML; an outgoing call rings first."""
        if call.facts.direction == "inbound":
            call.status = "ringing"
        elif not await self.ring(call):
            return []
        else:
            await call.answered()
        more = call.facts.more
        method = more.get("answer_method", "POST")
        return await self.follow(call, Redirect(more["answer_url"], method))

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:
        """Ask a URL for XML."""
        call.facts.more.pop("kept alive", None)
        webhook = self._webhook(redirect.url, redirect.method, self.fields(call, "StartApp"))
        answer = await ask(self.world.network, webhook, WEBHOOK_S)
        call.log.note("document", status=answer.status)
        return read_answer(answer, call.log)

    async def told(self, call: PhoneCall, status: Status) -> None:
        """The hang-up and ring webhooks of a call that the application placed, and an inbound call's hang-up."""
        more = call.facts.more
        url = more.get("ring_url") if status == "ringing" else None
        event = "Ring"
        if call.is_over:
            url, event = more.get("hangup_url"), "Hangup"
        if url:
            fields = self.fields(call, event)
            if call.is_over:
                fields |= {
                    "Duration": str(round(call.duration_s)),
                    "HangupCause": "NORMAL_CLEARING",
                }
            await self.tell(call, event, self._webhook(url, "POST", fields))

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """Open the stream's socket, in two tries."""
        options = stream.options
        if not stream.url.startswith(("wss://", "ws://")):
            return Refused("The stream's URL is no wss:// address; it is the text of <Stream>.")
        if stream.url.startswith("ws://"):
            call.log.remark("The stream's URL is ws://: only for tests on one machine.")
        if options.get("keepCallAlive") == "true":
            call.facts.more["kept alive"] = "yes"
        nonce = self.world.ids.uuid().replace("-", "")
        headers = signing.sign(self.account.token, stream.url, nonce)
        socket: ShapedSocket | Refused = Refused("")
        for _ in range(TRIES):
            socket = await self.dial_out(call, stream.url, headers)
            if isinstance(socket, ShapedSocket):
                break
        if isinstance(socket, Refused):
            return socket
        encoding, rate_hz = CONTENT_TYPES.get(
            options.get("contentType", ""), ("audio/x-l16", 8_000)
        )
        facts = StreamFacts(
            call_id=call.facts.call_id,
            stream_id=self.world.ids.uuid(),
            account_id=self.account.account_id,
            encoding=encoding,
            rate_hz=rate_hz,
            extra_headers=options.get("extraHeaders", ""),
        )
        media = PlivoMedia(facts, lambda: round(1000 * self.world.clock().timestamp()))
        return Opened(socket, media, facts.stream_id)

    async def stream_told(
        self, call: PhoneCall, stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """The stream's status callback, under its older or newer names."""
        url = stream.options.get("statusCallbackUrl", "")
        if not url:
            return
        newer = self.option("events") == "newer"
        names = ("started", "stopped") if newer else ("StartStream", "StopStream")
        event = names[0] if end is None else names[1]
        fields = {
            "From": call.facts.from_number,
            "To": call.facts.to_number,
            "CallUUID": call.facts.call_id,
            "StreamID": stream_id,
            "Event": event,
            "StatusReason": "" if end is None else end.how,
            "ServiceURL": stream.url,
        }
        method = stream.options.get("statusCallbackMethod", "POST")
        await self.tell(call, event, self._webhook(url, method, fields))

    # Inside

    def fields(self, call: PhoneCall, event: str) -> dict[str, str]:
        """What a webhook says of its call."""
        facts = call.facts
        placed = {"RequestUUID": facts.more["request"]} if "request" in facts.more else {}
        return {
            **placed,
            "CallUUID": facts.call_id,
            "From": facts.from_number,
            "To": facts.to_number,
            "Direction": "inbound" if facts.direction == "inbound" else "outbound",
            "CallStatus": _STATUS.get(call.status, call.status),
            "Event": event,
            "ParentAuthID": self.account.account_id,
        }

    def _webhook(self, url: str, method: str, fields: Mapping[str, str]) -> Webhook:
        nonce = self.world.ids.uuid().replace("-", "")
        token = self.account.token
        if method.upper() == "GET":
            url += ("&" if "?" in url else "?") + urlencode(fields)
            return Webhook(url, "GET", headers=signing.sign(token, url, nonce))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            **signing.sign(token, url, nonce, fields),
        }
        return Webhook(url, "POST", urlencode(fields).encode(), headers)
