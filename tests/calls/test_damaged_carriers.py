"""Carriers whose messages are damaged, through the whole gateway: each call ends in one of the known ways (promise S2).

What is signed can still be odd: webhooks with anything in their fields are answered, refused, and never break.
"""

import asyncio
import json
import random
from typing import Any
from urllib.parse import quote_plus

import pytest

from bridge.batch.caller import CallerTurn
from bridge.brains.echo import EchoBrain
from bridge.testing.caller import CallerPlan
from bridge.testing.signing import twilio as signing
from bridge.virtual import run_virtual
from tests.fakes.bot import tone
from tests.fakes.mutator import Mutator
from tests.fakes.phone_world import BASE, TWILIO, PhoneWorld, phone_world
from tests.fakes.rogue import CALLED, CALLER, Rogue

FRAMES = 60
FRAME_S = 0.04
KNOWN_ENDS = {"hangup", "connection_error", "no_start", "refused", "no_socket", "agent_hangup"}
BROKEN_WORDS = ("failed inside", " raised", "failed:", "Traceback", "Error")
ODD_TEXTS = (
    "",
    " ",
    "\0",
    "\r\nX-Injected: 1",
    "\u202e\u2066right to left",
    "\ud7ff\uffff",
    "x" * 300,
    "é" * 5_000,
    "../../etc/passwd",
    "'\"><script>&amp;",
    "%s%n{0}{{from}}",
    "NaN",
    "-1",
    "+15550100" + "9" * 200,
)


def messages_of(rogue: Rogue) -> list[dict[str, Any]]:
    """One of each that Twilio sends."""
    sent: list[dict[str, Any]] = []

    class Notes(Rogue):
        def send(self, **message: object) -> None:
            sent.append(message)

    notes = Notes(rogue.world, rogue.call_sid, rogue.stream_sid)
    notes.start()
    notes.media()
    notes.key("5")
    notes.mark("m0")
    stop = {"accountSid": TWILIO.account_id, "callSid": rogue.call_sid}
    sent.append({"event": "stop", "streamSid": rogue.stream_sid, "stop": stop})
    return sent


async def damaged_call(world: PhoneWorld, seed: int) -> None:
    """A call most of whose messages are damaged; the start now and then too."""
    rogue = Rogue(world, call_sid=f"CA{seed:032x}")
    mutator, chance = Mutator(seed), random.Random(seed)
    await rogue.open()
    messages = messages_of(rogue)
    if seed % 3:
        rogue.start()
    for _ in range(FRAMES):
        if rogue.closed is not None:
            return
        message = chance.choice([*messages, messages[2], messages[2]])
        if chance.random() < 0.3:
            rogue.socket.send_text(json.dumps(message))
        else:
            damaged = mutator.mutate(message).encode(
                errors="replace"
            )  # no socket sends half a pair
            rogue.socket.send_text(damaged.decode())
        await asyncio.sleep(FRAME_S)
    rogue.socket.close()


def check_unbroken(world: PhoneWorld) -> None:
    """Nothing went wrong inside, and nothing is left."""
    lines = [line for line in world.lines if any(word in line for word in BROKEN_WORDS)]
    assert [line for line in lines if "= phone call ended" not in line] == []
    assert world.desk.n_live == 0
    assert not world.desk._tasks
    assert not world.desk._timers
    assert world.server.service.n_live == 0


async def damaged_calls(seeds: range) -> None:
    phone = {"start_s": 1.0, "token_s": 5.0}
    async with phone_world(EchoBrain(8_000), phone=phone) as world:
        seconds = 3.0 + 0.1 * len(seeds)
        turn = CallerTurn("tone", tone(seconds))
        clean = world.ring(CallerPlan(turns=[turn], tail_s=0.0, hang_up_at_s=seconds))
        running = asyncio.create_task(clean.run())

        async def one(seed: int) -> None:
            await asyncio.sleep(0.1 * (seed - seeds.start))
            await damaged_call(world, seed)

        await asyncio.gather(*(one(seed) for seed in seeds))
        await running
        await world.settled(30.0)
        check_unbroken(world)
        assert not clean.ear.holes()
        reasons = [record.end and record.end.reason for record in world.records]
        assert len(reasons) == len(seeds) + 1
        assert set(reasons) <= KNOWN_ENDS


def test_damaged_messages_end_calls_in_known_ways_and_no_other_call() -> None:
    run_virtual(damaged_calls(range(30)))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1_000, 3_000, 200))
def test_hundreds_of_damaged_calls_do_as_well(start: int) -> None:
    run_virtual(damaged_calls(range(start, start + 200)))


# Webhooks


def odd_fields(chance: random.Random) -> list[tuple[str, str]]:
    """What Twilio says of a call, with something wrong."""
    fields = {
        "AccountSid": TWILIO.account_id,
        "CallSid": f"CA{chance.randrange(4):032x}",
        "CallStatus": chance.choice(["ringing", "in-progress", "completed", "busy", "?"]),
        "Direction": chance.choice(["inbound", "outbound-api", ""]),
        "From": CALLER,
        "To": CALLED,
    }
    more = ("StreamEvent", "StreamError", "CallbackSource", "SipDomain", "\u202eTo")
    for _ in range(chance.randint(1, 3)):
        match chance.randrange(3):
            case 0:
                fields.pop(chance.choice(list(fields)), None)
            case 1:
                fields[chance.choice([*fields, *more])] = chance.choice(ODD_TEXTS)
            case 2:
                fields[chance.choice(more)] = chance.choice(["stream-error", "", "x" * 999])
    return list(fields.items())


async def odd_webhooks(n: int, seed: int) -> set[int]:
    """Send so many; the statuses of the answers."""
    chance, statuses = random.Random(seed), set[int]()
    async with phone_world(EchoBrain(8_000), phone={"token_s": 1.0}) as world:
        http = world.http()
        for _ in range(n):
            path = f"/carriers/twilio/{chance.choice(['answer', 'status'])}"
            fields = odd_fields(chance)
            body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields)
            signature = signing.sign(TWILIO.token, BASE + path, dict(fields))
            if chance.random() < 0.1:
                body = body.replace("%", chance.choice(["%zz", "%", "\0"]), 1)
            answer = await http.post(
                path,
                content=body.encode(),
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    signing.HEADER: signature,
                },
            )
            assert "x-injected" not in answer.headers
            statuses.add(answer.status_code)
            await asyncio.sleep(0.01)
        await world.settled(30.0)
        check_unbroken(world)
        assert all("\n" not in line for line in world.lines)
    return statuses


def test_signed_webhooks_with_anything_in_them_are_answered_or_refused() -> None:
    assert run_virtual(odd_webhooks(300, seed=1)) == {200, 400, 403}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_thousands_of_odd_webhooks_are_too(seed: int) -> None:
    assert run_virtual(odd_webhooks(2_000, seed)) <= {200, 400, 403, 413}
