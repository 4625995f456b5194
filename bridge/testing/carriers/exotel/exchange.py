"""Exotel's part of a call: the Voicebot applet's URL, its socket, the Connect call by REST.

Sources: developer.exotel.com/docs/agentstream (stream-voicebot-applet, connect-voice-ai); reference telephony
section 4. The URL is a socket's, or an https address that answers with one. Credentials in it become a Basic header.
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from urllib.parse import parse_qs, urlencode, urlsplit

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
from bridge.testing.carriers.exotel.media import ExotelMedia, StartFacts
from bridge.testing.carriers.exotel.rest import make_app
from bridge.testing.carriers.urls import without_credentials
from bridge.testing.phone_call import PhoneCall
from bridge.testing.shaped_socket import ShapedSocket
from bridge.testing.verbs import DocumentError, Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, ask

RATES: Final = frozenset({8_000, 16_000, 24_000})
MAX_PARAMETERS: Final = 3
MAX_PARAMETER_CHARACTERS: Final = 256
TRIES: Final = 2


class Exotel(Carrier):
    """Exotel with one account: `account_id` is the SID, `token` the API token, ``more["key"]`` the API key."""

    name = "exotel"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {"names": ("snake", "camel")}

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self.app = make_app(self)

    @property
    def api_key(self) -> str:
        """The user of the API's Basic credentials."""
        return self.account.more.get("key", self.account.account_id)

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call whose flow has a Voicebot applet with this URL."""
        return self.add(self.facts("inbound", numbers, {"StreamUrl": url}), plan)

    def facts(self, direction: str, numbers: Numbers, more: Mapping[str, str]) -> CallFacts:
        """A new call's facts."""
        return CallFacts(
            call_id=self.world.ids.uuid().replace("-", ""),
            direction="inbound" if direction == "inbound" else "outbound",
            from_number=numbers.from_number,
            to_number=numbers.to_number,
            more=dict(more),
        )

    # See Exchange

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """The applet's socket, from its URL or from what that answers."""
        if call.facts.direction == "inbound":
            call.status = "ringing"
        elif not await self.ring(call):
            return []
        url = call.facts.more["StreamUrl"]
        if urlsplit(url).scheme in ("http", "https"):
            url = await self._dynamic(call, url)
        return [Stream(url)]

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:  # noqa: ARG002
        """A flow is not redirected from outside."""
        return []

    async def told(self, call: PhoneCall, status: Status) -> None:
        """The status callback of a Connect call, for the events asked for."""
        more = call.facts.more
        url = more.get("StatusCallback", "")
        event = {"in-progress": "answered"}.get(status, "terminal" if call.is_over else "")
        asked = more.get("StatusCallbackEvents", "terminal").replace(",", " ").split()
        if not url or event not in asked:
            return
        fields = {
            "CallSid": call.facts.call_id,
            "EventType": event,
            "DateUpdated": rfc3339(self.world.clock()),
            "Status": status,
            "From": call.facts.from_number,
            "To": call.facts.to_number,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        await self.tell(call, event, Webhook(url, "POST", urlencode(fields).encode(), headers))

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """Open the applet's socket, in two tries."""
        url, headers = without_credentials(stream.url)
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.netloc:
            return Refused("The applet's URL is no ws:// or wss:// address.")
        parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        rate_hz = self._rate(call, parameters)
        self._look_at(parameters, call)
        socket: ShapedSocket | Refused = Refused("")
        for _ in range(TRIES):
            socket = await self.dial_out(call, url, headers)
            if isinstance(socket, ShapedSocket):
                break
        if isinstance(socket, Refused):
            return socket
        facts = StartFacts(
            stream_sid=self.world.ids.uuid().replace("-", ""),
            call_sid=call.facts.call_id,
            account_sid=self.account.account_id,
            from_number=call.facts.from_number,
            to_number=call.facts.to_number,
            rate_hz=rate_hz,
            camel=self.option("names") == "camel",
            parameters=parameters,
        )
        return Opened(socket, ExotelMedia(facts), facts.stream_sid)

    # Inside

    async def _dynamic(self, call: PhoneCall, url: str) -> str:
        """Ask an https address for the socket's URL. Raises: WebhookFailed, DocumentError."""
        url, headers = without_credentials(url)
        fields = {
            "CallSid": call.facts.call_id,
            "CallFrom": call.facts.from_number,
            "CallTo": call.facts.to_number,
            "Direction": "incoming",
            "From": call.facts.from_number,
            "To": call.facts.to_number,
        }
        url += ("&" if "?" in url else "?") + urlencode(fields)
        answer = await ask(self.world.network, Webhook(url, "GET", headers=headers), WEBHOOK_S)
        call.log.note("document", status=answer.status)
        if answer.status != 200:
            raise DocumentError(f"The applet's URL answered with {answer.status}.")
        try:
            found = json.loads(answer.body)
        except ValueError:
            raise DocumentError("The applet's URL answered with no JSON.") from None
        socket_url = found.get("url") if isinstance(found, dict) else None
        if not isinstance(socket_url, str):
            raise DocumentError('The applet\'s URL answered without {"url": "wss://…"}.')
        return socket_url

    def _rate(self, call: PhoneCall, parameters: Mapping[str, str]) -> int:
        given = parameters.get("sample-rate", "8000")
        if given.isdigit() and int(given) in RATES:
            return int(given)
        call.log.problem(f"sample-rate is 8000, 16000 or 24000, not {given}.")
        return 8_000

    def _look_at(self, parameters: Mapping[str, str], call: PhoneCall) -> None:
        custom = {name: value for name, value in parameters.items() if name != "sample-rate"}
        length = sum(len(name) + len(value) for name, value in custom.items())
        if len(custom) > MAX_PARAMETERS or length > MAX_PARAMETER_CHARACTERS:
            call.log.problem(
                f"The URL has more than {MAX_PARAMETERS} parameters or {MAX_PARAMETER_CHARACTERS} characters of them."
            )
