import inspect

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bridge.api.auth import require_key
from bridge.api.routers import calls, models, parts
from bridge.virtual import run_virtual
from tests.fakes.calls import FakeCalls, app_over, made, rest


def functions_of(dependant: Dependant) -> list[object]:
    inner = [each for below in dependant.dependencies for each in functions_of(below)]
    return [dependant.call, *inner]


def test_no_route_and_no_dependency_runs_in_a_worker_thread() -> None:
    own = [*calls.router.routes, *parts.router.routes, *models.router.routes]
    routes = [each for each in (*own, *app_over(FakeCalls()).routes) if isinstance(each, APIRoute)]

    assert len(routes) == 16
    for function in (each for route in routes for each in functions_of(route.dependant)):
        assert inspect.iscoroutinefunction(function), function
    assert inspect.iscoroutinefunction(require_key)


def test_error_handlers_do_not_run_in_a_worker_thread() -> None:
    for handler in app_over(FakeCalls()).exception_handlers.values():
        assert inspect.iscoroutinefunction(handler), handler


def test_the_api_answers_in_virtual_time() -> None:
    async def use() -> list[int]:
        async with rest() as client:
            call_id = await made(client)
            paths = ["", "/messages", "/events", "/stages", "/tools", "/recording"]
            answers = [await client.get(f"/api/calls/{call_id}{path}") for path in paths]
            return [answer.status_code for answer in answers]

    assert run_virtual(use()) == [200, 200, 200, 200, 200, 404]
