"""One phone call at its socket, with messages made by hand: starts that are none, and what they cost nobody."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.gateway.phone import ai_side
from bridge.gateway.phone.record import EndReason
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.carrier.complaints import TOLD_WARNINGS
from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.uplink import Uplink
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from tests.fakes.emulated import ACCOUNTS
from tests.fakes.hosted_ai import AI_BASE, HostedAi
from tests.fakes.knocks import (
    admitted,
    knock,
    open_socket,
    secret_knock,
    stream_target,
    telnyx_webhook,
    twilio_call,
    twilio_knock,
    twilio_webhook,
)
from tests.fakes.phone_world import PATIENT, PhoneWorld, phone_world
from tests.fakes.socket_log import SocketLog

AI = {"base_url": AI_BASE}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def opened(world: PhoneWorld) -> tuple[MediaSocket, SocketLog]:
    """A media socket of a call that was answered, and what comes on it."""
    target = await stream_target(world, twilio_webhook(twilio_call("CA1")))
    socket = open_socket(await admitted(world, twilio_knock(target)))
    log = SocketLog()
    socket.start(log)
    return socket, log


def start(call_id: str = "CA1", account: str = "", stream: str = "MZ1") -> str:
    begun = {
        "accountSid": account or ACCOUNTS["twilio"].account_id,
        "streamSid": stream,
        "callSid": call_id,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {},
    }
    return json.dumps(
        {"event": "start", "sequenceNumber": "1", "streamSid": stream, "start": begun}
    )


def end_of(world: PhoneWorld) -> EndReason:
    assert world.record.end is not None
    return world.record.end.reason


@pytest.mark.parametrize("begun", [start("CA2"), start(account="AC2")])
def test_a_start_of_another_call_closes_with_1008_and_opens_no_ai_call(begun: str) -> None:
    async def test() -> None:
        ai = HostedAi()
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            socket, log = await opened(world)
            socket.send_text(begun)
            await world.settled()

            assert log.closes == [(1008, "not the call that was answered")]
            assert ai.bodies == []
            assert end_of(world) == "refused"

    play(test())


@pytest.mark.parametrize(
    ("messages", "after_s"),
    [
        ([], 10.0),
        (['{"event":"connected","protocol":"Call","version":"1.0.0"}'], 10.0),
        (['{"event":"stop"}'], 0.0),
        (['{"event":"start"}'], 0.0),
        (["no json"] * 51, 10.0),
    ],
)
def test_a_socket_without_a_start_is_closed_in_time_and_opens_no_ai_call(
    messages: list[str], after_s: float
) -> None:
    async def test() -> None:
        ai = HostedAi()
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            socket, log = await opened(world)
            for message in messages:
                socket.send_text(message)
            await world.settled()

            assert asyncio.get_running_loop().time() == pytest.approx(after_s, abs=0.5)
            assert ai.bodies == []
            assert len(log.closes) == 1
            assert end_of(world) == "no_start"

    play(test())


@pytest.mark.parametrize("ends_by", ["stop", "close"])
def test_a_caller_who_is_gone_by_the_start_costs_no_ai_call(ends_by: str) -> None:
    async def test() -> None:
        ai = HostedAi()
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            socket, _ = await opened(world)
            socket.send_text(start())
            if ends_by == "stop":
                socket.send_text(json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {}}))
            socket.close()
            await world.settled()

            assert (end_of(world), ai.bodies) == ("hangup", [])

    play(test())


@pytest.mark.parametrize("create_s", [0.0, 3.9])
def test_a_phone_call_that_its_carrier_says_is_over_does_not_wait_for_a_dead_socket(
    create_s: float,
) -> None:
    async def test() -> None:
        ai = HostedAi(create_s=create_s)
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            socket, _ = await opened(world)
            socket.send_text(start())
            await asyncio.sleep(1.0)
            over = twilio_call("CA1", CallStatus="completed")
            for _ in range(2):
                await twilio_webhook(over, "/carriers/twilio/status").send(world.http())
            await asyncio.sleep(1.5)
            assert world.desk.n_live == 1
            await asyncio.sleep(1.5)

            assert world.desk.n_live == 0
            assert end_of(world) == "hangup"
            assert all(joined.closed for joined in ai.joined)

    play(test())


def test_a_carrier_that_says_so_before_its_socket_does_changes_no_record() -> None:
    async def test() -> None:
        async with phone_world(sites={AI_BASE: HostedAi().site}, ai=AI) as world:
            socket, _ = await opened(world)
            socket.send_text(start())
            await asyncio.sleep(1.0)
            over = twilio_call("CA1", CallStatus="completed")
            await twilio_webhook(over, "/carriers/twilio/status").send(world.http())
            await asyncio.sleep(1.0)
            socket.send_text(json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {}}))
            await world.settled()
            await asyncio.sleep(3.0)

            assert world.record.end is not None
            assert (end_of(world), world.record.end.detail) == ("hangup", "")

    play(test())


def test_a_second_start_ends_its_own_call() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda _joined: None)
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            socket, log = await opened(world)
            socket.send_text(start())
            await asyncio.sleep(1.0)
            socket.send_text(start())
            await world.settled()

            assert [code for code, _ in log.closes] == [1008]
            assert ai.joined[0].closed is not None
            assert end_of(world) == "connection_error"

    play(test())


def test_a_client_that_leaves_while_it_is_let_in_leaves_nothing() -> None:
    async def test() -> None:
        async with phone_world() as world:
            socket, _ = await opened(world)
            socket.close(1001)
            await world.settled()

            assert end_of(world) == "no_start"

    play(test())


def test_a_broken_call_beside_nine_clean_ones_disturbs_none() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda joined: joined.speak(5.0))
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            socket, _ = await opened(world)
            socket.send_text(start())
            calls = [world.ring(CallerPlan(hang_up_at_s=6.0)) for _ in range(9)]
            running = [asyncio.ensure_future(call.run()) for call in calls]
            await asyncio.sleep(1.0)
            for n in range(2_000):
                socket.send_text(json.dumps({"event": "media", "streamSid": "MZ1", "x": n}))
            await asyncio.gather(*running)
            await world.settled()

            assert all(call.ear.holes() == [] for call in calls)
            ends = [record.end.reason for record in world.records if record.end]
            assert sorted(ends) == ["connection_error"] + ["hangup"] * 9
            clean = [r for r in world.records if r.end is not None and r.end.reason == "hangup"]
            assert all(record.figures.caller_audio_lost_ms == 0 for record in clean)

    play(test())


def test_what_an_ai_side_in_a_room_did_not_get_is_in_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda joined: joined.speak(2.0))
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            for _ in range(2):  # what one call lost is no other's
                await world.call(CallerPlan(hang_up_at_s=3.0))
                await world.settled()

            figures = [record.figures for record in world.records]
            assert [each.caller_audio_lost_ms for each in figures] == [500, 500]
            assert all(each.caller_pauses_left_out_ms > 800 for each in figures)

    class RoomLike(AgentSocketLeg):
        """Has lost half a second, and left a pause out."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.uplink = Uplink(8_000)
            self.uplink.push(np.full(100_000, 9_000, np.int16))
            self.uplink.push(np.zeros(8_000, np.int16))
            self.uplink.lane.stats.dropped = 4_000

    monkeypatch.setattr(ai_side, "AgentSocketLeg", RoomLike)
    play(test())


