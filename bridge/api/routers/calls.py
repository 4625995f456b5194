"""Calls: make, list, look at, forget, and speak to them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from bridge.api.asked.call import settings_from
from bridge.api.bodies import fit, read_json
from bridge.api.deps import CallsDep, answers, shown
from bridge.api.filters import AskedCalls
from bridge.api.paging import AskedWindow, body_of
from bridge.api.ports import Injected
from bridge.api.problems import Problems
from bridge.api.schemas.call import Call, PaginatedCallList
from bridge.api.schemas.start_call import SendCallDataMessage, StartCallRequest
from bridge.wire.messages import ForcedAgentMessage, HangUp, UserTextMessage
from bridge.wire.strict_json import MESSAGE

router = APIRouter(prefix="/calls", tags=["calls"])

_NO_PRIOR: Final = "This server does not continue calls: leave this out."
_INJECTED: Final[dict[str, type[Injected]]] = {
    "forced_agent_message": ForcedAgentMessage,
    "hang_up": HangUp,
    "user_text_message": UserTextMessage,
}
_NO_THROTTLE: Final = "This server has no call throttles: leave this out."


def _takes(model: str) -> dict[str, Any]:
    """Documents a body that the route reads itself."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "",
    status_code=201,
    response_model=Call,
    response_model_exclude_unset=True,
    responses=answers(400, 413, 415, 429, 502, 503),
    openapi_extra=_takes("StartCallRequest"),
)
async def create_call(
    request: Request,
    calls: CallsDep,
    *,
    enable_greeting_prompt: Annotated[bool, Query(alias="enableGreetingPrompt")] = True,
    prior_call_id: Annotated[str | None, Query(alias="priorCallId")] = None,
    throttle: str | None = None,
) -> Call:
    """Make a call; it waits at its `joinUrl`, or is dialled if its medium has `outgoing`."""
    problems = Problems()
    if prior_call_id is not None:
        problems.add(_NO_PRIOR, "priorCallId")
    if throttle is not None:
        problems.add(_NO_THROTTLE, "throttle")
    problems.raise_any()
    asked = fit(StartCallRequest, await read_json(request))
    call = await calls.create(settings_from(asked, greeting_prompt=enable_greeting_prompt))
    return shown(call, request)


@router.get(
    "",
    response_model=PaginatedCallList,
    response_model_exclude_unset=True,
    responses=answers(400),
)
async def list_calls(
    request: Request, calls: CallsDep, query: AskedCalls, window: AskedWindow
) -> PaginatedCallList:
    """Calls, newest first. `metadata.<key>=<value>` chooses by metadata."""
    page = await calls.list(query, window)
    return body_of(PaginatedCallList, request, page, lambda call: shown(call, request))


@router.get(
    "/{call_id}", response_model=Call, response_model_exclude_unset=True, responses=answers(404)
)
async def get_call(request: Request, calls: CallsDep, call_id: str) -> Call:
    """One call."""
    return shown(await calls.get(call_id), request)


@router.delete("/{call_id}", status_code=204, responses=answers(404, 425))
async def delete_call(calls: CallsDep, call_id: str) -> Response:
    """Forget an ended call, its messages and its recording."""
    await calls.delete(call_id)
    return Response(status_code=204)


@router.post(
    "/{call_id}/send_data_message",
    status_code=204,
    responses=answers(400, 404, 413, 415, 422),
    openapi_extra=_takes("SendCallDataMessage"),
)
async def send_data_message(request: Request, calls: CallsDep, call_id: str) -> Response:
    """Have a live call take a data message as if its client had sent it."""
    value = await read_json(request, MESSAGE)
    kind = fit(SendCallDataMessage, value).type
    await calls.send_data_message(call_id, fit(_INJECTED[kind], value))
    return Response(status_code=204)
