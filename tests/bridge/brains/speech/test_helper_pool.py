"""Helpers that are started, shared, replaced and ended."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.brains.speech.helper_pool import HelperPool
from bridge.errors import BrainError
from bridge.virtual import run_virtual
from tests.fakes.helper_programs import ECHO, GREET, HANG, fake

LONG_S = 30.0
TELL_PID = GREET + "while read(requests): write(replies, {'pid': os.getpid()})\n"


def pool_of(body: str, *, most: int = 1, deadline_s: float = LONG_S) -> HelperPool:
    return HelperPool("fake", fake(body), deadline_s=deadline_s, most=most)


async def asked(pool: HelperPool, **fields: object) -> dict[str, Any]:
    return (await pool.run(pool.exchange, fields))[0]


@pytest.fixture
def first_time(tmp_path: Path) -> str:
    """An expression that is true in the first helper process that asks, and in no other."""
    flag = tmp_path / "started"
    return f"(not os.path.exists({str(flag)!r}) and open({str(flag)!r}, 'w').close() is None)"


async def test_one_process_answers_one_request_after_another() -> None:
    pool = pool_of(TELL_PID)

    replies = [await asked(pool) for _ in range(3)]

    assert len({reply["pid"] for reply in replies}) == 1
    await pool.close()


async def test_request_of_a_helper_that_dies_is_asked_once_more(first_time: str) -> None:
    pool = pool_of(GREET + f"if {first_time}: sys.exit()\n" + ECHO)

    reply = await asked(pool, text="hello")

    assert reply["heard"]["text"] == "hello"
    await pool.close()


async def test_helper_that_was_killed_while_idle_is_replaced() -> None:
    pool = pool_of(TELL_PID)
    first = await asked(pool)

    os.kill(first["pid"], 9)
    second = await asked(pool)

    assert second["pid"] != first["pid"]
    await pool.close()


@pytest.mark.parametrize(
    ("body", "deadline_s", "sentence"),
    [
        ("", LONG_S, "fake: the helper process has ended"),
        (GREET + "read(requests)", LONG_S, "fake: the helper process has ended"),
        (GREET + "read(requests)\n" + HANG, 0.2, "fake: the helper process did not answer within"),
        ("write(replies, {'error': 'no data'})", LONG_S, "fake: no data"),
    ],
)
async def test_second_death_in_a_row_is_a_sentence(
    body: str, deadline_s: float, sentence: str
) -> None:
    pool = pool_of(body, deadline_s=deadline_s)

    for _ in range(2):  # and again: nothing is broken for good
        with pytest.raises(BrainError, match=sentence):
            await asked(pool)
    await pool.close()


async def test_pool_works_again_when_the_helper_does(tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    pool = pool_of(f"if not os.path.exists({str(fixed)!r}): sys.exit()\n" + GREET + ECHO)

    with pytest.raises(BrainError):
        await asked(pool)
    fixed.touch()

    assert (await asked(pool, text="hello"))["heard"]["text"] == "hello"
    await pool.close()


async def test_helper_that_does_not_last_is_started_for_each_request() -> None:
    pool = pool_of(TELL_PID.replace("True", "False"))

    replies = [await asked(pool) for _ in range(2)]

    assert replies[0]["pid"] != replies[1]["pid"]
    await pool.close()


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_no_more_processes_than_allowed_work_at_once(most: int) -> None:
    pool = pool_of(TELL_PID, most=most)
    at_work = n_most = 0

    def work() -> dict[str, Any]:
        nonlocal at_work, n_most
        at_work += 1
        n_most = max(n_most, at_work)
        try:
            return pool.exchange({})[0]
        finally:
            at_work -= 1

    replies = await asyncio.gather(*(pool.run(work) for _ in range(12)))

    assert n_most <= most
    assert len({reply["pid"] for reply in replies}) <= most
    await pool.close()


async def test_work_that_nobody_waits_for_any_more_takes_nothing_from_the_next() -> None:
    pool = pool_of(GREET + ECHO)
    await asked(pool)

    for number in range(20):
        dropped = asyncio.create_task(asked(pool, dropped=number))
        await asyncio.sleep(0)
        dropped.cancel()
        assert (await asked(pool, kept=number))["heard"]["kept"] == number

    await pool.close()


@pytest.mark.parametrize("body", [HANG, GREET + "read(requests)\n" + HANG])
async def test_close_ends_work_under_way_and_work_that_waits_with_a_sentence(body: str) -> None:
    pool = pool_of(body)
    requests = [asyncio.create_task(asked(pool)) for _ in range(3)]
    while not pool._busy:  # noqa: ASYNC110 - a thread fills it
        await asyncio.sleep(0.001)

    await pool.close()

    for error in await asyncio.gather(*requests, return_exceptions=True):
        assert isinstance(error, BrainError)


async def test_closed_pool_refuses_work_and_may_be_closed_again() -> None:
    pool = pool_of(GREET + ECHO)
    await asked(pool)
    await pool.close()
    await pool.close()

    with pytest.raises(BrainError, match="fake is closed"):
        await asked(pool)


def test_pool_that_was_never_used_starts_nothing() -> None:
    # The fixture that counts threads, children and file descriptors would see it.
    pool_of(GREET + ECHO)


@pytest.fixture
def shared() -> Iterator[HelperPool]:
    pool = pool_of(GREET + ECHO)
    yield pool
    run_virtual(pool.close())


def test_virtual_time_waits_for_the_work_and_one_pool_serves_loop_after_loop(
    shared: HelperPool,
) -> None:
    async def call() -> tuple[dict[str, Any], float]:
        return await asked(shared, text="hello"), asyncio.get_running_loop().time()

    for _ in range(2):
        reply, now_s = run_virtual(call())
        assert reply["heard"]["text"] == "hello"
        assert now_s == 0.0


async def test_loop_goes_on_while_a_helper_works() -> None:
    pool = pool_of(GREET + "while read(requests): time.sleep(0.1); write(replies, {})\n")
    await asked(pool)
    n_turns = 0

    request = asyncio.create_task(asked(pool))
    while not request.done():
        n_turns += 1
        await asyncio.sleep(0.001)

    assert n_turns > 5
    await pool.close()


async def test_what_the_work_raises_comes_out() -> None:
    pool = pool_of(GREET + ECHO)
    work: Callable[[], int] = lambda: 1 // 0  # noqa: E731

    with pytest.raises(ZeroDivisionError):
        await pool.run(work)
    await pool.close()
