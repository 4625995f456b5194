"""What is told of an AI side that cannot be had: in its own words, without whose call it was and without secrets."""

from pathlib import Path

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from bridge.client import CallApi
from bridge.gateway.phone.ai_call import AiCall
from bridge.gateway.phone.ai_side import AiSide
from bridge.legs.picows_socket import connect
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room_leg import RoomLeg
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from tests.fakes.hosted_ai import AI_BASE, HostedAi
from tests.fakes.phone_world import phone_world
from tests.fakes.rtc_served import rtc_served

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


async def test_an_ai_call_over_webrtc_is_joined_and_left(tmp_path: Path) -> None:
    async with rtc_served(tmp_path) as served:
        side = AiSide(CallApi(served.http, connect), 10, RtcOptions(addresses=("127.0.0.1",)))
        body: dict[str, object] = {"model": "tipring/echo", "medium": {"webRtc": {}}}
        created: list[str] = []
        asked = AiCall(body, None, Rates(8_000, 8_000), webrtc=True)

        joined = await side.open(asked, created.append)

        assert isinstance(joined.leg, RoomLeg)
        assert (joined.leg.source_hz, joined.leg.sink_hz) == (8_000, 8_000)
        assert created == [joined.call_id]
        joined.leave()
        record = await served.ended(joined.call_id)
        assert record["endReason"] == "hangup"
