"""Plivo's Call API (plivo.com/docs/voice/api/call): place, hang up, transfer, press keys, stop a stream."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bridge.testing.call_parts import CallEnd
from bridge.testing.carriers.base import Numbers
from bridge.testing.carriers.rest_answers import fields_of, is_basic
from bridge.testing.phone_call import PhoneCall
from bridge.testing.verbs import Redirect

if TYPE_CHECKING:
    from bridge.testing.carriers.plivo.exchange import Plivo

Fields = Mapping[str, Any]
PREFIX = "/v1/Account/{auth_id}/Call"
REQUESTS = "/v1/Account/{auth_id}/Request"


class Refusal(Exception):  # noqa: N818 - reads as what happened
    """A request is refused."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def make_app(carrier: "Plivo") -> FastAPI:
    """The API of one account."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    calls = Calls(carrier)
    _add_requests(app, calls)

    def answer(status: int, **body: object) -> Response:
        if status == 204:
            return Response(status_code=204)
        return JSONResponse({"api_id": carrier.world.ids.uuid(), **body}, status)

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> Response:
        return answer(error.status, error=str(error))

    @app.post(PREFIX + "/")
    async def place(request: Request, auth_id: str) -> Response:
        calls.admit(request, auth_id)
        request_id = calls.place(await fields_of(request))
        return answer(201, message="call fired", request_uuid=request_id)

    @app.delete(PREFIX + "/{call_id}/")
    async def hang_up(request: Request, auth_id: str, call_id: str) -> Response:
        calls.admit(request, auth_id)
        calls.live(call_id).order(CallEnd("application", "its REST request hung up"))
        return answer(204)

    @app.post(PREFIX + "/{call_id}/")
    async def transfer(request: Request, auth_id: str, call_id: str) -> Response:
        calls.admit(request, auth_id)
        calls.transfer(call_id, await fields_of(request))
        return answer(202, message="call transferred", call_uuids=[call_id])

    @app.post(PREFIX + "/{call_id}/DTMF/")
    async def press(request: Request, auth_id: str, call_id: str) -> Response:
        calls.admit(request, auth_id)
        calls.press(call_id, await fields_of(request))
        return answer(202, message="digits sent")

    @app.delete(PREFIX + "/{call_id}/Stream/")
    async def stop(request: Request, auth_id: str, call_id: str) -> Response:
        calls.admit(request, auth_id)
        calls.live(call_id).order([])
        return answer(204)

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE", "PUT"])
    async def nothing(path: str) -> Response:
        raise Refusal(404, f"not found: /{path}")

    return app


def _add_requests(app: FastAPI, calls: "Calls") -> None:
    @app.delete(REQUESTS + "/{request_id}/")
    async def cancel(request: Request, auth_id: str, request_id: str) -> Response:
        calls.admit(request, auth_id)
        call = calls.live(calls.placed_by(request_id))
        call.order(CallEnd("application", "its REST request cancelled the call"))
        return Response(status_code=204)


class Calls:
    """What the API does with calls."""

    def __init__(self, carrier: "Plivo") -> None:
        self._carrier = carrier

    def admit(self, request: Request, auth_id: str) -> None:
        """Check the credentials. Raises: Refusal."""
        ours = self._carrier.account
        if auth_id != ours.account_id or not is_basic(request, ours.account_id, ours.token):
            raise Refusal(401, "Could not verify your access level for that URL.")

    def live(self, call_id: str) -> PhoneCall:
        """A call that is up. Raises: Refusal; one that has ended is not found."""
        call = self._carrier.calls.get(call_id)
        if call is None or call.is_over or call.is_ending:
            raise Refusal(404, "call not found")
        call.log.note("REST request")
        return call

    def placed_by(self, request_id: str) -> str:
        """The id of the call that a request has placed; empty if none has."""
        calls = self._carrier.calls.values()
        ids = (each.facts.call_id for each in calls if each.facts.more.get("request") == request_id)
        return next(ids, "")

    def place(self, fields: Fields) -> str:
        """Place a call; returns the id of the request. Raises: Refusal."""
        for name in ("from", "to", "answer_url"):
            if not fields.get(name):
                raise Refusal(400, f"{name} parameter not present")
        carrier = self._carrier
        more = {name: str(value) for name, value in fields.items()}
        numbers = Numbers(more["from"], more["to"])
        facts = carrier.facts("outbound", numbers, more)
        own = carrier.option("requests") == "own"
        facts.more["request"] = carrier.world.ids.uuid() if own else facts.call_id
        call = carrier.add(facts, carrier.plan_for(numbers.to_number))
        carrier.run_beside(call)
        return call.facts.more["request"]

    def transfer(self, call_id: str, fields: Fields) -> None:
        """Send a call to another document. Raises: Refusal."""
        call = self.live(call_id)
        url = fields.get("aleg_url")
        if not isinstance(url, str) or not url:
            raise Refusal(400, "aleg_url parameter not present")
        call.order(Redirect(url, str(fields.get("aleg_method", "POST")).upper()))

    def press(self, call_id: str, fields: Fields) -> None:
        """Press keys. Raises: Refusal."""
        call = self.live(call_id)
        digits = fields.get("digits")
        if not isinstance(digits, str) or not digits:
            raise Refusal(400, "digits parameter not present")
        call.log.note("keys from the application", digits=digits)
