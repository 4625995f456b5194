"""Exotel's REST API: calls that go straight to a media socket.

Source: developer.exotel.com/docs/agentstream/connect-voice-ai, and the OpenAPI file in the vendor's Agent-Stream
repository. The number to dial is ``From``. Answers are XML unless the path ends in ``.json``. The API has no way to end
or to transfer a call: it ends when its stream is closed.
"""

from typing import Final
from urllib.parse import quote

import httpx

from bridge.legs.carrier_rest.rest import CarrierRest, Form, as_form, basic_auth, forbid
from bridge.legs.phone_line import CarrierApiError, OutgoingCall

API_URL: Final = "https://api.exotel.com"
"""Of Singapore; Mumbai is ``https://api.in.exotel.com``."""
STATUS_EVENTS: Final = ("ringing", "answered", "terminal")
_OURS: Final = ("From", "To", "CallerId", "StreamUrl", "StreamType", "Url")
_STATUS: Final = ("StatusCallback", "StatusCallbackEvents", "StatusCallbackEvents[]")


class ExotelApi:
    """One account at Exotel.

    Args:
        http: with the API's base URL.
        account_sid: of the account.
        api_key: the user of the API.
        api_token: its secret.
    """

    def __init__(
        self, http: httpx.AsyncClient, account_sid: str, api_key: str, api_token: str
    ) -> None:
        self._rest = CarrierRest(http, "Exotel", basic_auth(api_key, api_token), (api_token,))
        self._path = f"/v1/Accounts/{quote(account_sid, safe='')}/Calls/connect.json"

    async def place(self, call: OutgoingCall) -> str:
        """Have Exotel call somebody and open a stream when the call is answered; returns the call's Sid.

        Raises: CarrierApiError.
        """
        forbid(call.more, *_OURS)
        told: Form = {}
        if call.status_url:
            forbid(call.more, *_STATUS)
            told = {
                "StatusCallback": call.status_url,
                "StatusCallbackEvents[]": list(STATUS_EVENTS),
            }
        form: Form = {
            **as_form(call.more),
            **told,
            "From": call.to,
            "CallerId": call.from_,
            "StreamUrl": call.stream_url,
            "StreamType": "bidirectional",
        }
        said = await self._rest.ask("place a call", "POST", self._path, form=form)
        # An error may come with status 200, too.
        if not said.ok or "RestException" in said.body:
            self._rest.refuse("place a call", said)
        return self._rest.id_in(said, "Call", "Sid")

    def line(self, call_id: str) -> "ExotelLine":  # noqa: ARG002 - no request of the API names a call
        """The phone call with this Sid."""
        return ExotelLine()


class ExotelLine:
    """One phone call at Exotel: nothing can be done to it but to close its stream."""

    async def hang_up(self) -> None:
        """Raises: CarrierApiError."""
        raise CarrierApiError("Exotel ends a call only when its stream is closed")

    async def transfer(self, target: str) -> None:  # noqa: ARG002 - see the class
        """Raises: CarrierApiError."""
        raise CarrierApiError("Exotel transfers a call only by an applet behind the stream")

    async def send_digits(self, digits: str) -> None:  # noqa: ARG002 - see the class
        """Raises: CarrierApiError."""
        raise CarrierApiError("Exotel presses no keys")
