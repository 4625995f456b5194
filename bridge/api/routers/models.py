"""The models that calls may use."""

from fastapi import APIRouter, Request

from bridge.api.deps import CallsDep, answers
from bridge.api.paging import AskedWindow, body_of
from bridge.api.schemas.call import ModelAlias, PaginatedModelAliasList
from bridge.calls.paging import cut

router = APIRouter(prefix="/models", tags=["models"])


@router.get("", response_model=PaginatedModelAliasList, responses=answers(400))
async def list_models(
    request: Request, calls: CallsDep, window: AskedWindow
) -> PaginatedModelAliasList:
    """The names that `model` may have."""
    names = calls.models()
    page = cut(names, [(at, "") for at in range(len(names))], window)
    return body_of(PaginatedModelAliasList, request, page, lambda name: ModelAlias(name=name))