# Calls that are brought up by their socket


def test_a_call_by_its_socket_that_no_route_takes_is_hung_up_in_the_carriers_way() -> None:
    async def test() -> None:
        routes = [{"carrier": "twilio", "call": {"model": "m"}}]
        async with phone_world(name="asterisk", routes=routes) as world:
            call = await world.call()

            assert call.end is not None
            assert call.end.how == "it sent HANGUP"
            assert end_of(world) == "refused"
            assert any("no route for inbound calls" in line for line in world.lines)

    play(test())


def test_a_route_is_found_by_what_the_start_says_and_counted_until_the_end() -> None:
    async def test() -> None:
        routes = [{"number": "+15550100002", "call": {"model": "ultravox-v0.7"}, "max_calls": 1}]
        async with phone_world(name="jambonz", routes=routes) as world:
            for _ in range(2):
                await world.call(CallerPlan(hang_up_at_s=1.0))

            assert [record.route for record in world.records] == [0, 0]
            assert [record.numbers.called for record in world.records] == ["+15550100002"] * 2

    play(test())


def test_genesys_may_try_the_connection_without_an_ai_call() -> None:
    async def test() -> None:
        ai = HostedAi()
        async with phone_world(
            name="genesys", options={"probe": "yes"}, sites={AI_BASE: ai.site}, ai=AI
        ) as world:
            call = await world.call(CallerPlan(hang_up_at_s=1.0))

            assert call.log.problems == []
            assert ai.bodies == []
            assert world.record.end is not None
            assert "a probe of the connection" in world.record.end.detail

    play(test())


