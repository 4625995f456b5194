"""Whole phone calls at the gateway over an emulated Twilio, in virtual time: beginnings, failures, ends.

What the caller hears is the emulator's true ear's, what the call came to is the desk's record and its one log line.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.brains.base import Act, CallTool, Cue, Greeting, HangUp, Say, ToolsReturned, UserSaid
from bridge.calls.phone_log import MARKER
from bridge.gateway.phone.record import shown
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from tests.fakes.bot import tone
from tests.fakes.call_world import ActingBrain
from tests.fakes.hosted_ai import AI_BASE, JOIN_TOKEN, HostedAi, Joined
from tests.fakes.phone_world import phone_world

RECORDING_S = 2.76
AI = {"base_url": AI_BASE, "api_key": "CANARY-ai-key", "key_header": "X-Other-Key"}
TRANSFER = {"transfer_to": "+15550100099"}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def greeting(*acts: Act) -> ActingBrain:
    """A brain that greets with these acts and says nothing else."""
    return ActingBrain(lambda cue: acts if isinstance(cue, Greeting) else ())


def heard_s(call: PhoneCall) -> float:
    """How much the caller heard."""
    return sum(each.end - each.start for each in call.ear.stretches) / call.ear.rate_hz


def first_heard_s(call: PhoneCall) -> float:
    return call.ear.stretches[0].start / call.ear.rate_hz


# A call from its beginning to its end


def test_a_goodbye_is_heard_to_its_end_before_the_call_is_hung_up_by_rest() -> None:
    async def test() -> None:
        async with phone_world(greeting(HangUp("Goodbye then."))) as world:
            call = await world.call()

            assert call.log.problems == []
            assert heard_s(call) == pytest.approx(12 * 0.06, abs=0.03)
            assert call.end is not None
            assert call.end.how == "its REST request set the status to completed"
            assert world.record.end is not None
            assert world.record.end.reason == "agent_hangup"
            assert list(world.record.stages) == [
                *("answered", "socket", "start", "created", "joined", "first_audio", "ended")
            ]

    play(test())


def test_a_caller_who_hangs_up_ends_the_ai_call_and_nothing_is_asked_of_twilio() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda joined: joined.speak(10.0))
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            call = await world.call(CallerPlan(hang_up_at_s=2.0))

            assert call.end is not None
            assert call.end.by == "caller"
            [joined] = ai.joined
            assert joined.closed == (1000, "")
            assert world.record.end is not None
            assert world.record.end.reason == "hangup"

    play(test())


def test_the_ai_call_is_asked_for_at_the_callers_rate_with_what_is_known_of_the_call() -> None:
    async def test() -> None:
        ai = HostedAi()
        route = {
            "call": {
                "systemPrompt": "{{from}} calls {{to}}; {{unknown}} stays.",
                "metadata": {"shop": "7"},
            },
            "tools": ["playDtmfSounds"],
        }
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI, routes=[route]) as world:
            call = await world.call(CallerPlan(hang_up_at_s=1.0))

            [body] = ai.bodies
            assert ai.paths == ["/api/calls"]
            assert ai.headers[0]["x-other-key"] == "CANARY-ai-key"
            assert body["medium"] == {
                "serverWebSocket": {
                    "inputSampleRate": 8_000,
                    "outputSampleRate": 8_000,
                    "clientBufferSizeMs": 30_000,
                }
            }
            assert body["systemPrompt"] == "+15550100001 calls +15550100002; {{unknown}} stays."
            assert body["metadata"] == {
                "shop": "7",
                "carrier": "twilio",
                "callId": call.facts.call_id,
                "from": "+15550100001",
                "to": "+15550100002",
                "direction": "inbound",
            }
            [tool] = body["selectedTools"]
            assert tool["temporaryTool"]["modelToolName"] == "playDtmfSounds"
            assert tool["temporaryTool"]["client"] == {}

    play(test())


def test_a_stored_agent_gets_the_call_as_its_template_context_and_the_tools_as_overrides() -> None:
    async def test() -> None:
        ai = HostedAi()
        route = {
            "agent": "agent-1",
            "call": {"templateContext": {"shop": "7"}},
            "tools": ["coldTransfer"],
            **TRANSFER,
        }
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI, routes=[route]) as world:
            await world.call(CallerPlan(hang_up_at_s=1.0))

            [body] = ai.bodies
            assert ai.paths == ["/api/agents/agent-1/calls"]
            assert body["templateContext"]["shop"] == "7"
            assert body["templateContext"]["from"] == "+15550100001"
            [tool] = body["toolOverrides"]["add"]
            [target] = tool["temporaryTool"]["staticParameters"]
            assert (target["name"], target["value"]) == ("target", "+15550100099")

    play(test())


def test_an_ai_at_another_rate_is_resampled_both_ways() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda joined: joined.speak(2.0, rate_hz=48_000))
        medium = {"serverWebSocket": {"inputSampleRate": 48_000}}
        routes = [{"call": {"medium": medium}}]
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI, routes=routes) as world:
            call = await world.call(CallerPlan(hang_up_at_s=3.0))

            assert heard_s(call) == pytest.approx(2.0, abs=0.03)
            [joined] = ai.joined
            n_bytes = sum(map(len, joined.audio))
            assert n_bytes / 2 / 48_000 == pytest.approx(3.0, abs=0.06)

    play(test())


def test_what_the_caller_says_before_the_ai_is_there_reaches_it_whole() -> None:
    async def test() -> None:
        ai = HostedAi(create_s=3.0, on_join=lambda _joined: None)
        plan = CallerPlan(turns=[CallerTurn("hello", tone(1.0))], hang_up_at_s=8.0)
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            await world.call(plan)

            [joined] = ai.joined
            heard = np.frombuffer(b"".join(joined.audio), "<i2")
            assert heard.size / 8_000 == pytest.approx(8.0, abs=0.05)
            assert world.record.figures.preroll_ms == pytest.approx(3_000, abs=41)
            assert world.record.figures.caller_audio_lost_ms == 0

    play(test())


def test_keys_reach_the_agent_as_the_route_words_them() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda _joined: None)
        routes = [{"call": {"model": "m"}, "dtmf": {"text": "Keys: {digits}", "urgency": "later"}}]
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI, routes=routes) as world:
            await world.call(CallerPlan(keys=[KeyPresses("12#", 2.0)], hang_up_at_s=5.0))

            texts = [each for each in ai.joined[0].messages if each["type"] == "user_text_message"]
            assert [(each["text"], each["urgency"]) for each in texts] == [("Keys: 12#", "later")]

    play(test())


def test_a_cold_transfer_leaves_the_caller_with_somebody_else() -> None:
    def brain(cue: Cue) -> list[Act]:
        match cue:
            case Greeting():
                return [Say("One moment."), CallTool("coldTransfer", {})]
        return []

    async def test() -> None:
        route = {"call": {"systemPrompt": "x"}, "tools": ["coldTransfer"], **TRANSFER}
        async with phone_world(ActingBrain(brain), routes=[route]) as world:
            call = await world.call(CallerPlan(hang_up_at_s=20.0))

            assert call.connected_to == "+15550100099"
            assert call.end is not None
            assert call.end.by == "caller"
            assert world.record.end is not None
            assert world.record.end.reason == "transferred"
            assert heard_s(call) >= 10 * 0.06 - 0.03  # what was said before it was heard

    play(test())


@pytest.mark.parametrize(
    ("outgoing", "reached"),
    [
        ({}, ""),
        ({"enabled": True, "prefixes": ["+44"]}, ""),
        ({"enabled": True, "prefixes": ["+1"], "max_per_day": 0}, ""),
        ({"enabled": True, "prefixes": ["+1"]}, "+15550100099"),
    ],
)
def test_an_agent_that_names_the_target_sends_callers_only_where_calls_may_be_placed(
    outgoing: dict[str, object], reached: str
) -> None:
    told: list[str] = []

    def brain(cue: Cue) -> list[Act]:
        match cue:
            case Greeting():
                return [CallTool("coldTransfer", {"target": "+1 (555) 010-0099"})]
            case ToolsReturned(results=(result,)):
                told.append(result.error or "")
        return []

    async def test() -> None:
        route = {"call": {"systemPrompt": "x"}, "tools": ["coldTransfer"]}
        async with phone_world(ActingBrain(brain), routes=[route], outgoing=outgoing) as world:
            call = await world.call(CallerPlan(hang_up_at_s=5.0))

            assert (call.connected_to or "") == reached
            assert any(told) == (not reached)  # the agent is told, and goes on
            assert any("outgoing." in line for line in world.lines) == (not reached)

    play(test())


# The AI side fails: never dead air


def close_later(seconds: float) -> Callable[[Joined], None]:
    def joined(ai: Joined) -> None:
        ai.speak(20.0)
        asyncio.get_running_loop().call_later(seconds, ai.socket.close, 1011, "a bug")

    return joined


FAILURES: dict[str, tuple[HostedAi, float]] = {
    "refused": (HostedAi(status=500), 0.0),
    "no capacity": (HostedAi(status=503), 0.0),
    "create hangs": (HostedAi(create_s=60.0), 4.0),
    "join refused": (HostedAi(refuse_join=410), 0.0),
    "lost in mid-call": (HostedAi(on_join=close_later(3.0)), 3.0),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_caller_whose_ai_fails_hears_the_recording_and_is_hung_up_within_five_seconds(
    failure: str,
) -> None:
    async def test() -> None:
        ai, failed_s = FAILURES[failure]
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            call = await world.call()

            if failure != "lost in mid-call":  # else it has been heard before
                assert failed_s <= first_heard_s(call) <= failed_s + 0.5
            assert call.duration_s <= failed_s + 5.0
            assert call.duration_s >= failed_s + RECORDING_S - 0.1
            record = world.record
            assert record.end is not None
            assert (record.end.reason, record.fallback) == ("ai_failed", "hung up")
            assert call.end is not None
            assert call.end.by == "application"

    play(test())


@pytest.mark.parametrize("failure", ["refused", "create hangs", "lost in mid-call"])
def test_a_caller_whose_ai_fails_can_be_sent_elsewhere(failure: str) -> None:
    async def test() -> None:
        ai, failed_s = FAILURES[failure]
        phone = {"fallback": {"transfer_to": "+15550100098"}}
        routes = [{"call": {"model": "m"}, "fallback": TRANSFER}]
        async with phone_world(
            sites={AI_BASE: ai.site}, ai=AI, phone=phone, routes=routes
        ) as world:
            call = await world.call(CallerPlan(hang_up_at_s=20.0))

            assert call.connected_to == "+15550100099"
            assert world.record.fallback == "transferred"
            assert world.record.stages["ended"] <= failed_s + 5.0

    play(test())


def test_a_caller_who_leaves_during_the_recording_has_not_heard_it() -> None:
    async def test() -> None:
        ai = HostedAi(status=500)
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            await world.call(CallerPlan(hang_up_at_s=1.0))

            assert world.record.fallback == "not heard"

    play(test())


def test_a_caller_who_leaves_before_the_ai_is_there_ends_the_call_at_once() -> None:
    async def test() -> None:
        ai = HostedAi(create_s=60.0)
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            await world.call(CallerPlan(hang_up_at_s=1.0))

            assert world.record.end is not None
            assert world.record.end.reason == "hangup"
            assert world.record.stages["ended"] == pytest.approx(1.0, abs=0.05)

    play(test())


def test_an_agent_that_is_lost_takes_its_unheard_words_along() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=close_later(2.0))
        async with phone_world(sites={AI_BASE: ai.site}, ai=AI) as world:
            call = await world.call()

            # 20 s were there to be said; the caller hears 2 s of them, and the recording.
            assert heard_s(call) < 2.2 + RECORDING_S
            assert len(call.ear.clears) == 1

    play(test())


# Limits


def test_no_call_lasts_longer_than_it_may_whatever_is_said() -> None:
    async def test() -> None:
        ai = HostedAi(on_join=lambda joined: joined.speak(25.0))
        async with phone_world(
            sites={AI_BASE: ai.site}, ai=AI, phone={"max_duration_s": 10}
        ) as world:
            call = await world.call()

            assert call.duration_s == pytest.approx(10.0, abs=0.1)
            assert world.record.end is not None
            assert world.record.end.reason == "timeout"
            assert call.end is not None
            assert call.end.by == "application"

    play(test())


@pytest.mark.parametrize("most", [1, 2])
def test_a_route_takes_as_many_calls_as_it_may_and_then_says_busy(most: int) -> None:
    async def test() -> None:
        routes = [{"call": {"model": "ultravox-v0.7"}, "max_calls": most}]
        async with phone_world(greeting(Say("Hello.")), routes=routes) as world:
            calls = [world.ring(CallerPlan(hang_up_at_s=5.0)) for _ in range(3)]
            await asyncio.gather(*(call.run() for call in calls))
            await world.settled()

            assert [call.status for call in calls].count("completed") == most
            assert [call.status for call in calls].count("busy") == 3 - most
            assert len(world.records) == most

            again = await world.call(CallerPlan(hang_up_at_s=1.0))
            assert again.status == "completed"

    play(test())


@pytest.mark.parametrize("most", [1, 2])
def test_past_max_calls_the_carrier_says_busy(most: int) -> None:
    async def test() -> None:
        async with phone_world(greeting(Say("Hello.")), phone={"max_calls": most}) as world:
            calls = [world.ring(CallerPlan(hang_up_at_s=5.0)) for _ in range(3)]
            await asyncio.gather(*(call.run() for call in calls))
            await world.settled()

            assert [call.status for call in calls].count("busy") == 3 - most

    play(test())


def test_a_call_that_no_route_takes_is_refused_with_a_line_in_the_log() -> None:
    async def test() -> None:
        routes = [{"number": "+1666*", "call": {"model": "m"}}]
        async with phone_world(routes=routes) as world:
            call = await world.call()

            assert call.status == "busy"
            assert world.records == []
            [line] = [line for line in world.lines if "refused" in line]
            assert line == "! twilio: a call is refused: no route for inbound calls to …0002"

    play(test())


def test_closing_hangs_every_call_up() -> None:
    async def test() -> None:
        async with phone_world(greeting(Say("Hello."))) as world:
            calls = [world.ring() for _ in range(3)]
            running = [asyncio.ensure_future(call.run()) for call in calls]
            await asyncio.sleep(3.0)
            await world.desk.close()
            await asyncio.gather(*running)

            assert world.desk.n_live == 0
            assert [call.end.by for call in calls if call.end] == ["application"] * 3
            assert {record.end.reason for record in world.records if record.end} == {"system_error"}
            late = await world.call()
            assert late.status == "busy"

    play(test())


# What is kept


def test_a_call_leaves_one_line_of_json_with_all_figures_and_nothing_personal() -> None:
    async def test() -> None:
        brain = ActingBrain(
            lambda cue: (
                [Say("Hello, how may I help you on this fine day?")]
                if isinstance(cue, Greeting)
                else [HangUp("Bye.")]
                if isinstance(cue, UserSaid)
                else []
            )
        )
        plan = CallerPlan(turns=[CallerTurn("stop", tone(1.0), 0.8)], tail_s=20.0)
        async with phone_world(brain) as world:
            call = await world.call(plan)

            [end] = world.ends
            assert [line.startswith(MARKER) for line in world.lines if MARKER in line] == [True]
            assert end["id"] == world.record.id
            assert end["endReason"] == "agent_hangup"
            assert end["callerAudioLostMs"] == 0
            assert end["interruptions"] == 1
            assert end["worstOverrunMs"] is not None
            assert end["marksSent"] == end["marksBack"] + end["marksFlushed"]
            text = "\n".join(world.lines)
            for private in ("5550100001", "5550100002", "Hello", call.facts.call_id, JOIN_TOKEN):
                assert private not in text
            view = json.loads(json.dumps(shown(world.record)))
            assert view["from"] == "+15550100001"
            assert view["interruptions"][0]["heardText"].startswith("Hello,")

    play(test())


def test_two_runs_with_one_seed_leave_the_same_records() -> None:
    async def once() -> list[object]:
        async with phone_world(greeting(Say("Hello."), HangUp("Bye."))) as world:
            await world.call()
            return [shown(record) for record in world.records]

    assert run_virtual(once()) == run_virtual(once())


def test_a_thousand_records_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with phone_world(greeting(HangUp(""))) as world:
            monkeypatch.setattr(world.desk.history, "_most", 3)
            for _ in range(5):
                await world.call()

            assert len(world.records) == 3

    play(test())
