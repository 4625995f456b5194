"""What a carrier asks and tells by webhook: checked, read, answered.

Nothing is spent on a webhook before its signature is found right: no call, no token, no request to anybody.
"""

import logging
import re
from dataclasses import dataclass
from typing import Final

from bridge.errors import UsageError
from bridge.gateway.admission import RETRY_AFTER_S
from bridge.gateway.phone.carriers.base import (
    AFTER_STREAM,
    OK,
    CallComes,
    CallGoesTo,
    CallMoved,
    Came,
    Carrier,
    News,
    StreamIsOver,
    StreamTo,
)
from bridge.gateway.phone.carriers.reading import WebhookUnclear
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.dialled import DialledCalls
from bridge.gateway.phone.not_there import tell_not_there
from bridge.gateway.phone.phone_call import PhoneCall
from bridge.gateway.phone.quiet_log import QuietLog
from bridge.gateway.phone.record import PhoneEnd, without_private
from bridge.gateway.phone.tickets import Tickets
from bridge.gateway.public_url import PublicUrl
from bridge.legs.phone_line import CarrierApiError
from bridge.log import printable
from bridge.wire.answers.answer import Answer
from bridge.wire.signatures.request import SignedRequest

log = logging.getLogger(__name__)

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_. -]{0,39}")
UNCHECKED: Final = "! %s: an UNCHECKED %s is taken, because phone.insecure is set: %s"


@dataclass(frozen=True, slots=True)
class Asked:
    """A webhook as it came."""

    carrier: str
    request: SignedRequest
    host: str
    """The Host header."""
    secure: bool
    """Whether it came over TLS."""
    about_new_calls: bool = True
    """Whether it came to the answer URL."""
    dialled: tuple[str, str] | None = None
    """Id and token of the placed call that it came to the answer URL of."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A webhook is not taken."""

    status: int
    detail: str
    retry_after_s: int | None = None


def plain_word(text: str) -> str:
    """A carrier's word for a state, fit for a log; empty if it is more than a word."""
    return text if _WORD.fullmatch(text) else ""


