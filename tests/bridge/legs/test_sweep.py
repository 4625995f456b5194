"""One timer for many: everybody is looked at, nobody after the end, and no timer stays behind."""

import asyncio

from bridge.legs.sweep import SWEEP_S, Sweep, sweep_of
from bridge.virtual import run_virtual


class Watched:
    """Wants so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks
        self.seen_s: list[float] = []

    def look(self, now_s: float) -> bool:
        self.seen_s.append(now_s)
        self.left -= 1
        return self.left > 0


def test_everybody_is_looked_at_until_they_want_no_more() -> None:
    async def call() -> list[int]:
        sweep, all_watched = Sweep(), [Watched(looks) for looks in (1, 3, 2)]
        for watched in all_watched:
            sweep.add(watched)
        await asyncio.sleep(1)
        return [len(watched.seen_s) for watched in all_watched]

    assert run_virtual(call()) == [1, 3, 2]


def test_looks_come_at_the_tempo_of_the_sweep() -> None:
    async def call() -> None:
        sweep, watched = Sweep(), Watched(3)
        began_s = asyncio.get_running_loop().time()
        sweep.add(watched)
        await asyncio.sleep(1)

        assert [round((at - began_s) / SWEEP_S, 3) for at in watched.seen_s] == [1, 2, 3]

    run_virtual(call())


def test_who_is_removed_is_not_looked_at_again() -> None:
    async def call() -> None:
        sweep, gone, stays = Sweep(), Watched(9), Watched(2)
        sweep.add(gone)
        sweep.add(stays)
        sweep.remove(gone)
        sweep.remove(gone)
        await asyncio.sleep(1)

        assert (gone.seen_s, len(stays.seen_s)) == ([], 2)

    run_virtual(call())


def test_who_comes_after_all_have_gone_is_looked_at() -> None:
    async def call() -> None:
        sweep, first, second = Sweep(), Watched(1), Watched(1)
        sweep.add(first)
        await asyncio.sleep(1)
        sweep.add(second)
        sweep.add(second)
        await asyncio.sleep(1)

        assert len(second.seen_s) == 1

    run_virtual(call())


async def test_a_loop_has_one_sweep() -> None:
    loop = asyncio.get_running_loop()

    assert sweep_of(loop) is sweep_of(loop)
