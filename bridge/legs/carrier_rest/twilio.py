"""Twilio's REST API: calls.

Source: twilio.com/docs/voice/api/call-resource. Redirecting a live call ends its stream, so that is how a caller is
transferred; a call that has ended already answers 404 (20404), or 400 (21220) while Twilio still keeps it.
"""

from typing import Final
from urllib.parse import quote

import httpx

from bridge.legs.carrier_rest.rest import CarrierRest, Form, as_form, basic_auth, forbid, path_of
from bridge.legs.phone_line import CarrierApiError, OutgoingCall
from bridge.wire.answers import twiml

API_URL: Final = "https://api.twilio.com"
STATUS_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
_OVER: Final = frozenset({"20404", "21220"})
_OURS: Final = ("To", "From", "Twiml", "Url", "FallbackUrl", "ApplicationSid")
"""What nobody else may set: whom to call, and every way to say what is done with the call."""
_STATUS: Final = ("StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod")


class TwilioApi:
    """One account at Twilio.

    Args:
        http: with the API's base URL.
        account_sid: of the account.
        auth_token: the account's, or the secret of the API key.
        api_key: SID of the API key that the secret belongs to; empty: the account itself.
        resume_url: where Twilio asks what to do after keys have been pressed; empty: keys cannot be pressed here.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        account_sid: str,
        auth_token: str,
        *,
        api_key: str = "",
        resume_url: str = "",
    ) -> None:
        self.rest = CarrierRest(
            http, "Twilio", basic_auth(api_key or account_sid, auth_token), (auth_token,)
        )
        self.resume_url = resume_url
        self.calls = f"/2010-04-01/Accounts/{quote(account_sid, safe='')}/Calls"

    async def place(self, call: OutgoingCall) -> str:
        """Have Twilio call somebody and open a stream when the call is answered; returns the CallSid.

        Raises: CarrierApiError; UsageError for a stream URL that Twilio does not take.
        """
        status: Form = {}
        forbid(call.more, *_OURS)
        if call.status_url:
            forbid(call.more, *_STATUS)
            status = {
                "StatusCallback": call.status_url,
                "StatusCallbackEvent": list(STATUS_EVENTS),
            }
        form = {
            **as_form(call.more),
            **status,
            "To": call.to,
            "From": call.from_,
            "Twiml": twiml.stream(call.stream_url).body,
        }
        said = await self.rest.ask("place a call", "POST", f"{self.calls}.json", form=form)
        if not said.ok:
            self.rest.refuse("place a call", said)
        return self.rest.id_in(said, "sid")

    def line(self, call_id: str) -> "TwilioLine":
        """The phone call with this CallSid."""
        return TwilioLine(self, call_id)


class TwilioLine:
    """One phone call at Twilio."""

    def __init__(self, api: TwilioApi, call_sid: str) -> None:
        self._api = api
        self._call_sid = call_sid

    async def hang_up(self) -> None:
        """End the phone call, answered or not. Raises: CarrierApiError."""
        rest = self._api.rest
        form: Form = {"Status": "completed"}
        said = await rest.ask("hang up", "POST", self._path(), form=form, repeatable=True)
        if not said.ok and str(said.body.get("code")) not in _OVER:
            rest.refuse("hang up", said)

    async def transfer(self, target: str) -> None:
        """Connect the caller to another number or SIP address; the stream ends.

        Raises: CarrierApiError; UsageError for a target that cannot be one.
        """
        await self._redirect("transfer the call", twiml.transfer(target).body)

    async def send_digits(self, digits: str) -> None:
        """Press keys; the stream ends, and Twilio asks the resume URL what to do next.

        Raises: CarrierApiError, also if there is no such URL; UsageError for what is no key.
        """
        if not self._api.resume_url:
            raise CarrierApiError("Twilio presses no keys without ending the stream")
        await self._redirect("press keys", twiml.press(digits, self._api.resume_url).body)

    async def _redirect(self, purpose: str, document: str) -> None:
        said = await self._api.rest.ask(purpose, "POST", self._path(), form={"Twiml": document})
        if not said.ok:
            self._api.rest.refuse(purpose, said)

    def _path(self) -> str:
        return f"{self._api.calls}/{path_of(self._call_sid)}.json"
