"""Telnyx's REST API: Call Control.

Source: developers.telnyx.com/api-reference/call-commands (dial, answer, reject, hangup, transfer, send-dtmf). Each
command carries a ``command_id``: Telnyx ignores a second one with the same id, so a command may be asked for twice. A
command to a call that has ended is refused with 422 and code 90018.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import httpx

from bridge.ids import Ids
from bridge.legs.carrier_rest.rest import CarrierRest, JsonDict, Said, forbid, path_of
from bridge.legs.phone_line import OutgoingCall
from bridge.wire.answers.answer import checked_digits, checked_target
from bridge.wire.answers.texml import DEFAULT_FORMAT, TelnyxFormat

API_URL: Final = "https://api.telnyx.com"
RejectCause: TypeAlias = Literal[
    "USER_BUSY", "CALL_REJECTED", "NOT_FOUND", "TEMPORARILY_UNAVAILABLE"
]
_OVER: Final = "90018"
_OURS: Final = ("to", "from", "command_id")
_STATUS: Final = ("webhook_url", "webhook_urls", "webhook_url_method", "webhook_urls_method")


class TelnyxApi:
    """One account at Telnyx.

    Args:
        http: with the API's base URL.
        api_key: of the account.
        connection_id: the Call Control application that places calls; empty: each call names its own.
        audio: of the media sockets.
        stream_auth_token: what Telnyx brings along when it opens a media socket; empty: nothing.
        ids: draws the ids of commands; None: from the operating system.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_key: str,
        *,
        connection_id: str = "",
        audio: TelnyxFormat = DEFAULT_FORMAT,
        stream_auth_token: str = "",
        ids: Ids | None = None,
    ) -> None:
        self._rest = CarrierRest(
            http,
            "Telnyx",
            {"Authorization": f"Bearer {api_key}"},
            (api_key, stream_auth_token),
        )
        self._connection_id = connection_id
        self._audio = audio
        self._stream_auth_token = stream_auth_token
        self._ids = ids or Ids()

    async def place(self, call: OutgoingCall) -> str:
        """Have Telnyx call somebody and open a stream; returns the call control id. Raises: CarrierApiError."""
        streamed = self._streamed(call.stream_url)
        told: JsonDict = {}
        forbid(call.more, *_OURS, *streamed)
        if call.status_url:
            forbid(call.more, *_STATUS)
            told = {"webhook_url": call.status_url, "webhook_url_method": "POST"}
        body: JsonDict = {
            **({"connection_id": self._connection_id} if self._connection_id else {}),
            **call.more,
            **told,
            **streamed,
            "to": call.to,
            "from": call.from_,
        }
        said = await self._command("place a call", "/v2/calls", body)
        if not said.ok:
            self._rest.refuse("place a call", said)
        return self._rest.id_in(said, "data", "call_control_id")

    def line(self, call_id: str) -> "TelnyxLine":
        """The phone call with this call control id."""
        return TelnyxLine(self, call_id)

    async def answer_with_stream(
        self, call_control_id: str, stream_url: str, *, audio: TelnyxFormat | None = None
    ) -> None:
        """Take an incoming call and open its media socket. Raises: CarrierApiError.

        Args:
            call_control_id: of the call, as ``call.initiated`` tells it.
            stream_url: ``wss://…``.
            audio: of this socket; None: as for all of the account.
        """
        await self.act(
            "answer the call", call_control_id, "answer", self._streamed(stream_url, audio)
        )

    async def reject(self, call_control_id: str, cause: RejectCause = "USER_BUSY") -> None:
        """Refuse an incoming call before it is answered; one that has ended is a success.

        Raises: CarrierApiError.
        """
        await self.act("reject the call", call_control_id, "reject", {"cause": cause}, end=True)

    async def act(
        self,
        purpose: str,
        call_control_id: str,
        action: str,
        body: Mapping[str, object],
        *,
        end: bool = False,
    ) -> None:
        """Do something to a call. Raises: CarrierApiError.

        Args:
            purpose: for sentences.
            call_control_id: of the call.
            action: as the API names it.
            body: its fields.
            end: whether a call that has ended already is a success.
        """
        path = f"/v2/calls/{path_of(call_control_id)}/actions/{action}"
        said = await self._command(purpose, path, body)
        if not said.ok and not (end and _is_over(said)):
            self._rest.refuse(purpose, said)

    async def _command(self, purpose: str, path: str, body: Mapping[str, object]) -> Said:
        told = {**body, "command_id": self._ids.uuid()}
        return await self._rest.ask(purpose, "POST", path, json=told, repeatable=True)

    def _streamed(self, stream_url: str, audio: TelnyxFormat | None = None) -> JsonDict:
        """How the stream goes: both ways, and towards the one leg that there is."""
        audio = audio or self._audio
        streamed: JsonDict = {
            "stream_url": stream_url,
            "stream_track": "inbound_track",
            "stream_codec": audio.codec,
            "stream_bidirectional_mode": "rtp",
            "stream_bidirectional_codec": audio.codec,
            "stream_bidirectional_sampling_rate": audio.rate_hz,
            "stream_bidirectional_target_legs": "self",
        }
        if self._stream_auth_token:
            streamed["stream_auth_token"] = self._stream_auth_token
        return streamed


class TelnyxLine:
    """One phone call at Telnyx."""

    def __init__(self, api: TelnyxApi, call_control_id: str) -> None:
        self._api = api
        self._id = call_control_id

    async def hang_up(self) -> None:
        """End the phone call. Raises: CarrierApiError."""
        await self._api.act("hang up", self._id, "hangup", {}, end=True)

    async def transfer(self, target: str) -> None:
        """Connect the caller to another number or SIP address; the stream ends.

        Raises: CarrierApiError; UsageError for a target that cannot be one.
        """
        fields = {"to": checked_target(target)}
        await self._api.act("transfer the call", self._id, "transfer", fields)

    async def send_digits(self, digits: str) -> None:
        """Press keys; the stream goes on. Raises: CarrierApiError; UsageError for what is no key."""
        fields = {"digits": checked_digits(digits)}
        await self._api.act("press keys", self._id, "send_dtmf", fields)


def _is_over(said: Said) -> bool:
    errors = said.body.get("errors")
    if said.status != 422 or not isinstance(errors, list):
        return False
    return any(isinstance(error, dict) and str(error.get("code")) == _OVER for error in errors)
