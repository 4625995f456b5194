"""What routes ask for: the call service and the join address, kept by the application."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request

from bridge.api.ports import Calls, JoinUrl
from bridge.api.schemas.call import Call, Detail, FieldErrors
from bridge.api.views import call_view
from bridge.calls.records import CallRecord


async def _calls(request: Request) -> Calls:
    calls: Calls = request.app.state.calls
    return calls


CallsDep = Annotated[Calls, Depends(_calls)]


def shown(call: CallRecord, request: Request) -> Call:
    """The Call object, with the address at which the sender of this request can join."""
    join_url: JoinUrl = request.app.state.join_url
    return call_view(call, join_url(call, request))


_DESCRIPTIONS: Final = {
    400: "The request does not fit.",
    401: "No API key, or none that is known.",
    404: "There is no such thing.",
    405: "Not a method of this address.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    422: "The call is not joined yet, or has ended.",
    425: "The call has not ended.",
    429: "No further phone call may be placed today.",
    502: "The carrier did not place the phone call.",
    503: "No call can be taken now.",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documents statuses beside the good one."""
    models = {400: FieldErrors | Detail}
    return {
        status: {"model": models.get(status, Detail), "description": _DESCRIPTIONS[status]}
        for status in statuses
    }
