"""The AI side fails, at the embedded call server or at one elsewhere: no caller is left in dead air.

The caller hears the recording, from within 5 s of the failure and to its end, and is then sent elsewhere or hung up.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import numpy as np
import pytest

from bridge.brains.base import Act, Cue, Greeting, Say
from bridge.calls.errors import CallOver
from bridge.gateway.phone.recordings import RATE_HZ, SHIPPED, load_recordings
from bridge.phone_config import FallbackConfig
from bridge.testing.caller import CallerPlan
from bridge.testing.network import Site
from bridge.testing.phone_call import PhoneCall
from bridge.testing.shaped_socket import abort
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler
from tests.calls.test_carriers import ONE_OF_EACH, Setup, tables_of
from tests.fakes.call_world import ActingBrain
from tests.fakes.hosted_ai import AI_BASE, HostedAi, Joined
from tests.fakes.phone_world import PhoneWorld, phone_world
from tests.fakes.rogue import Rogue

DEAD_AIR_S = 5.0
PATIENT = CallerPlan(tail_s=60.0)
TWILIO = next(setup for setup in ONE_OF_EACH if setup.carrier == "twilio")
TRANSFER_TO = "+15550100099"
ELSEWHERE = {"base_url": AI_BASE, "api_key": "CANARY-ai-key"}
Break = Callable[[PhoneWorld, pytest.MonkeyPatch], None]


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def later(seconds: float, work: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(seconds, work)


async def hang(*_args: object, **_kwargs: object) -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


@dataclass
class Failure:
    """One way to fail."""

    at_s: float
    """Since the caller was put through."""
    says: str
    """What the record says of it."""
    ai: Callable[[], HostedAi] | None = None
    """None: the embedded server."""
    breaks: Break = lambda _world, _patch: None
    brain: Callable[[], ActingBrain] = lambda: ActingBrain(lambda _cue: ())
    speaks_s: float = 0.0
    """How long the agent was heard before."""
    tables: dict[str, Any] = field(default_factory=dict)


# Elsewhere


def lose(seconds: float, speech_s: float = 20.0) -> Callable[[Joined], None]:
    """The connection breaks in mid-speech."""

    def joined(ai: Joined) -> None:
        ai.speak(speech_s)
        later(seconds, lambda: abort(ai.socket))

    return joined


def garbage(text: str) -> Callable[[Joined], None]:
    def joined(ai: Joined) -> None:
        async def send() -> None:
            for _ in range(100):
                ai.socket.send_text(text)
                await asyncio.sleep(0.01)

        tasks.add(asyncio.ensure_future(send()))

    tasks: set[asyncio.Future[None]] = set()
    return joined


def too_long(ai: Joined) -> None:
    ai.socket.send_bytes(bytes(2 * 1024 * 1024))


def close(code: int, seconds: float = 2.0) -> Callable[[Joined], None]:
    def joined(ai: Joined) -> None:
        ai.speak(20.0)
        later(seconds, lambda: ai.socket.close(code, "whatever"))

    return joined


def nothing(_ai: Joined) -> None:
    """Say nothing more."""


def no_call(**fields: object) -> bytes:
    return json.dumps({"callId": "ai-1", **fields}).encode()


FAILURES: dict[str, Failure] = {
    "creating is refused": Failure(
        0, "answered POST /api/calls with 402: No.", lambda: HostedAi(status=402)
    ),
    "creating fails": Failure(0, "answered POST /api/calls with 500", lambda: HostedAi(status=500)),
    "creating hangs": Failure(4, "not there within 4 s", lambda: HostedAi(create_s=600)),
    "the answer is garbage": Failure(
        0, "no valid JSON", lambda: HostedAi(answer=b"<html>\xff\x00{{{")
    ),
    "the answer is no call": Failure(
        0, "no callId or no joinUrl", lambda: HostedAi(answer=b'{"callId": 7}')
    ),
    "the join URL leads nowhere": Failure(
        0,
        "could not be joined",
        lambda: HostedAi(answer=no_call(joinUrl="wss://nobody.example/join/x")),
    ),
    "the join URL is no address": Failure(
        0,
        "failed inside while it was opened",
        lambda: HostedAi(answer=no_call(joinUrl="wss://[::1/ \n")),
    ),
    "joining is refused": Failure(0, "could not be joined", lambda: HostedAi(refuse_join=403)),
    "joining hangs": Failure(4, "not there within 4 s", lambda: HostedAi(join_s=600)),
    "creating and joining take too long together": Failure(
        4, "not there within 4 s", lambda: HostedAi(create_s=2.5, join_s=2.5)
    ),
    "joined and never a word": Failure(
        4, "it was joined and said nothing", lambda: HostedAi(nothing, greets=False)
    ),
    "joined late and never a word": Failure(
        4.8, "it was joined and said nothing", lambda: HostedAi(nothing, create_s=3.8, greets=False)
    ),
    "lost at once": Failure(0, "without a closing handshake", lambda: HostedAi(lose(0))),
    "lost in mid-call": Failure(
        3, "without a closing handshake", lambda: HostedAi(lose(3)), speaks_s=3
    ),
    "lost in silence": Failure(
        6, "without a closing handshake", lambda: HostedAi(lose(6, 1.0)), speaks_s=1
    ),
    "says garbage": Failure(
        1, "100 bad data messages in 10 s", lambda: HostedAi(garbage('{"type": [[{'))
    ),
    "says what nobody knows how to read": Failure(
        1, "100 bad data messages", lambda: HostedAi(garbage("\u202e" * 10))
    ),
    "its server goes away": Failure(2, "is going away", lambda: HostedAi(close(1001))),
    "its server fails": Failure(2, "failed inside", lambda: HostedAi(close(1011))),
    "says too much at once": Failure(0, "overloaded", lambda: HostedAi(too_long)),
}


# In this process


def fail_to_claim(_world: PhoneWorld, patch: pytest.MonkeyPatch) -> None:
    async def claim(*_args: object, **_kwargs: object) -> None:
        raise CallOver("The call of this join URL has ended.")

    patch.setattr(_world.server.service, "claim", claim)


def lose_in_process(world: PhoneWorld, patch: pytest.MonkeyPatch) -> None:
    start = world.server.service.start

    def started(call_id: str, socket: Any, *args: Any) -> None:
        later(3.0, lambda: abort(socket))
        start(call_id, socket, *args)

    patch.setattr(world.server.service, "start", started)


def closed_by_the_server(world: PhoneWorld, patch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        tasks.add(asyncio.ensure_future(world.server.service.close()))

    tasks: set[asyncio.Future[None]] = set()
    later(3.0, stop)


def broken_brain(cue: Cue) -> list[Act]:
    raise RuntimeError(f"a bug at {cue}")


def talker() -> ActingBrain:
    words = "All that I have to say is this, and it is much, and takes its time to be said. "
    return ActingBrain(lambda cue: [Say(words)] if isinstance(cue, Greeting) else [])


EMBEDDED: dict[str, Failure] = {
    "creating is refused here": Failure(
        0, "answered POST", tables={"routes": [{"call": {"model": "nobody"}}]}
    ),
    "creating hangs here": Failure(
        4,
        "not there within 4 s",
        breaks=lambda world, patch: patch.setattr(world.server.service, "create", hang),
    ),
    "joining is refused here": Failure(0, "could not be joined", breaks=fail_to_claim),
    "joining hangs here": Failure(
        4,
        "not there within 4 s",
        breaks=lambda world, patch: patch.setattr(world.server.service, "claim", hang),
    ),
    "never a word here": Failure(
        4,
        "it was joined and said nothing",
        breaks=lambda world, patch: patch.setattr(
            world.server.service, "start", lambda *_args: None
        ),
    ),
    "lost in mid-call here": Failure(
        3, "without a closing handshake", breaks=lose_in_process, brain=talker, speaks_s=3
    ),
    "the server stops": Failure(
        3, "the server stops", breaks=closed_by_the_server, brain=talker, speaks_s=3
    ),
    "the brain breaks": Failure(0, "", brain=lambda: ActingBrain(broken_brain)),
}
ALL = FAILURES | EMBEDDED


@cache
def recording(rate_hz: int) -> Int16:
    """What the caller is to hear."""
    loaded = run_virtual(load_recordings([FallbackConfig()]))[SHIPPED]
    resampler = Resampler(RATE_HZ, rate_hz)
    return np.concatenate((resampler.push(loaded.samples), resampler.flush()))


def begins_at(heard: Int16, wanted: Int16) -> int:
    """Where in what was heard the recording begins; mu-law and a filter have been on the way."""
    size = 1 << int(np.ceil(np.log2(heard.size + wanted.size)))
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: heard.size]))


async def failed_call(
    failure: Failure,
    patch: pytest.MonkeyPatch,
    plan: CallerPlan = PATIENT,
    setup: Setup = TWILIO,
    **tables: Any,
) -> tuple[PhoneCall, PhoneWorld]:
    tables = {**tables_of(setup), **failure.tables, **tables}
    sites: dict[str, Site] = {}
    if failure.ai is not None:
        sites, tables["ai"] = {AI_BASE: failure.ai().site}, ELSEWHERE
    async with phone_world(
        failure.brain(),
        name=setup.name,
        line_hz=setup.line_hz,
        options=setup.options,
        sites=sites,
        **tables,
    ) as world:
        failure.breaks(world, patch)
        call = world.ring(plan)
        await call.run()
        await world.settled()
        assert world.desk.n_live == 0
        return call, world


def check_no_dead_air(call: PhoneCall, failure: Failure) -> float:
    """The recording is heard in time and whole; returns when its last sample was heard."""
    rate_hz = call.ear.rate_hz
    wanted, heard = recording(rate_hz), call.ear.heard()
    at = begins_at(heard, wanted)
    assert failure.at_s - 0.05 <= at / rate_hz <= failure.at_s + DEAD_AIR_S
    part = heard[at : at + wanted.size].astype(float)
    assert np.corrcoef(part, wanted[: part.size])[0, 1] > 0.99
    assert part.size == wanted.size
    assert [each.details["unplayed_ms"] for each in call.log.of("stream closed")] == [0]
    return (at + wanted.size) / rate_hz


@pytest.mark.parametrize("name", ALL)
def test_a_caller_whose_ai_fails_hears_the_whole_recording_in_time_and_is_hung_up(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = ALL[name]
    call, world = run_virtual(failed_call(failure, monkeypatch))

    over_s = check_no_dead_air(call, failure)
    assert over_s <= call.duration_s <= over_s + 1.0
    assert call.end is not None
    assert call.end.by == "application"
    record = world.record
    assert record.end is not None
    assert (record.end.reason, record.fallback) == ("ai_failed", "hung up")
    assert failure.says in record.end.detail
    assert sum(line.startswith("! ") for line in world.lines) >= 1


@pytest.mark.parametrize("name", ["creating fails", "joining hangs", "lost in mid-call here"])
def test_a_caller_whose_ai_fails_hears_the_whole_recording_and_is_sent_elsewhere(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = ALL[name]
    phone = {"fallback": {"transfer_to": TRANSFER_TO}}
    plan = CallerPlan(hang_up_at_s=15.0)
    call, world = run_virtual(failed_call(failure, monkeypatch, plan, phone=phone))

    over_s = check_no_dead_air(call, failure)
    connected = call.log.first("connected")
    assert connected is not None
    assert connected.details["to"] == TRANSFER_TO
    assert over_s <= connected.at_s - call.ear.started_s <= over_s + 1.0
    assert world.record.fallback == "transferred"


@pytest.mark.parametrize("setup", ONE_OF_EACH, ids=lambda setup: setup.carrier)
def test_at_every_carrier_a_caller_whose_ai_is_lost_hears_the_whole_recording(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = FAILURES["lost in mid-call"]
    call, world = run_virtual(failed_call(failure, monkeypatch, setup=setup))

    over_s = check_no_dead_air(call, failure)
    assert over_s <= call.duration_s <= over_s + 1.0
    assert world.record.fallback == "hung up"


def test_an_agent_that_waits_for_the_caller_is_no_lost_one() -> None:
    async def test() -> None:
        ai = HostedAi(nothing)
        async with phone_world(sites={AI_BASE: ai.site}, ai=ELSEWHERE) as world:
            await world.call(CallerPlan(hang_up_at_s=8.0))

            assert world.record.end is not None
            assert world.record.end.reason == "hangup"

    play(test())


def test_a_recording_that_a_deaf_carrier_does_not_take_holds_the_call_up_for_seconds_only() -> None:
    async def test() -> None:
        ai = HostedAi(status=500)
        async with phone_world(sites={AI_BASE: ai.site}, ai=ELSEWHERE) as world:
            rogue = Rogue(world)
            await rogue.connect_deaf(await rogue.answered())
            rogue.start()
            await rogue.talk(12.0)
            await world.settled()

            assert world.record.stages["ended"] <= 10.1
            assert world.record.end is not None
            assert world.record.end.reason == "ai_failed"

    play(test())
