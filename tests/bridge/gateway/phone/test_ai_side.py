"""What is told of an AI side that cannot be had: in its own words, without whose call it was and without secrets."""

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from tests.fakes.hosted_ai import AI_BASE, HostedAi
from tests.fakes.phone_world import phone_world

CALLER = "+15550100001"


class Parrot(HostedAi):
    """An API that refuses, and repeats all that it was told."""

    async def _create(self, request: Request) -> Response:
        told = f"{await request.json()} with {request.headers['authorization']}"
        return JSONResponse({"detail": f"This is no good: {told}"}, 400)


def test_an_api_that_repeats_what_it_refuses_gets_nothing_private_into_log_and_record() -> None:
    async def test() -> None:
        ai = {"base_url": AI_BASE, "api_key": "CANARY-ai-key", "key_header": "Authorization"}
        async with phone_world(sites={AI_BASE: Parrot().site}, ai=ai) as world:
            await world.call(CallerPlan(hang_up_at_s=15.0))
            assert world.record.numbers.caller == CALLER
            end = world.record.end
            assert end is not None
            assert end.reason == "ai_failed"
            assert "with 400: This is no good" in end.detail

            told = "\n".join([*world.lines, end.detail])
            for private in (CALLER[1:], "CANARY", world.record.carrier_call_id):
                assert private not in told

    run_virtual(test())
