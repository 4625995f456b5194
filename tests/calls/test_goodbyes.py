"""A goodbye is heard to its end before the phone is hung up, whatever the carrier's marks say or leave unsaid.

A carrier's word that audio has played can be missing, wrong or a lie: then the play-out clock decides, and no call
waits longer for it than a bound.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bridge.brains.base import Greeting, HangUp
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.legs.carrier.draining import GRACE_S
from bridge.testing.call_parts import Opened, Refused
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import Carrier
from bridge.testing.commands import Answer, Command, Dialect, Mark
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from tests.calls.test_carriers import ONE_OF_EACH, Setup, tables_of
from tests.fakes.call_world import ActingBrain
from tests.fakes.phone_world import phone_world

GOODBYE = "Goodbye then, and thank you for your patience today."
GOODBYE_S = 0.06 * len(GOODBYE.replace(" ", ""))
HANGS_UP_S = 0.35
"""From the last sample heard to the end of the call, where nothing has to be waited for."""
Break = Callable[[Any], None]
"""Makes a dialect misbehave."""


def nothing(_dialect: Any) -> None:
    """As documented."""


def silent(dialect: Any) -> None:
    """No word of what was played ever comes."""
    progress = dialect.progress
    dialect.reached = lambda _mark: ()
    dialect.progress = lambda playout: progress(playout) and ()


def at_once(dialect: Any) -> None:
    """Each mark comes back when it is sent."""
    read = dialect.read

    def lie(message: str | bytes) -> Sequence[Command]:
        told: list[Command] = []
        for command in read(message):
            marks = dialect.reached(command.name) if isinstance(command, Mark) else ()
            told += [Answer(each) for each in marks] or [command]
        return told

    dialect.read = lie


def twice(dialect: Any) -> None:
    reached = dialect.reached
    dialect.reached = lambda mark: [*reached(mark), *reached(mark)]


def under_another_name(dialect: Any) -> None:
    reached = dialect.reached
    dialect.reached = lambda mark: reached(f"{mark} \u202e")


def every_other(dialect: Any) -> None:
    reached = dialect.reached
    dialect.reached = lambda mark: reached(mark) if int(mark[1:]) % 2 else ()


def break_dialects(carrier: Carrier, how: Break) -> None:
    """All media sockets of this carrier misbehave."""
    opens = carrier.open

    async def broken(*args: Any) -> Opened | Refused:
        opened = await opens(*args)
        if isinstance(opened, Opened):
            dialect: Dialect = opened.dialect
            how(dialect)
        return opened

    carrier.open = broken  # type: ignore[method-assign, assignment]


async def goodbye(
    setup: Setup, how: Break, profile: str = "clean"
) -> tuple[PhoneCall, PhoneCallRecord]:
    brain = ActingBrain(lambda cue: [HangUp(GOODBYE)] if isinstance(cue, Greeting) else [])
    async with phone_world(
        brain,
        name=setup.name,
        line_hz=setup.line_hz,
        options=setup.options,
        profile=profile,
        **tables_of(setup),
    ) as world:
        break_dialects(world.carrier, how)
        call = await world.call(CallerPlan(tail_s=60.0))
        return call, world.record


def hung_up_after_s(call: PhoneCall, setup: Setup) -> float:
    """How long after its last sample a goodbye that was heard whole was hung up."""
    rate_hz = call.ear.rate_hz
    heard_s = sum(each.end - each.start for each in call.ear.stretches) / rate_hz
    assert 0 <= heard_s - GOODBYE_S < setup.frame_ms / 1000 + 0.003
    return call.duration_s - call.ear.stretches[-1].end / rate_hz


@pytest.mark.parametrize("how", [nothing, silent], ids=lambda how: how.__name__)
@pytest.mark.parametrize("setup", ONE_OF_EACH, ids=lambda setup: setup.carrier)
def test_a_goodbye_is_heard_whole_at_every_carrier_and_hung_up_though_no_mark_ever_comes(
    setup: Setup, how: Break
) -> None:
    call, record = run_virtual(goodbye(setup, how))

    waited_s = hung_up_after_s(call, setup)
    assert waited_s <= HANGS_UP_S + (GRACE_S if how is silent else 0.0)
    assert record.end is not None
    assert record.end.reason == "agent_hangup"
    if how is silent:
        assert record.figures.marks_back == 0
    else:
        assert record.figures.marks_back == record.figures.marks_sent


TWILIO = next(setup for setup in ONE_OF_EACH if setup.carrier == "twilio")
LIES = [at_once, twice, under_another_name, every_other]


@pytest.mark.parametrize("how", LIES, ids=lambda how: how.__name__)
def test_marks_that_lie_cut_no_goodbye_short_and_hold_none_up(how: Break) -> None:
    call, record = run_virtual(goodbye(TWILIO, how))

    assert hung_up_after_s(call, TWILIO) <= HANGS_UP_S + GRACE_S
    assert record.end is not None
    assert record.end.reason == "agent_hangup"


@pytest.mark.parametrize("how", [nothing, silent, at_once], ids=lambda how: how.__name__)
@pytest.mark.parametrize("profile", ["mobile-edge", "hotel-wifi", "carrier-burst"])
def test_on_a_bad_network_a_goodbye_is_heard_whole_or_the_marks_are_to_blame(
    how: Break, profile: str
) -> None:
    call, record = run_virtual(goodbye(TWILIO, how, profile))

    rate_hz = call.ear.rate_hz
    heard_s = sum(each.end - each.start for each in call.ear.stretches) / rate_hz
    assert heard_s >= GOODBYE_S - (0.3 if how is at_once else 0.0)
    assert call.duration_s <= call.ear.stretches[-1].end / rate_hz + HANGS_UP_S + GRACE_S
    assert record.end is not None
    assert record.end.reason == "agent_hangup"