class Webhooks:
    """Answers carriers.

    Args:
        desk: has the calls that came in.
        dialled: has those that were placed.
        tickets: for the sockets of those that come in.
        public: under which carriers reach the service.
    """

    def __init__(
        self, desk: PhoneDesk, dialled: DialledCalls, tickets: Tickets, public: PublicUrl
    ) -> None:
        self._desk = desk
        self._dialled = dialled
        self._tickets = tickets
        self._public = public
        self._quiet = QuietLog(log)

    def answer(self, asked: Asked) -> Answer | Refusal:
        """What the carrier is told."""
        carrier = self._desk.carrier(asked.carrier)
        if carrier is None or not carrier.answers:
            if carrier is None:
                tell_not_there(self._quiet, asked.carrier, "webhook")
            return Refusal(404, "No such carrier asks here.")
        why = self._wrong(carrier, asked)
        if why is not None and not self._desk.config.insecure:
            self._quiet.warning("! %s: a webhook is refused: %s", carrier.name, printable(why))
            return Refusal(403, "This request is not signed as it must be.")
        try:
            news = carrier.read(asked.request)
        except WebhookUnclear as exc:
            self._quiet.warning("! %s: a webhook is refused: %s", carrier.name, exc)
            return Refusal(400, f"This is no webhook of this carrier: {exc}.")
        if why is not None:
            self._quiet.warning(UNCHECKED, carrier.name, "webhook", printable(why))
        return self._heed(carrier, news, asked, unchecked=why is not None)

    def _heed(
        self, carrier: Carrier, news: News, asked: Asked, *, unchecked: bool
    ) -> Answer | Refusal:
        match news:
            case CallComes() if asked.dialled is not None:
                return self._picked_up(carrier, news, *asked.dialled)
            case CallComes() if asked.about_new_calls:
                return self._take(carrier, news, asked, unchecked=unchecked)
            case CallMoved():
                self._move(carrier, news)
                self._dialled.moved(carrier, news, asked.request.target)
            case CallGoesTo(target):
                return self._sent_on(carrier, target)
            case StreamIsOver(call_id):
                return carrier.after_stream(call_id)
        return OK

    def _wrong(self, carrier: Carrier, asked: Asked) -> str | None:
        """None if a webhook is the carrier's, and comes for the first time; else a sentence why not."""
        public_url, now_s = self._public.web(asked.host, secure=asked.secure), self._tickets.now_s()
        why = carrier.check_webhook(Came(asked.request, public_url, now_s))
        key = carrier.once_key(asked.request) if why is None else ""
        if key and not self._tickets.first(f"{carrier.name} {key}", dated=carrier.dated):
            return "it has come before"
        return why

    def _sent_on(self, carrier: Carrier, target: str) -> Answer | Refusal:
        try:
            return carrier.transfer(target)
        except UsageError as exc:
            self._quiet.warning("! %s: a transfer is refused: %s", carrier.name, exc)
            return Refusal(400, "There is nobody to transfer to.")

    # A call comes

    def _take(
        self, carrier: Carrier, comes: CallComes, asked: Asked, *, unchecked: bool
    ) -> Answer | Refusal:
        call = self._desk.find(carrier.name, comes.call_id)
        if call is not None and call.phase == "waiting":
            return self._answered(
                carrier, call, asked, again=True
            )  # asked twice: the first answer may be lost
        if call is not None:
            return self._refused(carrier, comes, "this call has its media socket already")
        if why := self._desk.may_take():
            return self._refused(carrier, comes, why)
        route = self._desk.route(carrier.name, comes.numbers)
        if isinstance(route, str):
            return self._refused(carrier, comes, route)
        first = unchecked or self._tickets.first_call(carrier.name, comes.call_id)
        over = not unchecked and self._tickets.call_was_over(carrier.name, comes.call_id)
        if over or (comes.once and not first):
            return self._refused(carrier, comes, "this call has come before, and is over")
        call = self._desk.expect(carrier, comes, route)
        call.record.unchecked = unchecked
        return self._answered(carrier, call, asked)

    def _answered(
        self, carrier: Carrier, call: PhoneCall, asked: Asked, *, again: bool = False
    ) -> Answer:
        """Tell the carrier where to open its media socket."""
        assert call.expected is not None
        token = self._tickets.issue(carrier.name, call.record.id)
        sockets = self._public.sockets(asked.host, secure=asked.secure)
        web = self._public.web(asked.host, secure=asked.secure)
        to = StreamTo(
            f"{sockets}/carriers/{carrier.name}/media/{token}",
            f"{web}/carriers/{carrier.name}/status",
            call.record.carrier_call_id,
            f"{web}/carriers/{carrier.name}/answer?{AFTER_STREAM}",
        )
        if not call.expected.by_rest:
            return carrier.stream(to)
        if not again:
            self._desk.run(self._answer_by_rest(carrier, call, to), f"{call.record.id} answer")
        return OK

    async def _answer_by_rest(self, carrier: Carrier, call: PhoneCall, to: StreamTo) -> None:
        try:
            await carrier.answer_by_rest(call.record.carrier_call_id, to)
        except CarrierApiError as exc:
            log.warning("! phone call %s: %s", call.record.id, exc)
            self._desk.give_up(call, PhoneEnd("no_socket", str(exc)))

    def _refused(self, carrier: Carrier, comes: CallComes, why: str) -> Answer | Refusal:
        """Say busy in the carrier's own way, or as HTTP does where it has none."""
        self._quiet.warning("! %s: a call is refused: %s", carrier.name, why)
        if not comes.by_rest:
            said = carrier.busy()
            return said or Refusal(503, "No call is taken now.", RETRY_AFTER_S)
        self._desk.run(self._refuse_by_rest(carrier, comes), f"refuse a call of {carrier.name}")
        return OK

    async def _refuse_by_rest(self, carrier: Carrier, comes: CallComes) -> None:
        try:
            await carrier.refuse_by_rest(comes.call_id)
        except CarrierApiError as exc:
            log.warning("! %s: a call could not be refused: %s", carrier.name, exc)

    def _picked_up(
        self, carrier: Carrier, comes: CallComes, call_id: str, token: str
    ) -> Answer | Refusal:
        """A call that was placed is answered."""
        answer = self._dialled.answer(carrier, comes, call_id, token)
        return answer or self._refused(carrier, comes, "nobody waits for the call that was placed")

    # A call moves

    def _move(self, carrier: Carrier, moved: CallMoved) -> None:
        if moved.over:
            self._tickets.call_is_over(carrier.name, moved.call_id)
        record = self._desk.history.find(carrier.name, moved.call_id)
        if record is not None:
            record.status = plain_word(moved.status) or record.status
        call = self._desk.find(carrier.name, moved.call_id)
        if call is None:
            return
        if moved.stream_failed and call.phase == "waiting":
            code = f" ({without_private(moved.detail)})" if moved.detail else ""
            log.warning(
                "! phone call %s: %s could not open its media socket%s",
                call.record.id,
                carrier.name,
                printable(code),
            )
            why = f"the carrier could not open its media socket{code}"
            self._desk.give_up(call, PhoneEnd("no_socket", why))
        elif moved.over and call.phase == "waiting":
            why = f"the phone call was over before it had a media socket: {moved.status}"
            self._desk.give_up(call, PhoneEnd("no_socket", why))
        elif moved.over:
            self._desk.is_over(call)
