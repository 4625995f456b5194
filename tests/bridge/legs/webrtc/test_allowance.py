"""How much sound of a peer is taken."""

import asyncio

from bridge.legs.webrtc.allowance import PACKETS_AT_ONCE, PACKETS_PER_S, Allowance
from bridge.virtual import run_virtual
from tests.fakes.rtc_pair import connect, sides, until


def test_a_peer_has_so_many_packets_at_once_and_so_many_a_second() -> None:
    async def run() -> list[int]:
        allowance = Allowance()
        counts = []
        for wait_s in (0.0, 0.0, 0.5, 100.0):
            await asyncio.sleep(wait_s)
            counts.append(sum(allowance.takes() for _ in range(3_000)))
        return counts

    half = PACKETS_PER_S // 2
    assert run_virtual(run()) == [PACKETS_AT_ONCE, 0, half, PACKETS_AT_ONCE]


def test_sound_in_the_shortest_frames_is_all_taken() -> None:
    async def run() -> bool:
        allowance = Allowance()
        for _ in range(60 * 400):
            await asyncio.sleep(1 / 400)
            if not allowance.takes():
                return False
        return True

    assert run_virtual(run())


async def test_a_flood_of_the_peers_own_is_dropped_and_its_sound_is_heard_afterwards() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        ear, out = answerer.peer.ear, caller.peer._section._out
        assert ear is not None
        assert out is not None
        await until(lambda: ear.figures.received > 3)
        for n in range(3_000):
            out.send(b"\x48" * 40, 960 * n)
            if n % 50 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0.3)
        assert ear.figures.received < PACKETS_AT_ONCE + PACKETS_PER_S * 2
        n_heard = len(answerer.heard)
        await until(lambda: len(answerer.heard) > n_heard + 3)
