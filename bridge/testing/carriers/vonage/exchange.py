"""Vonage's part of a call: signed webhooks, NCCO, the voice WebSocket.

Sources: developer.vonage.com/en/voice/voice-api (webhook-reference, ncco-reference, websockets); reference telephony
section 5.1.
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlencode

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
from bridge.testing.carriers.vonage.media import VonageMedia
from bridge.testing.carriers.vonage.ncco import read_ncco
from bridge.testing.carriers.vonage.rest import make_app
from bridge.testing.commands import StreamEnd
from bridge.testing.phone_call import PhoneCall
from bridge.testing.signing import vonage as signing
from bridge.testing.verbs import DocumentError, Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, WebhookAnswer, ask

_STATUS: Mapping[Status, str] = {"in-progress": "answered", "no-answer": "timeout"}


class Vonage(Carrier):
    """Vonage with one application: `account_id` is its id, `token` the signature secret of the account.

    ``more["api_key"]`` is the account's key, ``more["public_key"]`` (PEM) what the application's tokens are checked
    with, ``more["event_url"]`` where its events go.
    """

    name = "vonage"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "buffer": ("1024", "3072"),
        "method": ("GET", "POST"),
    }

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self.app = make_app(self)

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call to a number whose answer URL this is."""
        told = self.account.more.get("event_url", "") or self.status_url_for(url)
        more = {"answer_url": url, "event_url": told}
        return self.add(self.facts("inbound", numbers, more), plan)

    def facts(self, direction: str, numbers: Numbers, more: Mapping[str, str]) -> CallFacts:
        """A new call's facts. Numbers have no plus sign here."""
        ids = self.world.ids
        return CallFacts(
            call_id=ids.uuid(),
            direction="inbound" if direction == "inbound" else "outbound",
            from_number=numbers.from_number.lstrip("+"),
            to_number=numbers.to_number.lstrip("+"),
            more={"conversation_uuid": "CON-" + ids.uuid(), **more},
        )

    # See Exchange

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """The NCCO; an outgoing call rings first."""
        if call.facts.direction == "inbound":
            call.status = "ringing"
        elif not await self.ring(call):
            return []
        else:
            await call.answered()
            if "ncco" in call.facts.more:
                return read_ncco(call.facts.more["ncco"], call.log)
        method = self.option("method")
        return await self.follow(call, Redirect(call.facts.more["answer_url"], method))

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:
        """Ask a URL for an NCCO."""
        facts = call.facts
        fields = {
            "from": facts.from_number,
            "to": facts.to_number,
            "uuid": facts.call_id,
            "conversation_uuid": facts.more["conversation_uuid"],
        }
        url, body = redirect.url, json.dumps(fields).encode()
        if redirect.method == "GET":
            url, body = f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}", b""
        answer = await ask(self.world.network, self._webhook(url, redirect.method, body), WEBHOOK_S)
        call.log.note("document", status=answer.status)
        if answer.status != 200:
            raise DocumentError(f"The answer URL answered with {answer.status}.")
        return read_ncco(answer.body, call.log)

    async def told(self, call: PhoneCall, status: Status) -> None:
        """The event webhook."""
        url = call.facts.more.get("event_url", "")
        if url:
            await self._event(call, url, _STATUS.get(status, status))

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """Open the WebSocket."""
        if not stream.url.startswith(("ws://", "wss://")):
            return Refused("The endpoint's uri is no ws:// or wss:// address.")
        socket = await self.dial_out(call, stream.url, {})
        if isinstance(socket, Refused):
            return socket
        headers = json.loads(stream.options["headers"])
        media = VonageMedia(stream.options["content-type"], headers, int(self.option("buffer")))
        return Opened(socket, media, self.world.ids.uuid())

    async def stream_told(
        self,
        call: PhoneCall,
        stream: Stream,
        stream_id: str,  # noqa: ARG002 - the call's id is enough here
        end: StreamEnd | None,
    ) -> None:
        """A socket that was closed is a ``disconnected`` event; with a synchronous one its answer may go on."""
        url = stream.options.get("eventUrl") or call.facts.more.get("event_url", "")
        if not url or end is None or end.by not in ("application", "network") or call.is_ending:
            return
        answer = await self._event(call, url, "disconnected")
        synchronous = stream.options.get("eventType") == "synchronous"
        if synchronous and answer is not None and answer.body.strip().startswith(b"["):
            call.order(read_ncco(answer.body, call.log))

    # Inside

    async def _event(self, call: PhoneCall, url: str, status: str) -> WebhookAnswer | None:
        facts = call.facts
        event = {
            "status": status,
            "uuid": facts.call_id,
            "conversation_uuid": facts.more["conversation_uuid"],
            "from": facts.from_number,
            "to": facts.to_number,
            "direction": facts.direction,
            "timestamp": rfc3339(self.world.clock()),
        }
        body = json.dumps(event).encode()
        return await self.tell(call, status, self._webhook(url, "POST", body))

    def _webhook(self, url: str, method: str, body: bytes) -> Webhook:
        account = self.account
        claims = {
            "iss": "Vonage",
            "iat": int(self.world.clock().timestamp()),
            "jti": self.world.ids.uuid(),
            "api_key": account.more.get("api_key", ""),
            "application_id": account.account_id,
        }
        headers = {"Authorization": signing.sign(account.token, claims, body)}
        if body:
            headers["Content-Type"] = "application/json"
        return Webhook(url, method, body, headers)
