"""Telnyx: signed events of Call Control, answered by REST, and signed forms of TeXML, answered by a document.

Sources: developers.telnyx.com/docs/voice/programmable-voice/voice-api-webhooks, …/texml-setup. Which of the two an
application speaks shows in the webhook itself.
"""

from collections.abc import Mapping
from typing import Final, Literal

from bridge.gateway.phone.carriers.base import (
    AFTER_STREAM,
    NOTHING,
    CallComes,
    CallMoved,
    Came,
    Carrier,
    News,
    PhoneNumbers,
    StreamIsOver,
    StreamTo,
    numbers_in,
)
from bridge.gateway.phone.carriers.reading import events_of, needed, said
from bridge.gateway.phone.carriers.texml_line import Targets, TexmlLine
from bridge.legs.carrier_rest.telnyx import TelnyxApi
from bridge.legs.phone_line import CarrierApiError, PhoneLine
from bridge.wire.answers import texml
from bridge.wire.answers.answer import Answer
from bridge.wire.answers.texml import DEFAULT_FORMAT, TelnyxFormat
from bridge.wire.carriers.base import MediaFormat
from bridge.wire.carriers.make import WireOptions
from bridge.wire.signatures import telnyx as signatures
from bridge.wire.signatures.request import SignedRequest

OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_CANNOT_CHECK: Final = "carriers.telnyx has no public_key to check with"


class Telnyx(Carrier):
    """Telnyx with one account.

    Args:
        public_key: of the account; None: nothing can be checked.
        api: None: calls of Call Control cannot be answered.
        audio: of the media sockets.
        stream_auth_token: what a media socket brings that was asked for by REST; empty: nothing.
        options: of the media socket's protocol.
    """

    name = "telnyx"
    answers = True

    def __init__(
        self,
        public_key: str | None,
        api: TelnyxApi | None = None,
        audio: TelnyxFormat = DEFAULT_FORMAT,
        *,
        stream_auth_token: str = "",
        options: WireOptions | None = None,
    ) -> None:
        super().__init__()
        self.wire_options = options or WireOptions()
        self.api: TelnyxApi | None = api
        self._targets = Targets()
        self._public_key = public_key
        self._audio = audio
        self._stream_auth_token = stream_auth_token

    def check_webhook(self, came: Came) -> str | None:
        """See Carrier."""
        if self._public_key is None:
            return _CANNOT_CHECK
        return signatures.check_webhook(self._public_key, came.request, came.now_s)

    def check_upgrade(self, came: Came) -> str | None:
        """See Carrier. A stream that a document asked for brings no token but ours."""
        if not self._stream_auth_token or not came.by_rest:
            return None
        return signatures.check_upgrade(self._stream_auth_token, came.request)

    def once_key(self, request: SignedRequest) -> str:
        """See Carrier."""
        return request.headers.get(signatures.SIGNATURE_HEADER, "")

    def read(self, request: SignedRequest) -> News:
        """An event of Call Control, or a form of TeXML."""
        fields = events_of(request)
        if request.target.partition("?")[2] == AFTER_STREAM:
            return StreamIsOver(needed(fields, "CallSid"))
        data = fields.get("data")
        return _read_event(data) if isinstance(data, dict) else _read_form(fields)

    def stream(self, to: StreamTo) -> Answer:
        """See Carrier."""
        return texml.stream(
            to.url,
            to.parameters,
            status_url=to.status_url,
            next_url=to.next_url,
            audio=self._audio,
        )

    def after_stream(self, call_id: str) -> Answer:
        """See Carrier. The document owns the call: it alone can send the caller elsewhere."""
        target = self._targets.get(call_id)
        return texml.transfer(target) if target else texml.hang_up()

    def busy(self) -> Answer:
        """See Carrier."""
        return texml.busy()

    async def answer_by_rest(self, call_id: str, to: StreamTo) -> None:
        """See Carrier."""
        await self._known_api().answer_with_stream(call_id, to.url)

    async def refuse_by_rest(self, call_id: str) -> None:
        """See Carrier."""
        await self._known_api().reject(call_id)

    def line_of(self, comes: CallComes) -> PhoneLine | None:
        """See Carrier. What Call Control does to a call that a document owns lasts until that goes on."""
        line = self.line(comes.call_id)
        if line is None or comes.by_rest:
            return line
        return TexmlLine(line, comes.call_id, self._targets)

    def _known_api(self) -> TelnyxApi:
        if self.api is None:
            raise CarrierApiError("Call Control needs carriers.telnyx.api_key to answer a call")
        return self.api


def telnyx_options(audio: TelnyxFormat, order: Literal["big", "little"]) -> WireOptions:
    """How the media socket's audio is to be read, where its messages do not say so."""
    played = {
        "PCMU": MediaFormat("ulaw", 8_000),
        "PCMA": MediaFormat("alaw", 8_000),
        "G722": MediaFormat("g722", 16_000),
        "OPUS": MediaFormat("opus", audio.rate_hz),
        "L16": MediaFormat("l16be" if order == "big" else "l16le", audio.rate_hz),
    }[audio.codec]
    return WireOptions(l16_byteorder=order, l16_rate_hz=audio.rate_hz, played=played)


def _read_event(data: Mapping[str, object]) -> News:
    payload = data.get("payload")
    if not isinstance(payload, dict):
        return NOTHING
    event = said(data, "event_type")
    call_id = said(payload, "call_control_id")
    if not call_id:
        return NOTHING
    if event == "call.initiated":
        return _comes(payload, call_id)
    if event == "call.hangup":
        return CallMoved(call_id, said(payload, "hangup_cause"), over=True)
    if event == "streaming.failed":
        reason = said(payload, "failure_reason")
        return CallMoved(call_id, stream_failed=True, detail=reason)
    return CallMoved(call_id, event) if event.startswith("call.") else NOTHING


def _comes(payload: Mapping[str, object], call_id: str) -> News:
    """A call that comes in; one that we have placed ourselves is not answered."""
    if said(payload, "direction") != "incoming":
        return CallMoved(call_id, "call.initiated")
    numbers = PhoneNumbers(said(payload, "from"), said(payload, "to"))
    return CallComes(call_id, numbers, by_rest=True)


def _read_form(fields: Mapping[str, object]) -> News:
    call_id = needed(fields, "CallSid")
    if event := said(fields, "StreamEvent"):
        failed = event in ("stream-error", "stream-failed")
        return CallMoved(call_id, stream_failed=failed, detail=said(fields, "StreamError"))
    status = said(fields, "CallStatus")
    if status in OVER or "CallbackSource" in fields:
        return CallMoved(call_id, status, over=status in OVER)
    return CallComes(call_id, numbers_in(fields))