def test_an_audiosocket_call_that_was_announced_keeps_what_was_said_of_it() -> None:
    async def test() -> None:
        async with phone_world(name="audiosocket", audiosocket={}) as world:
            announced = await world.http().post("/carriers/audiosocket/answer?from=1&to=2")
            call = world.carrier.inbound(f"tcp://bridge.example:9092/{announced.text}", PATIENT)
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(1.0)
            assert [record.state for record in world.records] == ["live"]
            assert world.record.numbers.called == "2"
            await world.desk.close()
            await running

            assert end_of(world) == "system_error"
            assert world.desk.n_live == 0

    play(test())


@pytest.mark.parametrize("max_calls", [1, 2])
def test_an_announced_audiosocket_call_has_its_place_and_nobody_elses(max_calls: int) -> None:
    async def test() -> None:
        async with phone_world(
            name="audiosocket", audiosocket={}, phone={"max_calls": max_calls}
        ) as world:
            running = []
            for _ in range(max_calls):
                announced = await world.http().post("/carriers/audiosocket/answer")
                call = world.carrier.inbound(f"tcp://bridge.example:9092/{announced.text}", PATIENT)
                running.append(asyncio.create_task(call.run()))
                await asyncio.sleep(1.0)
            assert [record.state for record in world.records] == ["live"] * max_calls
            socket = await world.network.connect("tcp://bridge.example:9092", {})
            log = SocketLog()
            socket.start(log)
            await asyncio.sleep(1.0)

            assert log.closes
            assert world.desk.n_live == max_calls
            full = await world.http().post("/carriers/audiosocket/answer")
            assert full.status_code == 503
            await world.desk.close()
            await asyncio.gather(*running)

    play(test())


def test_an_audiosocket_call_that_nobody_announced_is_refused() -> None:
    async def test() -> None:
        ai = HostedAi()
        async with phone_world(
            name="audiosocket", audiosocket={}, sites={AI_BASE: ai.site}, ai=AI
        ) as world:
            await world.http().post("/carriers/audiosocket/answer")  # another call
            call = world.ring()
            await call.run()
            await asyncio.sleep(1.0)

            assert call.end is not None
            assert call.end.how == "it sent the hang-up frame"
            ends = [record.end.reason for record in world.records if record.end]
            assert (ends, ai.bodies) == (["refused"], [])

    play(test())


def test_while_no_audiosocket_call_is_announced_strangers_leave_no_records() -> None:
    async def test() -> None:
        async with phone_world(name="audiosocket", audiosocket={}) as world:
            for _ in range(50):
                socket = await world.network.connect("tcp://bridge.example:9092", {})
                log = SocketLog()
                socket.start(log)
                await log.closed.wait()

            assert world.records == []
            assert world.ends == []
            assert sum("no call is announced" in line for line in world.lines) <= 10

    play(test())


