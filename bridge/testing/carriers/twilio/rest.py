"""Twilio's Calls resource (twilio.com/docs/voice/api/call-resource): place, look at, redirect and end calls."""

from collections.abc import Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, NoReturn

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bridge.testing.call_log import CallLog
from bridge.testing.call_parts import CallEnd, CallFacts
from bridge.testing.carriers.rest_answers import form_of, is_basic
from bridge.testing.carriers.twilio.ids import sid
from bridge.testing.carriers.twiml import read_twiml
from bridge.testing.phone_call import PhoneCall
from bridge.testing.verbs import DocumentError, Redirect, Verb

if TYPE_CHECKING:
    from bridge.testing.carriers.twilio.exchange import Twilio

PREFIX: Final = "/2010-04-01/Accounts"
_KEPT: Final = (
    "Url",
    "Method",
    "Twiml",
    "StatusCallback",
    "StatusCallbackMethod",
    "SendDigits",
    "Timeout",
    "TimeLimit",
)


class Refusal(Exception):  # noqa: N818 - reads as what happened
    """A request is refused with a status and one of Twilio's numbers."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def make_app(carrier: "Twilio") -> FastAPI:
    """The API of one account."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    calls = Calls(carrier)

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> Response:
        body = {
            "code": error.code,
            "message": str(error),
            "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
            "status": error.status,
        }
        return JSONResponse(body, error.status)

    @app.post(PREFIX + "/{account}/Calls.json")
    async def create(request: Request, account: str) -> Response:
        calls.admit(request, account)
        return JSONResponse(calls.create(await form_of(request)), 201)

    @app.post(PREFIX + "/{account}/Calls/{call_sid}.json")
    async def update(request: Request, account: str, call_sid: str) -> Response:
        calls.admit(request, account)
        return JSONResponse(calls.update(call_sid, dict(await form_of(request))))

    @app.get(PREFIX + "/{account}/Calls/{call_sid}.json")
    async def read(request: Request, account: str, call_sid: str) -> Response:
        calls.admit(request, account)
        return JSONResponse(calls.resource(calls.found(call_sid)))

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE", "PUT"])
    async def nothing(path: str) -> Response:
        raise Refusal(404, 20404, f"The requested resource /{path} was not found")

    return app


class Calls:
    """What the API does with calls."""

    def __init__(self, carrier: "Twilio") -> None:
        self._carrier = carrier

    def admit(self, request: Request, account: str) -> None:
        """Check the credentials. Raises: Refusal."""
        ours = self._carrier.account
        if account != ours.account_id or not is_basic(request, ours.account_id, ours.token):
            raise Refusal(401, 20003, "Authenticate")

    def found(self, call_sid: str) -> PhoneCall:
        """The call with this id. Raises: Refusal."""
        call = self._carrier.calls.get(call_sid)
        if call is None:
            where = f"{PREFIX}/{self._carrier.account.account_id}/Calls/{call_sid}.json"
            raise Refusal(404, 20404, f"The requested resource {where} was not found")
        return call

    def create(self, form: list[tuple[str, str]]) -> dict[str, object]:
        """Place a call: it runs by itself from here on. Raises: Refusal."""
        fields = dict(form)
        for name, code in (("To", 21201), ("From", 21213)):
            if not fields.get(name):
                raise Refusal(400, code, f"No '{name}' number is specified")
        if not fields.get("Url") and not fields.get("Twiml"):
            raise Refusal(400, 21205, "Url parameter is required.")
        if fields.get("Url") and fields.get("Twiml"):
            raise Refusal(400, 21218, "Url and Twiml exclude each other.")
        if fields.get("Twiml"):
            _verbs(fields["Twiml"], CallLog(lambda: 0.0))
        call = self._placed(
            fields, [value for name, value in form if name == "StatusCallbackEvent"]
        )
        return self.resource(call)

    def update(self, call_sid: str, fields: dict[str, str]) -> dict[str, object]:
        """Redirect or end a call. Raises: Refusal, also for one that is over."""
        call = self.found(call_sid)
        call.log.note("REST update", fields=sorted(fields))
        if call.is_over:
            self._refuse_ended(call_sid)
        if "Status" in fields:
            self._set_status(call, fields["Status"])
        elif fields.get("Twiml"):
            call.order(_verbs(fields["Twiml"], call.log))
        elif fields.get("Url"):
            call.order(Redirect(fields["Url"], fields.get("Method", "POST").upper()))
        else:
            raise Refusal(400, 21218, "Nothing to update: give Status, Url or Twiml.")
        return self.resource(call)

    def resource(self, call: PhoneCall) -> dict[str, object]:
        """A call as the API shows it."""
        facts, account = call.facts, self._carrier.account.account_id
        now = format_datetime(self._carrier.world.clock())
        return {
            "sid": facts.call_id,
            "account_sid": account,
            "api_version": "2010-04-01",
            "to": facts.to_number,
            "from": facts.from_number,
            "status": call.status,
            "direction": "inbound" if facts.direction == "inbound" else "outbound-api",
            "duration": str(round(call.duration_s)) if call.is_over else None,
            "date_updated": now,
            "answered_by": None,
            "uri": f"{PREFIX}/{account}/Calls/{facts.call_id}.json",
        }

    def _placed(self, fields: dict[str, str], events: list[str]) -> PhoneCall:
        carrier = self._carrier
        more: dict[str, str] = {name: fields[name] for name in _KEPT if name in fields}
        if events:
            more["StatusCallbackEvent"] = " ".join(events)
        facts = CallFacts(
            call_id=sid("CA", carrier.world.ids),
            direction="outbound",
            from_number=fields["From"],
            to_number=fields["To"],
            more=more,
        )
        call = carrier.add(facts, carrier.plan_for(fields["To"]))
        carrier.run_beside(call)
        return call

    def _set_status(self, call: PhoneCall, status: str) -> None:
        if status not in ("completed", "canceled"):
            raise Refusal(400, 21218, "Status is completed or canceled.")
        if status == "canceled" and call.status == "in-progress":
            raise Refusal(400, 21220, "Invalid call state: a call in progress cannot be canceled.")
        call.order(CallEnd("application", f"its REST request set the status to {status}"))

    def _refuse_ended(self, call_sid: str) -> NoReturn:
        where = f"{PREFIX}/{self._carrier.account.account_id}/Calls/{call_sid}.json"
        raise Refusal(404, 20404, f"The requested resource {where} was not found")


def _verbs(twiml: str, log: CallLog) -> Sequence[Verb]:
    """The verbs of TwiML in a request. Raises: Refusal."""
    try:
        return read_twiml(twiml.encode(), log)
    except DocumentError as error:
        raise Refusal(400, 21218, f"Twiml is not valid: {error}") from None
