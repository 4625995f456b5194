"""The network between carrier and gateway freezes in mid-call (promise R15), through the whole gateway.

Below 2 s no sample is lost or comes out of order; after 10 s the delay that the freeze has added is gone within 3 s.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.brains.base import Act, Cue, Greeting, HangUp, Say, SpeechChunk
from bridge.brains.echo import EchoBrain
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.ids import Ids
from bridge.relay import DOWNLINK_MAX_MS
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import World
from bridge.testing.carriers.make import make_carrier
from bridge.testing.network import RealNetwork
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16
from tests.fakes.call_world import ActingBrain
from tests.fakes.direct_calls import DirectWorld, direct_world
from tests.fakes.emulated import ACCOUNTS
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.freeze import BACK, BOTH, Way, freeze
from tests.fakes.hosted_ai import AI_BASE, HostedAi, Joined
from tests.fakes.phone_house import house
from tests.fakes.phone_world import phone_world

AI = {"base_url": AI_BASE, "api_key": "CANARY-ai-key"}
AT_S = 3.0
BURST_EVERY_S = 0.5
ADDED_MAX_S = 0.2
USUAL_S = 0.04


def noise(seconds: float, seed: int = 1) -> Int16:
    samples = np.random.default_rng(seed).integers(-9_000, 9_000, round(8_000 * seconds), np.int16)
    return decode_ulaw(encode_ulaw(samples))


def bursts(seconds: float) -> Int16:
    """50 ms of noise every half second, each other noise."""
    audio = np.zeros(round(8_000 * seconds), np.int16)
    for index in range(round(seconds / BURST_EVERY_S)):
        at = round(8_000 * BURST_EVERY_S * index)
        audio[at : at + 400] = noise(0.05, index)
    return audio


def speak(ai: Joined, samples: Int16) -> None:
    ai.send(type="state", state="speaking")
    for at in range(0, samples.size, 160):
        ai.socket.send_bytes(samples[at : at + 160].astype("<i2").tobytes())


def played(call: PhoneCall) -> Int16:
    """What the caller heard of the application, without the silence around and inside."""
    heard = call.ear.heard()
    return np.concatenate([heard[each.start : each.end] for each in call.ear.stretches])


def heard_after_s(call: PhoneCall, spoken: Int16, from_s: float) -> float | None:
    """When after an instant this was heard, s; None if it was not."""
    heard = call.ear.heard()[round(8_000 * from_s) :].astype(float)
    if heard.size < spoken.size:
        return None
    match = np.correlate(heard, spoken.astype(float), "valid")
    best = int(np.argmax(match))
    power = float(np.dot(spoken.astype(float), spoken))
    return best / 8_000 if match[best] > 0.9 * power else None


def echo_delays(call: PhoneCall) -> dict[float, float | None]:
    """When each burst was said, and how much later its echo was heard."""
    begun_s = call.caller.started[0].at / 8_000
    n = round((call.duration_s - begun_s - 0.7) / BURST_EVERY_S)
    said_s = [begun_s + BURST_EVERY_S * index for index in range(n)]
    return {
        at_s: heard_after_s(call, noise(0.05, index), at_s) for index, at_s in enumerate(said_s)
    }


async def frozen_call(
    frozen_s: float, ways: Sequence[Way], plan: CallerPlan, ai: HostedAi | None = None
) -> tuple[PhoneCall, PhoneCallRecord]:
    """A call whose network freezes at `AT_S`; without an AI elsewhere the caller hears the own voice."""
    elsewhere: dict[str, Any] = {} if ai is None else {"ai": AI, "sites": {AI_BASE: ai.site}}
    async with phone_world(EchoBrain(8_000), **elsewhere) as world:
        freeze(world.carrier, AT_S, AT_S + frozen_s, ways)
        call = await world.call(plan)
        return call, world.record


@pytest.mark.parametrize("ways", [BOTH, ("out",), BACK], ids="-".join)
@pytest.mark.parametrize("frozen_s", [0.5, 1.9])
def test_a_freeze_of_less_than_two_seconds_loses_no_sample_of_either_side_and_keeps_their_order(
    ways: Sequence[Way], frozen_s: float
) -> None:
    said, spoken = noise(6.0), noise(6.0, 2)
    ai = HostedAi(lambda joined: speak(joined, spoken))
    plan = CallerPlan(turns=[CallerTurn("noise", said)], tail_s=1.0, hang_up_at_s=10.0)
    call, record = run_virtual(frozen_call(frozen_s, ways, plan, ai))

    [joined] = ai.joined
    assert said.astype("<i2").tobytes() in b"".join(joined.audio)
    assert played(call).tobytes() == spoken.tobytes()
    assert record.figures.caller_audio_lost_ms == 0
    assert record.figures.overruns == 0
    assert not record.figures.ignored
    assert record.figures.marks_back == record.figures.marks_sent


@pytest.mark.parametrize("ways", [BOTH, ("out",)], ids="-".join)
@pytest.mark.parametrize("frozen_s", [2.5, 10.0])
def test_after_a_long_freeze_what_is_said_now_is_heard_now_within_three_seconds(
    ways: Sequence[Way], frozen_s: float
) -> None:
    over_s = AT_S + frozen_s
    turn = CallerTurn("bursts", bursts(over_s + 7.0))
    plan = CallerPlan(turns=[turn], tail_s=1.0, hang_up_at_s=over_s + 7.0)
    call, record = run_virtual(frozen_call(frozen_s, ways, plan))

    delays = echo_delays(call)
    before = [delay for at_s, delay in delays.items() if at_s < AT_S - 0.1]
    after = [delay for at_s, delay in delays.items() if at_s >= over_s + 3.0]
    assert len(before) >= 4
    assert before == [pytest.approx(USUAL_S)] * len(before)
    assert len(after) >= 6
    assert None not in after
    assert max(delay for delay in after if delay is not None) < USUAL_S + ADDED_MAX_S
    assert record.figures.caller_audio_lost_ms == pytest.approx(1000 * frozen_s, abs=100)
    assert record.end is not None
    assert record.end.reason == "hangup"


@pytest.mark.parametrize("ways", [BOTH, BACK], ids="-".join)
def test_an_utterance_that_freezes_is_heard_whole_and_the_next_one_when_it_is_said(
    ways: Sequence[Way],
) -> None:
    first, second = noise(4.0, 3), noise(1.0, 4)
    next_s = AT_S + 10.0 + 3.0

    def converse(joined: Joined) -> None:
        speak(joined, first)
        asyncio.get_running_loop().call_at(next_s, speak, joined, second)

    plan = CallerPlan(hang_up_at_s=next_s + 2.0, tail_s=60.0)
    call, _ = run_virtual(frozen_call(10.0, ways, plan, HostedAi(converse)))

    assert played(call).tobytes() == np.concatenate((first, second)).tobytes()
    delay_s = heard_after_s(call, second, next_s)
    assert delay_s is not None
    assert delay_s < ADDED_MAX_S


@pytest.mark.parametrize("frozen_s", [1.9, 2.5, 10.0])
def test_when_only_the_way_back_freezes_live_audio_is_live_again_and_no_word_is_lost(
    frozen_s: float,
) -> None:
    over_s = AT_S + frozen_s
    live_s = over_s + 1.5 * frozen_s + 1.0
    turn = CallerTurn("bursts", bursts(live_s + 4.0))
    plan = CallerPlan(turns=[turn], tail_s=1.0, hang_up_at_s=live_s + 4.0)
    call, record = run_virtual(frozen_call(frozen_s, BACK, plan))

    delays = echo_delays(call)
    after = [delay for at_s, delay in delays.items() if at_s >= live_s]
    assert None not in delays.values()
    assert len(after) >= 6
    assert max(delay for delay in after if delay is not None) < USUAL_S + ADDED_MAX_S
    figures = record.figures
    assert figures.caller_audio_lost_ms == 0
    assert figures.overruns == figures.underruns == 0
    assert figures.agent_pauses_left_out_ms == pytest.approx(1000 * frozen_s, abs=400)
    assert figures.marks_sent - figures.marks_back <= 1


def loud_s(call: PhoneCall) -> float:
    """How long the caller heard more than silence, s."""
    heard = call.ear.heard()
    frames = heard[: heard.size // 80 * 80].reshape(-1, 80)
    return np.count_nonzero(frames.max(axis=1) > 4_000) / 100


class Goodbye(ActingBrain):
    """Says words of half a second with pauses of half a second between them in one utterance, and hangs up."""

    def __init__(self, n_words: int) -> None:
        super().__init__(self._goodbye)
        self.words = [f"word{index}" for index in range(n_words)]

    async def _spoken(self) -> AsyncIterator[SpeechChunk]:
        half = self.speech_hz // 2
        word = np.resize(np.array([8_000] * 8 + [-8_000] * 8, np.int16), half)
        for text in self.words:
            yield SpeechChunk(np.concatenate((word, np.zeros(half, np.int16))), f" {text}")

    def _goodbye(self, cue: Cue) -> Sequence[Act]:
        if not isinstance(cue, Greeting):
            return ()
        return [Say(" ".join(self.words), self._spoken()), HangUp()]


async def ring(world: DirectWorld, frozen_s: float) -> tuple[PhoneCall, str]:
    """A call at a join URL whose way back freezes; and its id."""
    created = (await world.create({world.carrier.name: {}})).json()
    freeze(world.carrier, AT_S, AT_S + frozen_s, BACK)
    call = await world.ring(created["joinUrl"], CallerPlan(tail_s=90.0, hang_up_at_s=90.0))
    return call, created["callId"]


@pytest.mark.parametrize("name", ["twilio", "exotel"])
def test_an_agent_of_ours_whose_pauses_are_shortened_ends_its_utterance_and_goes_on(
    name: str,
) -> None:
    async def main() -> None:
        brain = Goodbye(16)
        async with direct_world(brain, name=name) as world:
            call, call_id = await ring(world, frozen_s=4.0)
            figures = await world.figures(call_id)
            messages = (await world.get(f"/api/calls/{call_id}/messages"))["results"]

            assert figures["agentPausesLeftOutMs"] > 1_000
            assert loud_s(call) == pytest.approx(0.5 * len(brain.words), abs=0.2)
            [said] = [each["text"] for each in messages if each["role"].endswith("_AGENT")]
            assert said.split() == brain.words
            assert (await world.ended(call_id))["endReason"] == "agent_hangup"
            assert call.duration_s < 16.0 + 4.0 + 3.0

    run_virtual(main())


async def ten_calls(frozen: bool) -> tuple[list[PhoneCall], list[PhoneCallRecord]]:
    """Ten callers who hear their own voice; the network of the first one freezes on the way back."""
    turn = CallerTurn("bursts", bursts(12.0))
    plan = CallerPlan(turns=[turn], tail_s=1.0, hang_up_at_s=12.0)
    async with phone_world(EchoBrain(8_000)) as world:
        calls = [world.ring(plan) for _ in range(10)]
        freeze(world.carrier, AT_S, AT_S + 2.0 * frozen, BACK, of=calls[0])
        await asyncio.gather(*(call.run() for call in calls))
        await world.settled()
        by_id = {record.carrier_call_id: record for record in world.records}
        return calls, [by_id[call.facts.call_id] for call in calls]


def test_nine_calls_beside_one_that_freezes_sound_as_if_it_did_not() -> None:
    calls, records = run_virtual(ten_calls(frozen=True))
    without, _ = run_virtual(ten_calls(frozen=False))

    for call, record, alone in list(zip(calls, records, without, strict=True))[1:]:
        assert call.ear.heard().tobytes() == alone.ear.heard().tobytes()
        assert record.figures.agent_pauses_left_out_ms == 0
    assert records[0].figures.agent_pauses_left_out_ms > 1_000


@pytest.mark.parametrize("cleared", [False, True])
def test_an_agent_that_goes_on_into_a_freeze_costs_what_a_lane_holds_and_the_record_says_so(
    cleared: bool,
) -> None:
    flood, last = noise(60.0, 5), noise(1.0, 6)

    def converse(joined: Joined) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(AT_S + 1.0, speak, joined, flood)
        if cleared:
            loop.call_at(AT_S + 8.0, lambda: joined.send(type="playback_clear_buffer"))
            loop.call_at(AT_S + 12.0, speak, joined, last)

    plan = CallerPlan(hang_up_at_s=60.0, tail_s=60.0)
    call, record = run_virtual(frozen_call(10.0, BACK, plan, HostedAi(converse)))

    assert record.figures.overruns > 0
    heard_s = played(call).size / 8_000
    if cleared:  # what was on its way is dropped by the carrier, and the next word is live
        assert heard_s < 8.0
        delay_s = heard_after_s(call, last, AT_S + 12.0)
        assert delay_s is not None
        assert delay_s < ADDED_MAX_S
    else:
        assert heard_s == pytest.approx(DOWNLINK_MAX_MS / 1000, abs=0.5)
        assert flood[: 8_000 * 30].tobytes() in played(call).tobytes()
    assert record.end is not None
    assert record.end.reason == "hangup"


async def proxied_call(
    folder: Path, frozen_s: float, plan: CallerPlan, ways: Sequence[Way] = BOTH
) -> PhoneCall:
    """The same over real sockets, with a proxy between the two that freezes."""
    async with house(folder) as here, FaultProxy(urlsplit(here.url).port or 0).listening() as proxy:
        network = RealNetwork()
        world = World(network=network, ids=Ids("proxied"))
        carrier = make_carrier("twilio", world, ACCOUNTS["twilio"])
        call = carrier.inbound(f"http://127.0.0.1:{proxy.port}/carriers/twilio/answer", plan)
        running = asyncio.create_task(call.run(), name="emulated call")
        await asyncio.sleep(AT_S)
        await proxy.freeze(frozen_s, ways)
        await running
        await here.over()
        await carrier.close()
        await network.close()
        return call


@pytest.mark.slow
@pytest.mark.parametrize("frozen_s", [1.5, 10.0])
async def test_kernels_that_fill_up_in_a_freeze_lose_nothing_and_add_no_delay_for_good(
    tmp_path: Path, frozen_s: float
) -> None:
    over_s = AT_S + frozen_s
    said = bursts(over_s + 7.0)
    turn = CallerTurn("bursts", said)
    plan = CallerPlan(turns=[turn], tail_s=1.0, hang_up_at_s=over_s + 7.0)
    call = await proxied_call(tmp_path, frozen_s, plan)

    if frozen_s < 2.0:
        heard = decode_ulaw(encode_ulaw(said))[: round(8_000 * over_s)]
        assert heard.tobytes() in played(call).tobytes()
        return
    delays = await asyncio.get_running_loop().run_in_executor(None, echo_delays, call)
    after = [delay for at_s, delay in delays.items() if at_s >= over_s + 3.0]
    assert len(after) >= 6
    assert None not in after
    assert max(delay for delay in after if delay is not None) < USUAL_S + ADDED_MAX_S


@pytest.mark.slow
async def test_kernels_that_fill_up_on_the_way_back_alone_leave_the_call_live_again(
    tmp_path: Path,
) -> None:
    frozen_s = 6.0
    live_s = AT_S + frozen_s + 1.5 * frozen_s + 2.0
    turn = CallerTurn("bursts", bursts(live_s + 5.0))
    plan = CallerPlan(turns=[turn], tail_s=1.0, hang_up_at_s=live_s + 5.0)
    call = await proxied_call(tmp_path, frozen_s, plan, BACK)

    delays = await asyncio.get_running_loop().run_in_executor(None, echo_delays, call)
    after = [delay for at_s, delay in delays.items() if at_s >= live_s]
    assert len(after) >= 6
    assert None not in delays.values()
    assert max(delay for delay in after if delay is not None) < USUAL_S + ADDED_MAX_S
