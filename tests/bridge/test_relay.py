import asyncio

import numpy as np
import pytest

from bridge.errors import BrainError
from bridge.legs.base import Ended, FarBroke, MessageEvent
from bridge.relay import CLOSE_LIMIT_S, DRAIN_LIMIT_S, CallEnd, Relay
from bridge.virtual import run_virtual
from bridge.wire.messages import Ping
from tests.fakes.legs import HandLeg

PING = MessageEvent(Ping(timestamp=1.0))


async def joined() -> tuple[HandLeg, HandLeg, Relay, "asyncio.Task[CallEnd]"]:
    caller, agent = HandLeg("caller"), HandLeg("agent")
    relay = Relay(caller, agent)
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.1)
    return caller, agent, relay, task


def test_the_leg_that_ends_first_says_how_the_call_ended() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        caller.end.set_result(Ended("hangup", "enough"))
        end = await task

        assert (end.by, end.ended) == (caller, Ended("hangup", "enough"))
        assert agent.done == ["run", "over"]

    run_virtual(call())


def test_when_the_agent_ends_the_caller_hears_the_rest_before_it_is_closed() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        agent.end.set_result(Ended("agent_hangup"))
        await asyncio.sleep(3)
        assert not task.done()
        caller.heard_all.set()
        end = await task

        assert end.by is agent
        assert caller.done == ["run", "drain", "drained", "over"]

    run_virtual(call())


def test_what_the_caller_says_when_the_agent_is_gone_is_not_lost_but_for_nobody() -> None:
    async def call() -> None:
        caller, agent, relay, task = await joined()
        agent.end.set_result(Ended("agent_hangup"))
        await asyncio.sleep(1)
        for _ in range(15):
            relay.uplink.push(np.ones(8_000, np.int16))

        assert relay.uplink.depth_samples == 0
        assert relay.uplink.stats.dropped == 0
        caller.heard_all.set()
        await task

    run_virtual(call())


def test_a_caller_that_hears_for_ever_is_closed_at_the_limit() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        agent.end.set_result(Ended("agent_hangup"))
        began = asyncio.get_running_loop().time()
        await task

        assert asyncio.get_running_loop().time() - began == pytest.approx(DRAIN_LIMIT_S)
        assert caller.done == ["run", "drain", "over"]

    run_virtual(call())


def test_a_caller_that_hangs_up_while_it_hears_the_rest_ends_the_wait() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        agent.end.set_result(Ended("agent_hangup"))
        await asyncio.sleep(1)
        caller.end.set_result(Ended("hangup"))
        end = await task

        assert end.by is agent
        assert asyncio.get_running_loop().time() == pytest.approx(1.1)

    run_virtual(call())


def test_nothing_is_drained_when_the_caller_ends() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        caller.end.set_result(Ended("hangup"))
        await task

        assert "drain" not in caller.done
        assert "drain" not in agent.done

    run_virtual(call())


def test_an_error_of_a_leg_comes_out_after_the_other_leg_was_told_and_closed() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        agent.end.set_exception(BrainError("no idea"))
        with pytest.raises(BrainError, match="no idea"):
            await task

        assert caller.events == [FarBroke()]
        assert caller.done == ["run", "over"]

    run_virtual(call())


def test_an_end_by_system_error_is_told_to_the_other_leg_and_nothing_is_drained() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        agent.end.set_result(Ended("system_error", "no idea"))
        await task

        assert caller.events == [FarBroke()]
        assert "drain" not in caller.done

    run_virtual(call())


def test_errors_of_both_legs_give_one_and_lose_none_to_the_loop() -> None:
    async def call() -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        caller, agent, _, task = await joined()
        caller.end.set_exception(ValueError("mine"))
        agent.end.set_exception(ValueError("yours"))
        with pytest.raises(ValueError, match="yours"):
            await task
        del caller, agent, task
        await asyncio.sleep(1)

        assert complaints == []

    run_virtual(call())


def test_a_leg_that_does_not_stop_costs_no_more_than_the_limit() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        agent.deaf_to_cancel_s = 100.0
        caller.end.set_result(Ended("hangup"))
        await task

        assert asyncio.get_running_loop().time() == pytest.approx(0.1 + CLOSE_LIMIT_S)

    run_virtual(call())


def test_cancelling_the_relay_closes_both_legs() -> None:
    async def call() -> None:
        caller, agent, _, task = await joined()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert caller.done == agent.done == ["run", "over"]

    run_virtual(call())


def test_an_event_reaches_the_other_leg_before_the_watcher() -> None:
    async def call() -> None:
        caller, agent = HandLeg("caller"), HandLeg("agent")
        seen: list[tuple[str, int]] = []
        relay = Relay(
            caller, agent, watch=lambda leg, _: seen.append((leg.name, len(agent.events)))
        )
        task = asyncio.create_task(relay.run())
        await asyncio.sleep(0.1)
        assert caller.port is not None
        caller.port.emit(PING)

        assert agent.events == [PING]
        assert seen == [("caller", 1)]
        caller.end.set_result(Ended("hangup"))
        await task

    run_virtual(call())


def test_a_clear_empties_the_lane_then_tells_the_leg_then_settles_the_ledger() -> None:
    async def call() -> None:
        caller, agent, relay, task = await joined()
        assert agent.port is not None
        now = asyncio.get_running_loop().time()
        lane = relay.downlink
        lane.push(np.ones(800, np.int16))
        lane.pull(160)
        lane.ledger.sent(160, now)
        seen: list[tuple[int, int]] = []
        caller.clear = lambda: seen.append((lane.depth_samples, lane.ledger.flushed))  # type: ignore[method-assign]
        agent.port.clear_far()

        assert seen == [(0, 0)]
        assert lane.ledger.flushed == 160
        caller.end.set_result(Ended("hangup"))
        await task

    run_virtual(call())


def test_the_uplink_keeps_the_newest_two_seconds_and_the_downlink_the_oldest_thirty_two() -> None:
    async def call() -> None:
        relay = Relay(HandLeg("caller"), HandLeg("agent"))
        ramp = np.arange(40 * 8_000, dtype=np.int64).astype(np.int16)
        for lane, kept in ((relay.uplink, ramp[-16_000:]), (relay.downlink, ramp[: 32 * 8_000])):
            for frame in np.split(ramp, 2_000):
                lane.push(frame)

            assert lane.depth_samples == kept.size
            assert np.array_equal(lane.pull_padded(160), kept[:160])

    run_virtual(call())


def test_the_uplink_keeps_all_of_what_was_said_before_the_agent_came() -> None:
    async def call() -> None:
        relay = Relay(HandLeg("caller"), HandLeg("agent"))
        for _ in range(12 * 50):
            relay.uplink.push(np.ones(160, np.int16))

        assert relay.uplink.depth_ms == 12_000
        relay.uplink.push(np.ones(160, np.int16))
        assert relay.uplink.depth_ms == 2_000

    run_virtual(call())


def test_each_lane_has_the_rates_of_its_ends() -> None:
    async def call() -> None:
        relay = Relay(HandLeg("caller", 8_000), HandLeg("agent", 16_000))

        assert (relay.uplink.source_hz, relay.uplink.rate_hz) == (8_000, 16_000)
        assert (relay.downlink.source_hz, relay.downlink.rate_hz) == (16_000, 8_000)

    run_virtual(call())
