"""What is told of an AI side that cannot be had: in its own words, without whose call it was and without secrets."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from bridge.audio.lane import Lane
from bridge.client import CallApi
from bridge.gateway.phone.ai_call import AiCall
from bridge.gateway.phone.ai_side import AiSide
from bridge.legs.base import Port
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.picows_socket import connect
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room_leg import RoomLeg
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge_codecs.pcm import Int16
from tests.fakes.hosted_ai import AI_BASE, HostedAi
from tests.fakes.phone_world import phone_world
from tests.fakes.rtc_served import rtc_served, until

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


async def test_what_a_caller_said_before_an_ai_call_over_webrtc_was_there_is_heard_in_it(
    tmp_path: Path,
) -> None:
    rate_hz, heard = 8_000, list[Int16]()
    tone = 8_000 * np.sin(2 * np.pi * 440 * np.arange(4 * rate_hz) / rate_hz)
    said = np.concatenate((np.zeros(rate_hz, np.int16), tone.astype(np.int16)))

    def loud_s() -> float:
        frames = [each for each in heard if np.abs(each.astype(np.int32)).max() > 2_000]
        return sum(each.size for each in frames) / 16_000

    async with rtc_served(tmp_path) as served:
        side = AiSide(CallApi(served.http, connect), 10, RtcOptions(addresses=("127.0.0.1",)))
        body: dict[str, object] = {"model": "tipring/echo", "medium": {"webRtc": {}}}
        asked = AiCall(body, None, Rates(rate_hz, rate_hz), webrtc=True)
        joined = await side.open(asked, lambda _call_id: None)
        far = served.leg(joined.call_id)
        far.hear = lambda link, samples: heard.append(samples)  # type: ignore[method-assign]
        uplink = Lane(rate_hz, 2_000, "drop_oldest", opening_ms=12_000)
        uplink.push(said)
        downlink = Lane(rate_hz, 32_000, "drop_newest")
        port = Port(downlink, uplink, lambda _event: None, lambda: None)
        call = asyncio.create_task(joined.leg.run(port), name="ai leg")
        began_s = asyncio.get_running_loop().time()
        await until(lambda: loud_s() > 3.97)
        took_s = asyncio.get_running_loop().time() - began_s

        joined.leave()
        await call
        figures = CarrierFigures()
        joined.count(figures)

    assert loud_s() == pytest.approx(4.0, abs=0.05)
    assert took_s < 3.2  # of four seconds of words, 1.6 ahead of their time
    assert figures.caller_audio_lost_ms == 0
    assert figures.caller_pauses_left_out_ms == 860  # of the second before the words
