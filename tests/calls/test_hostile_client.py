"""A hostile client harms its own call only: a healthy call beside it is the same to the instant (promise S1)."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

import pytest

from bridge.brains.base import Act, Brain, CallTool, Cue, Greeting, Say, ToolsReturned
from bridge.calls.call import Parts
from bridge.calls.records import CallRecord
from bridge.calls.service import CallService
from bridge.calls.settings import CallSettings, ToolSpec
from bridge.calls.store import MemoryStore
from bridge.clock import VirtualClock
from bridge.ids import Ids
from bridge.virtual import run_virtual
from tests.fakes.call_world import MEDIUM, ActingBrain, CallWorld, Client, OneBrain
from tests.fakes.data_message_samples import CLIENT_SAMPLES
from tests.fakes.mutator import Mutator

SETTINGS: Final = CallSettings(medium=MEDIUM, tools=(ToolSpec("lookup"),))
Join = Callable[[], Awaitable[Client]]
Attack = Callable[[Join, random.Random], Coroutine[Any, Any, None]]
BLAMELESS: Final = {"hangup", "connection_error", "agent_hangup"}
"""Ends that are no failure of the server."""
N_MESSAGES: Final = 1_500


async def messages(join: Join, chance: random.Random) -> None:
    """Malformed messages, 5,000 of them; whenever a call is ended for it, in the next call."""
    mutator = Mutator(chance.randrange(2**32))
    client = await join()
    for _ in range(5_000):
        if client.closed is not None:
            client = await join()
        message, _ = chance.choice(CLIENT_SAMPLES)
        text = mutator.mutate(message).encode(errors="replace").decode()  # as a text frame can be
        client.socket.send_text(text)
        await asyncio.sleep(0.0015)


async def frames(join: Join, chance: random.Random) -> None:
    client = await join()
    for _ in range(N_MESSAGES):
        client.socket.send_bytes(chance.randbytes(chance.choice((0, 1, 2, 319, 320, 321, 5_001))))
        await asyncio.sleep(0.01)


async def garbage(join: Join, chance: random.Random) -> None:
    client = await join()
    for _ in range(N_MESSAGES):
        if chance.random() < 0.5:
            client.socket.send_text(chance.randbytes(40).decode("latin-1"))
        else:
            client.socket.send_bytes(chance.randbytes(41))
        await asyncio.sleep(0.005)


async def floods(join: Join, chance: random.Random) -> None:
    client = await join()
    for _ in range(N_MESSAGES):
        client.socket.send_text('{"type": "user_text_message", "text": "x", "urgency": "later"}')


async def loud_noise(join: Join, chance: random.Random) -> None:
    client = await join()
    for _ in range(500):
        client.socket.send_bytes(chance.randbytes(6_400))
        await asyncio.sleep(0.02)


async def huge(join: Join, chance: random.Random) -> None:
    client = await join()
    # By hand: an encoder takes long over so much.
    client.socket.send_text('{"type": "user_text_message", "text": "' + "x" * 10_000_000 + '"}')


async def interrupts_for_ever(join: Join, chance: random.Random) -> None:
    client = await join()
    for number in range(N_MESSAGES // 10):
        client.send(type="user_text_message", text=str(number), urgency="immediate")
        client.send(type="forced_agent_message", content="again", urgency="immediate")
        await asyncio.sleep(0.11)


ATTACKS: Final[dict[str, Attack]] = {
    attack.__name__: attack
    for attack in (messages, frames, garbage, floods, loud_noise, huge, interrupts_for_ever)
}


def healthy() -> Brain:
    def reply(cue: Cue) -> Sequence[Act]:
        match cue:
            case Greeting():
                return [Say("Hello there, what can I do?")]
            case ToolsReturned():
                return [Say("I have found it for you.")]
            case _:
                return [Say("Let me see."), CallTool("lookup", {"q": 1})]

    return ActingBrain(reply)


class BrainPerCall(OneBrain):
    def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
        return healthy()


async def talk(client: Client) -> None:
    """A caller who greets, interrupts, asks for a tool, and hangs up."""
    await client.quiet(1.0)
    await client.speak(0.8)
    await client.quiet(1.5)
    for message in client.of("client_tool_invocation"):
        client.send(type="client_tool_result", invocationId=message["invocationId"], result="1")
    await client.quiet(3.0)
    client.send(type="hang_up", message="Goodbye.")
    await client.quiet(2.0)


def healthy_call(attack: Attack | None, seed: int) -> tuple[object, ...]:
    """The healthy call's messages and audio with their instants, with or without an attacker beside it."""
    complaints: list[object] = []

    async def calls() -> tuple[object, ...]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        before = asyncio.all_tasks()
        store = MemoryStore()
        service = CallService(Parts(store, Ids("x"), VirtualClock(loop), None), BrainPerCall())
        world = CallWorld(service, store)
        attackers: list[tuple[CallRecord, Client]] = []

        async def join() -> Client:
            attackers.append(await world.join(SETTINGS))
            return attackers[-1][1]

        record, client = await world.join(SETTINGS)
        tasks = [asyncio.create_task(talk(client))]
        if attack is not None:
            tasks.append(asyncio.create_task(attack(join, random.Random(seed))))
        await asyncio.gather(*tasks)
        await asyncio.sleep(1)
        assert record.end_reason == "agent_hangup"
        for attacked, attacker in attackers:
            attacker.socket.close()
            assert (await world.ended(attacked)).end_reason in BLAMELESS
        assert service._open == {}
        assert asyncio.all_tasks() == before
        await service.close()
        told = [(at, without_ids(message)) for at, message in client.messages]
        return told, client.audio, client.order, client.closed

    result = run_virtual(calls())
    assert complaints == []
    return result


def without_ids(message: dict[str, object]) -> dict[str, object]:
    """Ids come in the order of asking, which the attacker may share."""
    return {key: value for key, value in message.items() if not key.endswith("Id")}


ALONE: Final = healthy_call(None, 0)


def test_the_healthy_call_has_an_interruption_a_tool_and_a_goodbye() -> None:
    told = [message["type"] for _, message in ALONE[0]]  # type: ignore[attr-defined]

    assert {"playback_clear_buffer", "client_tool_invocation", "transcript"} <= set(told)
    assert ALONE[3] == (1000, "")


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_healthy_call_is_the_same_to_the_instant_beside_an_attacker(name: str, seed: int) -> None:
    assert healthy_call(ATTACKS[name], seed) == ALONE
