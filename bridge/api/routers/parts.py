"""What belongs to a call: messages, events, stages, tools, the recording."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from bridge.api.deps import CallsDep, answers
from bridge.api.files import wav_response
from bridge.api.paging import AskedWindow, body_of
from bridge.api.schemas.call import (
    CallStage,
    PaginatedCallEventList,
    PaginatedCallStageList,
    PaginatedMessageList,
)
from bridge.api.schemas.tools import CallTool
from bridge.api.views import event_view, message_view, stage_view, tool_view
from bridge.calls.errors import RecordingNotFound
from bridge.calls.queries import EventQuery, MessageQuery
from bridge.calls.records import Severity

router = APIRouter(prefix="/calls/{call_id}", tags=["calls"])


@router.get(
    "/messages",
    response_model=PaginatedMessageList,
    response_model_exclude_unset=True,
    responses=answers(400, 404),
)
async def list_messages(
    request: Request,
    calls: CallsDep,
    call_id: str,
    window: AskedWindow,
    mode: Literal["last_stage", "in_call"] = "last_stage",
) -> PaginatedMessageList:
    """The messages of the last stage, or those of all stages without what they began with."""
    page = await calls.messages(call_id, MessageQuery(mode), window)
    return body_of(PaginatedMessageList, request, page, message_view)


@router.get(
    "/events",
    response_model=PaginatedCallEventList,
    responses=answers(400, 404),
)
async def list_events(
    request: Request,
    calls: CallsDep,
    call_id: str,
    window: AskedWindow,
    *,
    minimum_severity: Severity = "info",
    type_: Annotated[str | None, Query(alias="type", min_length=1)] = None,
) -> PaginatedCallEventList:
    """What happened in a call."""
    page = await calls.events(call_id, EventQuery(minimum_severity, type_), window)
    return body_of(PaginatedCallEventList, request, page, partial(event_view, call_id))


@router.get(
    "/recording",
    response_class=StreamingResponse,
    responses={200: {"content": {"audio/wav": {}}}, **answers(404, 425)},
)
async def get_recording(calls: CallsDep, call_id: str) -> StreamingResponse:
    """The recording of an ended call, WAV."""
    try:
        return await wav_response(await calls.recording_path(call_id))
    except FileNotFoundError:
        raise RecordingNotFound("The recording of this call is gone.") from None


@router.get(
    "/stages",
    response_model=PaginatedCallStageList,
    response_model_exclude_unset=True,
    responses=answers(400, 404),
)
async def list_stages(
    request: Request, calls: CallsDep, call_id: str, window: AskedWindow
) -> PaginatedCallStageList:
    """The stages of a call, oldest first."""
    page = await calls.stages(call_id, window)
    return body_of(PaginatedCallStageList, request, page, stage_view)


@router.get(
    "/stages/{call_stage_id}",
    response_model=CallStage,
    response_model_exclude_unset=True,
    responses=answers(404),
)
async def get_stage(calls: CallsDep, call_id: str, call_stage_id: str) -> CallStage:
    """One stage."""
    return stage_view(await calls.stage(call_id, call_stage_id))


@router.get(
    "/stages/{call_stage_id}/messages",
    response_model=PaginatedMessageList,
    response_model_exclude_unset=True,
    responses=answers(400, 404),
)
async def list_stage_messages(
    request: Request, calls: CallsDep, call_id: str, call_stage_id: str, window: AskedWindow
) -> PaginatedMessageList:
    """The messages of one stage, with those it began with."""
    page = await calls.messages(call_id, MessageQuery(stage_id=call_stage_id), window)
    return body_of(PaginatedMessageList, request, page, message_view)


@router.get(
    "/stages/{call_stage_id}/tools",
    response_model=list[CallTool],
    response_model_exclude_unset=True,
    responses=answers(404),
)
async def list_stage_tools(calls: CallsDep, call_id: str, call_stage_id: str) -> list[CallTool]:
    """The tools of one stage."""
    stage = await calls.stage(call_id, call_stage_id)
    return [tool_view(tool) for tool in stage.tools]


@router.get(
    "/tools",
    response_model=list[CallTool],
    response_model_exclude_unset=True,
    responses=answers(404),
)
async def list_tools(calls: CallsDep, call_id: str) -> list[CallTool]:
    """The tools of the last stage."""
    stage = await calls.stage(call_id)
    return [tool_view(tool) for tool in stage.tools]