@pytest.mark.parametrize("any_uuid", [True, False])
def test_a_call_of_any_uuid_is_recorded_as_unchecked_and_an_announced_one_is_not(
    any_uuid: bool,
) -> None:
    async def test() -> None:
        async with phone_world(name="audiosocket", audiosocket={"any_uuid": any_uuid}) as world:
            url = "tcp://bridge.example:9092"
            if not any_uuid:
                announced = await world.http().post("/carriers/audiosocket/answer")
                url = f"{url}/{announced.text}"
            await world.carrier.inbound(url, CallerPlan(hang_up_at_s=1.0)).run()
            await world.settled()

            assert (end_of(world), world.record.unchecked) == ("hangup", any_uuid)

    play(test())


def test_a_uuid_is_good_once() -> None:
    async def test() -> None:
        async with phone_world(name="audiosocket", audiosocket={}) as world:
            announced = await world.http().post("/carriers/audiosocket/answer")
            url = f"tcp://bridge.example:9092/{announced.text}"
            plan = CallerPlan(hang_up_at_s=5.0)
            calls = [world.carrier.inbound(url, plan) for _ in range(2)]
            await asyncio.gather(*(call.run() for call in calls))
            await world.settled()

            ends = sorted(record.end.reason for record in world.records if record.end)
            assert ends == ["hangup", "refused"]

    play(test())


@pytest.mark.parametrize("n_sockets", [100, 101])
def test_connections_that_say_nothing_have_a_bound_and_an_end(n_sockets: int) -> None:
    async def test() -> None:
        async with phone_world(name="audiosocket") as world:
            sockets = [
                await world.network.connect("tcp://bridge.example:9092", {})
                for _ in range(n_sockets)
            ]
            logs = [SocketLog() for _ in sockets]
            for socket, log in zip(sockets, logs, strict=True):
                socket.start(log)
            await asyncio.sleep(1.0)
            assert sum(bool(log.closes) for log in logs) == n_sockets - 100
            assert world.desk.n_live == 100
            await asyncio.sleep(10.0)

            assert world.desk.n_live == 0
            assert all(log.closes for log in logs)

    play(test())


def test_a_call_by_its_socket_counts_from_the_moment_it_is_let_in() -> None:
    async def test() -> None:
        async with phone_world(name="asterisk") as world:
            admission = await admitted(world, secret_knock("asterisk"))
            assert world.desk.n_live == 1
            open_socket(admission)
            await world.settled()

            assert end_of(world) == "no_start"

    play(test())


def test_what_a_carrier_complains_about_is_a_line_in_the_log_and_no_flood_of_them() -> None:
    payload = {"code": 100003, "title": "malformed_frame", "detail": "of +15550100001"}
    complaint = json.dumps({"event": "error", "stream_id": "s1", "payload": payload})
    begun = {
        "call_control_id": "v3:1",
        "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
    }

    async def test() -> None:
        async with phone_world(name="telnyx") as world:
            body = b"CallSid=v3%3A1&To=%2B1556&CallStatus=ringing"
            webhook = telnyx_webhook(body, world.carrier.world.clock().timestamp())
            target = await stream_target(world, webhook)
            socket = open_socket(await admitted(world, knock(target)))
            socket.start(SocketLog())
            socket.send_text(json.dumps({"event": "start", "stream_id": "s1", "start": begun}))
            for _ in range(50):
                socket.send_text(complaint)
            await asyncio.sleep(1)
            socket.close()
            await world.settled()

            told = [line for line in world.lines if "malformed_frame" in line]
            assert len(told) == TOLD_WARNINGS
            assert told[0].startswith(f"! phone call {world.record.id}: telnyx: ")
            assert "5550100001" not in "".join(told)
            assert world.record.figures.warnings == 50

    play(test())
