"""Vonage's Calls API (developer.vonage.com/en/api/voice): place, hang up, transfer, press keys."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bridge.testing.call_parts import CallEnd
from bridge.testing.carriers.base import Numbers
from bridge.testing.carriers.rest_answers import json_of
from bridge.testing.carriers.vonage.ncco import read_ncco
from bridge.testing.phone_call import PhoneCall
from bridge.testing.signing.vonage import claims_of
from bridge.testing.verbs import DocumentError, Redirect

if TYPE_CHECKING:
    from bridge.testing.carriers.vonage.exchange import Vonage

Fields = Mapping[str, Any]


class Refusal(Exception):  # noqa: N818 - reads as what happened
    """A request is refused."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status


def make_app(carrier: "Vonage") -> FastAPI:
    """The API of one application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    calls = Calls(carrier)

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> Response:
        return JSONResponse({"type": error.status, "title": str(error)}, error.status)

    @app.post("/v1/calls")
    async def place(request: Request) -> Response:
        calls.admit(request)
        call = calls.place(await json_of(request))
        told = {
            "uuid": call.facts.call_id,
            "status": "started",
            "direction": "outbound",
            "conversation_uuid": call.facts.more["conversation_uuid"],
        }
        return JSONResponse(told, 201)

    @app.put("/v1/calls/{call_id}")
    async def change(request: Request, call_id: str) -> Response:
        calls.admit(request)
        calls.change(call_id, await json_of(request))
        return Response(status_code=204)

    @app.put("/v1/calls/{call_id}/dtmf")
    async def press(request: Request, call_id: str) -> Response:
        calls.admit(request)
        digits = str((await json_of(request)).get("digits", ""))
        calls.live(call_id).log.note("keys from the application", digits=digits)
        return JSONResponse({"message": "DTMF sent", "uuid": call_id})

    return app


class Calls:
    """What the API does with calls."""

    def __init__(self, carrier: "Vonage") -> None:
        self._carrier = carrier

    def admit(self, request: Request) -> None:
        """Check the application's token. Raises: Refusal."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        account = self._carrier.account
        claims = claims_of(token, account.more.get("public_key", ""))
        now_s = self._carrier.world.clock().timestamp()
        if (
            scheme.lower() != "bearer"
            or claims is None
            or claims.get("application_id") != account.account_id
            or not float(claims.get("exp", now_s + 1)) > now_s
        ):
            raise Refusal(401, "Unauthorized")

    def live(self, call_id: str) -> PhoneCall:
        """A call that is up. Raises: Refusal."""
        call = self._carrier.calls.get(call_id)
        if call is None or call.is_over or call.is_ending:
            raise Refusal(404, "Not Found")
        call.log.note("REST request")
        return call

    def place(self, fields: Fields) -> PhoneCall:
        """Place a call. Raises: Refusal."""
        try:
            to, from_ = str(fields["to"][0]["number"]), str(fields["from"]["number"])
        except (KeyError, IndexError, TypeError):
            raise Refusal(400, "to and from name a number each") from None
        more: dict[str, str] = {}
        for name in ("answer_url", "event_url"):
            if isinstance(fields.get(name), list) and fields[name]:
                more[name] = str(fields[name][0])
        if isinstance(fields.get("ncco"), list):
            more["ncco"] = json.dumps(fields["ncco"])
        if ("ncco" in more) == ("answer_url" in more):
            raise Refusal(400, "either ncco or answer_url")
        carrier = self._carrier
        call = carrier.add(
            carrier.facts("outbound", Numbers(from_, to), more), carrier.plan_for(to)
        )
        carrier.run_beside(call)
        return call

    def change(self, call_id: str, fields: Fields) -> None:
        """Hang up or transfer. Raises: Refusal."""
        call = self.live(call_id)
        match fields.get("action"):
            case "hangup":
                call.order(CallEnd("application", "its REST request hung up"))
            case "transfer":
                self._transfer(call, fields.get("destination"))
            case action:
                raise Refusal(400, f"unknown action {action}")

    def _transfer(self, call: PhoneCall, destination: object) -> None:
        given = destination if isinstance(destination, dict) else {}
        if isinstance(given.get("ncco"), list):
            try:
                call.order(read_ncco(json.dumps(given["ncco"]), call.log))
            except DocumentError as error:
                raise Refusal(400, str(error)) from None
        elif isinstance(given.get("url"), list) and given["url"]:
            call.order(Redirect(str(given["url"][0]), "GET"))
        else:
            raise Refusal(400, "destination is an ncco or a url")
