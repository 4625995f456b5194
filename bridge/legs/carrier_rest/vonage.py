"""Vonage's REST API: calls.

Source: developer.vonage.com/en/api/voice, and …/getting-started/concepts/authentication (a JWT of the application,
RS256, good for 15 minutes). What is done with a call stands in the request, as NCCO. What a call that has ended answers
is not documented: on a refusal its status is asked for.
"""

from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bridge.clock import Clock, wall_clock
from bridge.ids import Ids
from bridge.legs.carrier_rest.rest import CarrierRest, JsonDict, Said, forbid, path_of
from bridge.legs.phone_line import OutgoingCall
from bridge.wire.answers import ncco
from bridge.wire.answers.answer import checked_digits
from bridge.wire.signatures.jwt import encode_rs256

API_URL: Final = "https://api.nexmo.com"
TOKEN_S: Final = 900
CALLS: Final = "/v1/calls"
_OURS: Final = ("to", "from", "random_from_number", "ncco", "answer_url", "answer_method")
_STATUS: Final = ("event_url", "event_method")
_OVER: Final = frozenset(
    {"completed", "failed", "rejected", "busy", "cancelled", "timeout", "unanswered"}
)


class VonageApi:
    """One application at Vonage.

    Args:
        http: with the API's base URL.
        application_id: of the application.
        private_key: its own, as ``load_rsa_key`` reads it: once, before the loop runs.
        rate_hz: of the media sockets.
        clock: stamps the tokens.
        ids: names the tokens; None: from the operating system.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        application_id: str,
        private_key: RSAPrivateKey,
        *,
        rate_hz: ncco.RateHz = 16_000,
        clock: Clock = wall_clock,
        ids: Ids | None = None,
    ) -> None:
        self._http = http
        self._application_id = application_id
        self._private_key = private_key
        self._rate_hz = rate_hz
        self._clock = clock
        self._ids = ids or Ids()

    @property
    def rest(self) -> CarrierRest:
        """The API with a token of now."""
        now_s = int(self._clock().timestamp())
        claims = {
            "application_id": self._application_id,
            "iat": now_s,
            "jti": self._ids.uuid(),
            "exp": now_s + TOKEN_S,
        }
        token = encode_rs256(claims, self._private_key)
        return CarrierRest(self._http, "Vonage", {"Authorization": f"Bearer {token}"})

    async def place(self, call: OutgoingCall) -> str:
        """Have Vonage call somebody and open a stream when the call is answered; returns the call's UUID.

        Raises: CarrierApiError; UsageError for a number that is none.
        """
        forbid(call.more, *_OURS)
        told: JsonDict = {}
        if call.status_url:
            forbid(call.more, *_STATUS)
            told = {"event_url": [call.status_url], "event_method": "POST"}
        body: JsonDict = {
            **call.more,
            **told,
            "to": [ncco.endpoint_of(call.to)],
            "from": ncco.endpoint_of(call.from_),
            "ncco": ncco.stream_actions(call.stream_url, rate_hz=self._rate_hz),
        }
        rest = self.rest
        said = await rest.ask("place a call", "POST", CALLS, json=body)
        if not said.ok:
            rest.refuse("place a call", said)
        return rest.id_in(said, "uuid")

    def line(self, call_id: str) -> "VonageLine":
        """The phone call with this UUID."""
        return VonageLine(self, call_id)


class VonageLine:
    """One phone call at Vonage."""

    def __init__(self, api: VonageApi, uuid: str) -> None:
        self._api = api
        self._uuid = uuid

    async def hang_up(self) -> None:
        """End the phone call, answered or not. Raises: CarrierApiError."""
        said = await self._put("hang up", "", {"action": "hangup"}, repeatable=True)
        if not said.ok and said.status != 404 and not await self._is_over():
            self._api.rest.refuse("hang up", said)

    async def transfer(self, target: str) -> None:
        """Connect the caller to another number or SIP address; the stream ends.

        Raises: CarrierApiError; UsageError for a target that cannot be one.
        """
        destination = {"type": "ncco", "ncco": ncco.transfer_actions(target)}
        await self._act("transfer the call", "", {"action": "transfer", "destination": destination})

    async def send_digits(self, digits: str) -> None:
        """Press keys; the stream goes on. Raises: CarrierApiError; UsageError for what is no key."""
        pauses = str.maketrans({"w": "p", "W": "pp"})  # half a second each
        keys = checked_digits(digits).translate(pauses)
        await self._act("press keys", "/dtmf", {"digits": keys})

    async def _is_over(self) -> bool:
        said = await self._api.rest.ask("tell of the call", "GET", self._path(), repeatable=True)
        return said.status == 404 or (said.ok and str(said.body.get("status")) in _OVER)

    async def _act(self, purpose: str, action: str, body: JsonDict) -> None:
        said = await self._put(purpose, action, body)
        if not said.ok:
            self._api.rest.refuse(purpose, said)

    async def _put(
        self, purpose: str, action: str, body: JsonDict, *, repeatable: bool = False
    ) -> Said:
        path = f"{self._path()}{action}"
        return await self._api.rest.ask(purpose, "PUT", path, json=body, repeatable=repeatable)

    def _path(self) -> str:
        return f"{CALLS}/{path_of(self._uuid)}"
