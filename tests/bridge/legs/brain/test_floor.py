import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bridge.legs.brain.floor import MAX_QUEUED, Floor, Work
from bridge.virtual import run_virtual


@dataclass
class Bench:
    """A floor, its worker, and what happened on it."""

    floor: Floor
    worker: "asyncio.Task[None]"
    done: list[str] = field(default_factory=list)

    def work(self, name: str, takes_s: float = 1.0) -> Work:
        async def work() -> None:
            self.done.append(f"{name} begins")
            try:
                await asyncio.sleep(takes_s)
                self.done.append(f"{name} is over")
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                self.done.append(f"{name} has cleaned up")
                raise

        return work


@asynccontextmanager
async def working() -> AsyncIterator[Bench]:
    done: list[str] = []
    floor = Floor("c", lambda: done.append("free"))
    bench = Bench(floor, asyncio.create_task(floor.run()), done)
    try:
        yield bench
    finally:
        bench.worker.cancel()
        await asyncio.wait((bench.worker,))


def test_pieces_run_one_after_the_other_and_the_last_leaves_the_floor_free() -> None:
    async def call() -> None:
        async with working() as bench:
            bench.floor.put(bench.work("b"))
            bench.floor.put(bench.work("a"), first=True)
            await asyncio.sleep(0.5)
            assert (bench.floor.taken, bench.floor.free) == (True, False)
            await asyncio.sleep(2)

            assert bench.done == ["a begins", "a is over", "b begins", "b is over", "free"]
            assert (bench.floor.taken, bench.floor.free) == (False, True)

    run_virtual(call())


def test_a_stopped_piece_is_off_at_once_and_cleans_up_before_the_next_begins() -> None:
    async def call() -> None:
        async with working() as bench:
            bench.floor.put(bench.work("a"))
            bench.floor.put(bench.work("b"))
            await asyncio.sleep(0.2)
            bench.floor.stop()
            assert (bench.floor.taken, bench.floor.free) == (False, False)
            await asyncio.sleep(0.6)

            assert bench.done == ["a begins", "a has cleaned up", "b begins"]
            assert bench.floor.taken

    run_virtual(call())


def test_forgotten_pieces_never_begin() -> None:
    async def call() -> None:
        async with working() as bench:
            bench.floor.put(bench.work("a"))
            bench.floor.put(bench.work("b"))
            await asyncio.sleep(0.2)
            bench.floor.forget()
            await asyncio.sleep(3)

            assert bench.done == ["a begins", "a is over", "free"]

    run_virtual(call())


def test_forgetting_the_only_piece_before_it_begins_harms_nobody() -> None:
    async def call() -> None:
        async with working() as bench:
            bench.floor.put(bench.work("a"))
            bench.floor.forget()
            await asyncio.sleep(1)
            bench.floor.put(bench.work("b"))
            await asyncio.sleep(2)

            assert bench.done == ["free", "b begins", "b is over", "free"]

    run_virtual(call())


def test_a_closed_floor_lets_the_piece_under_way_end_and_begins_none() -> None:
    async def call() -> None:
        async with working() as bench:
            bench.floor.put(bench.work("a"))
            bench.floor.put(bench.work("b"))
            await asyncio.sleep(0.2)
            bench.floor.close()
            await bench.worker

            assert bench.done == ["a begins", "a is over"]

    run_virtual(call())


def test_what_a_piece_raises_ends_the_worker_with_it() -> None:
    async def call() -> None:
        async def broken() -> None:
            raise ValueError("broken")

        async with working() as bench:
            bench.floor.put(broken)
            with pytest.raises(ValueError, match="broken"):
                await bench.worker

    run_virtual(call())


def test_a_cancelled_worker_waits_until_its_piece_has_cleaned_up() -> None:
    async def call() -> None:
        async with working() as bench:
            bench.floor.put(bench.work("a"))
            await asyncio.sleep(0.2)
            bench.worker.cancel()
            await asyncio.wait((bench.worker,))

            assert bench.done == ["a begins", "a has cleaned up"]

    run_virtual(call())


def test_the_floor_is_full_with_as_many_waiting_as_the_bound() -> None:
    async def call() -> None:
        floor = Floor("c", lambda: None)
        bench = Bench(floor, asyncio.create_task(asyncio.sleep(0)))
        for _ in range(MAX_QUEUED - 1):
            floor.put(bench.work("a"))
        assert not floor.full
        floor.put(bench.work("a"))

        assert floor.full

    run_virtual(call())
