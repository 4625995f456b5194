"""Exotel's Calls API (developer.exotel.com/docs/agentstream/connect-voice-ai): place a call with a stream."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bridge.testing.carriers.base import Numbers
from bridge.testing.carriers.rest_answers import form_of, is_basic
from bridge.testing.phone_call import PhoneCall

if TYPE_CHECKING:
    from bridge.testing.carriers.exotel.exchange import Exotel

PREFIX: Final = "/v1/Accounts/{sid}/Calls"
MAX_URL: Final = 600
MAX_LIMIT_S: Final = 14_400


class Refusal(Exception):  # noqa: N818 - reads as what happened
    """A request is refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def make_app(carrier: "Exotel") -> FastAPI:
    """The API of one account."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def admit(request: Request, sid: str) -> None:
        account = carrier.account
        if sid != account.account_id or not is_basic(request, carrier.api_key, account.token):
            raise Refusal(401, "Authentication failed")

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> Response:
        told = {"RestException": {"Status": error.status, "Message": str(error)}}
        return JSONResponse(told, error.status)

    @app.post(PREFIX + "/connect")
    @app.post(PREFIX + "/connect.json")
    async def connect(request: Request, sid: str) -> Response:
        admit(request, sid)
        call = _placed(carrier, dict(await form_of(request)))
        return JSONResponse({"Call": _resource(carrier, call)})

    @app.get(PREFIX + "/{call_sid}")
    async def read(request: Request, sid: str, call_sid: str) -> Response:
        admit(request, sid)
        call = carrier.calls.get(call_sid.removesuffix(".json"))
        if call is None:
            raise Refusal(404, "Call not found")
        return JSONResponse({"Call": _resource(carrier, call)})

    return app


def _placed(carrier: "Exotel", fields: Mapping[str, str]) -> PhoneCall:
    for name in ("From", "CallerId", "StreamUrl"):
        if not fields.get(name):
            raise Refusal(400, f"Mandatory parameter missing: {name}")
    if len(fields["StreamUrl"]) > MAX_URL:
        raise Refusal(400, f"StreamUrl is longer than {MAX_URL} characters")
    if fields.get("StreamType") != "bidirectional":
        raise Refusal(400, "StreamType has to be bidirectional")
    limit = fields.get("TimeLimit", "1")
    if not limit.isdigit() or not 0 < int(limit) <= MAX_LIMIT_S:
        raise Refusal(400, f"TimeLimit is at most {MAX_LIMIT_S}")
    # Exotel calls the person in From and shows them CallerId.
    numbers = Numbers(fields["CallerId"], fields["From"])
    call = carrier.add(
        carrier.facts("outbound", numbers, fields), carrier.plan_for(numbers.to_number)
    )
    carrier.run_beside(call)
    return call


def _resource(carrier: "Exotel", call: PhoneCall) -> dict[str, object]:
    facts = call.facts
    return {
        "Sid": facts.call_id,
        "AccountSid": carrier.account.account_id,
        "From": facts.from_number,
        "To": facts.to_number,
        "Status": call.status,
        "Direction": "inbound" if facts.direction == "inbound" else "outbound-api",
        "CustomField": facts.more.get("CustomField"),
    }
