"""Plivo's REST API: calls.

Source: plivo.com/docs/voice/api/call. What is done with a call is fetched from a URL of ours when it is answered or
transferred; the request itself cannot say it. A placed call is known by the id of its request until it is answered. A
call that has ended answers 404.
"""

from typing import Final
from urllib.parse import quote, urlencode

import httpx

from bridge.legs.carrier_rest.rest import CarrierRest, JsonDict, basic_auth, forbid, path_of
from bridge.legs.phone_line import CarrierApiError, OutgoingCall
from bridge.wire.answers.answer import checked_digits, checked_target

API_URL: Final = "https://api.plivo.com"
TRANSFER_FIELD: Final = "transfer_to"
"""In the query of the transfer URL: whom to connect the caller to."""
_OURS: Final = ("to", "from", "answer_url", "answer_method", "fallback_url")
"""What nobody else may set: whom to call, and every way to say what is done with the call."""
_STATUS: Final = ("hangup_url", "hangup_method", "ring_url", "ring_method")


class PlivoApi:
    """One account at Plivo, or at another carrier with the same API.

    Args:
        http: with the API's base URL.
        auth_id: of the account.
        auth_token: its secret.
        transfer_url: where Plivo asks, with ``?transfer_to=…``, what to do with a call that is transferred; our answer
            URL, whose signature covers the query. Empty: calls cannot be transferred here.
    """

    def __init__(
        self, http: httpx.AsyncClient, auth_id: str, auth_token: str, *, transfer_url: str = ""
    ) -> None:
        self.rest = CarrierRest(http, "Plivo", basic_auth(auth_id, auth_token), (auth_token,))
        self.account = f"/v1/Account/{quote(auth_id, safe='')}"
        self.transfer_url = transfer_url

    async def place(self, call: OutgoingCall) -> str:
        """Have Plivo call somebody; returns the id of the request. Raises: CarrierApiError."""
        forbid(call.more, *_OURS)
        if not call.answer_url:
            raise CarrierApiError("Plivo needs a URL to ask when a call is answered")
        if "<" in call.to:  # which would be several numbers, called at once
            raise CarrierApiError("a call is placed to one number")
        told: JsonDict = {}
        if call.status_url:
            forbid(call.more, *_STATUS)
            told = {"hangup_url": call.status_url, "ring_url": call.status_url}
        body: JsonDict = {
            **call.more,
            **told,
            "to": call.to,
            "from": call.from_,
            "answer_url": call.answer_url,
            "answer_method": "POST",
        }
        said = await self.rest.ask("place a call", "POST", f"{self.account}/Call/", json=body)
        if not said.ok:
            self.rest.refuse("place a call", said)
        return self.rest.id_in(said, "request_uuid")

    def line(self, call_id: str) -> "PlivoLine":
        """The phone call with this CallUUID, or this id of its request."""
        return PlivoLine(self, call_id)


class PlivoLine:
    """One phone call at Plivo."""

    def __init__(self, api: PlivoApi, call_uuid: str) -> None:
        self._api = api
        self._call_uuid = call_uuid

    async def hang_up(self) -> None:
        """End the phone call, answered or not. Raises: CarrierApiError."""
        call_uuid = path_of(self._call_uuid)  # without one, Plivo ends all calls of the account
        for kind in ("Call", "Request"):
            path = f"{self._api.account}/{kind}/{call_uuid}/"
            said = await self._api.rest.ask("hang up", "DELETE", path, repeatable=True)
            if said.ok:
                return
            if said.status != 404:
                self._api.rest.refuse("hang up", said)

    async def transfer(self, target: str) -> None:
        """Connect the caller to another number or SIP address; the stream ends.

        Raises: CarrierApiError, also if there is no URL to ask; UsageError for a target that cannot be one.
        """
        if not self._api.transfer_url:
            raise CarrierApiError("Plivo transfers a call only with a URL to ask what to do")
        query = urlencode({TRANSFER_FIELD: checked_target(target)})
        mark = "&" if "?" in self._api.transfer_url else "?"
        body: JsonDict = {"legs": "aleg", "aleg_url": f"{self._api.transfer_url}{mark}{query}"}
        await self._act("transfer the call", "", body)

    async def send_digits(self, digits: str) -> None:
        """Press keys; the stream goes on. Raises: CarrierApiError; UsageError for what is no key."""
        await self._act("press keys", "DTMF/", {"digits": checked_digits(digits)})

    async def _act(self, purpose: str, action: str, body: JsonDict) -> None:
        path = f"{self._api.account}/Call/{path_of(self._call_uuid)}/{action}"
        said = await self._api.rest.ask(purpose, "POST", path, json=body)
        if not said.ok:
            self._api.rest.refuse(purpose, said)
