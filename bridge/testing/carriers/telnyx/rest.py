"""Telnyx's Call Control API (developers.telnyx.com/api-reference/call-commands): dial, and commands to a call.

A command whose ``command_id`` was seen before is answered and not carried out again. One to a call that has ended is
422 with code 90018.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bridge.testing.call_parts import CallEnd
from bridge.testing.carriers.base import Numbers
from bridge.testing.carriers.rest_answers import is_bearer, json_of
from bridge.testing.carriers.telnyx.stream_fields import stream_of
from bridge.testing.phone_call import PhoneCall
from bridge.testing.verbs import PickUp, Reject, Verb

if TYPE_CHECKING:
    from bridge.testing.carriers.telnyx.exchange import Telnyx

Fields = Mapping[str, Any]
ENDED: Final = (422, "90018", "Call has already ended")
_REJECTIONS: Final = {"USER_BUSY": "busy"}


class Refusal(Exception):  # noqa: N818 - reads as what happened
    """A request is refused with a status and one of Telnyx's codes."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status = status
        self.code = code


def make_app(carrier: "Telnyx") -> FastAPI:
    """The API of one account."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    commands = Commands(carrier)

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> Response:
        told = {"code": error.code, "title": str(error), "detail": str(error)}
        return JSONResponse({"errors": [told]}, error.status)

    @app.post("/v2/calls")
    async def dial(request: Request) -> Response:
        commands.admit(request)
        return JSONResponse({"data": commands.dial(await json_of(request))})

    @app.post("/v2/calls/{call_id}/actions/{action}")
    async def act(request: Request, call_id: str, action: str) -> Response:
        commands.admit(request)
        commands.act(call_id, action, await json_of(request))
        return JSONResponse({"data": {"result": "ok"}})

    @app.get("/v2/calls/{call_id}")
    async def read(request: Request, call_id: str) -> Response:
        commands.admit(request)
        return JSONResponse({"data": commands.resource(commands.found(call_id))})

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE", "PUT"])
    async def nothing(path: str) -> Response:
        raise Refusal(404, "10005", f"Resource not found: /{path}")

    return app


class Commands:
    """What the API does with calls."""

    def __init__(self, carrier: "Telnyx") -> None:
        self._carrier = carrier
        self._seen: set[tuple[str, str]] = set()
        self._actions: Mapping[str, Callable[[PhoneCall, Fields], None]] = {
            "answer": self._answer,
            "reject": self._reject,
            "hangup": self._hang_up,
            "transfer": self._transfer,
            "send_dtmf": self._send_keys,
            "streaming_start": self._start_stream,
            "streaming_stop": self._stop_stream,
        }

    def admit(self, request: Request) -> None:
        """Check the key. Raises: Refusal."""
        if not is_bearer(request, self._carrier.account.token):
            raise Refusal(401, "10009", "Authentication failed")

    def found(self, call_id: str) -> PhoneCall:
        """The call with this id. Raises: Refusal."""
        call = self._carrier.calls.get(call_id)
        if call is None:
            raise Refusal(404, "10005", "Resource not found")
        return call

    def dial(self, fields: Fields) -> dict[str, object]:
        """Place a call: it runs by itself from here on. Raises: Refusal."""
        for name in ("to", "from", "connection_id"):
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise Refusal(422, "10004", f"Missing required parameter: {name}")
        carrier = self._carrier
        numbers = Numbers(fields["from"], fields["to"])
        kept = {name: str(value) for name, value in fields.items() if isinstance(value, str | int)}
        call = carrier.add(
            carrier.facts("outbound", numbers, kept), carrier.plan_for(numbers.to_number)
        )
        carrier.run_beside(call)
        return self.resource(call)

    def act(self, call_id: str, action: str, fields: Fields) -> None:
        """Carry out a command. Raises: Refusal."""
        call = self.found(call_id)
        call.log.note("REST command", action=action)
        do = self._actions.get(action)
        if do is None:
            raise Refusal(404, "10005", f"Resource not found: actions/{action}")
        command_id = fields.get("command_id")
        if isinstance(command_id, str) and command_id:
            if (call_id, command_id) in self._seen:
                return
            self._seen.add((call_id, command_id))
        if call.is_over or call.is_ending:
            raise Refusal(*ENDED)
        do(call, fields)

    def resource(self, call: PhoneCall) -> dict[str, object]:
        """A call as the API shows it."""
        more = call.facts.more
        return {
            "record_type": "call",
            "call_control_id": call.facts.call_id,
            "call_leg_id": more["leg"],
            "call_session_id": more["session"],
            "is_alive": not call.is_over,
        }

    def _answer(self, call: PhoneCall, fields: Fields) -> None:
        if call.status == "in-progress":
            raise Refusal(422, "90015", "Call has already been answered")
        stream = stream_of(fields)
        verbs: list[Verb] = [PickUp()]
        call.order(verbs if stream is None else [*verbs, stream])

    def _reject(self, call: PhoneCall, fields: Fields) -> None:
        if call.status == "in-progress":
            raise Refusal(422, "90015", "Call has already been answered")
        cause = fields.get("cause")
        if cause not in ("USER_BUSY", "CALL_REJECTED", "NOT_FOUND", "TEMPORARILY_UNAVAILABLE"):
            raise Refusal(422, "10015", "Invalid value for parameter: cause")
        call.order([Reject(_REJECTIONS.get(str(cause), "no-answer"))])

    def _hang_up(self, call: PhoneCall, _fields: Fields) -> None:
        call.order(CallEnd("application", "its REST request hung up"))

    def _transfer(self, call: PhoneCall, fields: Fields) -> None:
        if not isinstance(fields.get("to"), str) or not fields["to"]:
            raise Refusal(422, "10004", "Missing required parameter: to")
        self._needs_answer(call)
        self._carrier.transfer(call, fields["to"])

    def _send_keys(self, call: PhoneCall, fields: Fields) -> None:
        digits = fields.get("digits")
        if not isinstance(digits, str) or not digits:
            raise Refusal(422, "10004", "Missing required parameter: digits")
        self._needs_answer(call)
        call.log.note("keys from the application", digits=digits)

    def _start_stream(self, call: PhoneCall, fields: Fields) -> None:
        self._needs_answer(call)
        stream = stream_of(fields)
        if stream is None:
            raise Refusal(422, "10004", "Missing required parameter: stream_url")
        call.order([stream])

    def _stop_stream(self, call: PhoneCall, _fields: Fields) -> None:
        self._needs_answer(call)
        call.order([])

    def _needs_answer(self, call: PhoneCall) -> None:
        if call.status != "in-progress":
            raise Refusal(422, "90034", "Call not answered yet")
