"""The loop whose clock jumps: order, refusals, and the frameworks that have to run on it."""

import asyncio
import contextlib
import contextvars
import gc
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import fastapi
import httpx
import pytest

from bridge.errors import VirtualTimeError
from bridge.virtual import VirtualLoop, run_virtual


async def test_sleeping_a_day_takes_no_time() -> None:
    async def nap() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert await asyncio.to_thread(run_virtual, nap()) == 86_400.0


def test_timers_of_one_instant_run_in_the_order_they_were_set() -> None:
    async def order() -> list[int]:
        loop = asyncio.get_running_loop()
        ran: list[int] = []
        for number in range(500):
            loop.call_at(1.0 + number % 2, ran.append, number)
        await asyncio.sleep(3)
        return ran

    assert run_virtual(order()) == [*range(0, 500, 2), *range(1, 500, 2)]


def test_time_stays_while_anything_is_ready() -> None:
    async def busy() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(0.001, lambda: None)
        for _ in range(1000):
            await asyncio.sleep(0)
        return loop.time()

    assert run_virtual(busy()) == 0.0


def test_a_timer_in_the_past_runs_and_time_does_not_go_back() -> None:
    async def late() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(5)
        done = loop.create_future()
        loop.call_at(1.0, done.set_result, None)
        await done
        return loop.time()

    assert run_virtual(late()) == 5.0


def test_a_cancelled_timer_neither_runs_nor_moves_the_clock() -> None:
    async def cancel_many() -> tuple[list[str], float]:
        loop = asyncio.get_running_loop()
        ran: list[str] = []
        for timer in [loop.call_later(1000, ran.append, "no") for _ in range(1000)]:
            timer.cancel()
        loop.call_later(2, ran.append, "yes")
        await asyncio.sleep(3)
        return ran, loop.time()

    assert run_virtual(cancel_many()) == (["yes"], 3.0)


def test_cancelled_timers_are_forgotten_long_before_they_are_due() -> None:
    async def waits(n: int) -> int:
        for _ in range(n):
            async with asyncio.timeout(1e6):
                await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return len(loop._timers)

    assert run_virtual(waits(2_000)) <= 300


def test_a_task_group_cancels_its_tasks_in_the_order_of_their_creation() -> None:
    async def group(garbage: int) -> list[str]:
        # Objects of odd sizes move the tasks to other addresses, which usually decide the order.
        litter = [bytearray(number) for number in range(garbage)]
        cancelled: list[str] = []

        async def wait(name: str) -> None:
            try:
                await asyncio.sleep(100)
            finally:
                cancelled.append(name)

        async def fail() -> None:
            await asyncio.sleep(1)
            raise OSError

        with contextlib.suppress(BaseExceptionGroup):
            async with asyncio.TaskGroup() as tasks:
                for number in range(40):
                    litter.append(bytearray(number * garbage))
                    tasks.create_task(wait(str(number)), name=str(number))
                tasks.create_task(fail(), name="fail")
        return cancelled

    runs = [run_virtual(group(garbage)) for garbage in (1, 7, 300)]

    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]) == 40


def test_timeouts_and_wait_for_end_at_their_instant() -> None:
    async def late() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(7.5):
                await asyncio.Event().wait()
        first = loop.time()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(100), 2.5)
        return first, loop.time()

    assert run_virtual(late()) == (7.5, 10.0)


def test_executor_work_is_done_before_the_call_returns() -> None:
    async def work() -> tuple[bool, str, str, float]:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, str.upper, "inline")
        return (
            future.done(),
            await future,
            await asyncio.to_thread(str.lower, "INLINE"),
            loop.time(),
        )

    assert run_virtual(work()) == (True, "INLINE", "inline", 0.0)


def test_executor_work_carries_its_exception() -> None:
    async def work() -> None:
        await asyncio.get_running_loop().run_in_executor(None, int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run_virtual(work())


def test_executor_work_sees_no_loop_and_no_context() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    def look() -> tuple[str, bool]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return variable.get(), asyncio.run(asyncio.sleep(0, result=True))

    async def work() -> tuple[tuple[str, bool], str]:
        variable.set("set")
        seen = await asyncio.get_running_loop().run_in_executor(None, look)
        await asyncio.sleep(1)
        return seen, variable.get()

    assert run_virtual(work()) == (("unset", True), "set")


def test_a_runner_can_run_twice_and_its_clock_goes_on() -> None:
    async def step() -> float:
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert (runner.run(step()), runner.run(step())) == (1.0, 2.0)


def test_leaving_the_runner_cancels_what_still_runs() -> None:
    ended: list[float] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            ended.append(asyncio.get_running_loop().time())

    async def main(keep: list[asyncio.Task[None]]) -> None:
        keep.append(asyncio.create_task(linger(), name="linger"))
        await asyncio.sleep(1)

    run_virtual(main([]))

    assert ended == [1.0]


def test_async_generators_are_closed_at_the_end() -> None:
    closed: list[bool] = []

    async def numbers() -> Any:
        try:
            while True:
                yield 1
                await asyncio.sleep(1)
        finally:
            closed.append(True)

    async def main() -> None:
        async for _ in numbers():
            break
        gc.collect()
        await asyncio.sleep(1)

    run_virtual(main())

    assert closed == [True]


def test_standing_still_names_the_waiting_tasks() -> None:
    async def main() -> None:
        waiting = asyncio.create_task(asyncio.Event().wait(), name="call-1 uplink")
        await asyncio.sleep(2.5)
        await waiting

    with pytest.raises(VirtualTimeError, match=r"stands still at 2\.500 s.*call-1 uplink"):
        run_virtual(main())


@pytest.mark.parametrize("never", [float("inf"), float("nan")])
def test_waiting_until_never_is_standing_still(never: float) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_at(never, lambda: None)
        await asyncio.Event().wait()

    with pytest.raises(VirtualTimeError, match="stands still"):
        run_virtual(main())


def test_a_thread_that_lives_beside_the_loop_stops_the_clock() -> None:
    release = threading.Event()

    async def main() -> None:
        thread = threading.Thread(target=release.wait, name="intruder")
        thread.start()
        try:
            await asyncio.sleep(1)
        finally:
            release.set()
            thread.join()

    with pytest.raises(VirtualTimeError, match="intruder"):
        run_virtual(main())


def test_a_thread_that_has_ended_before_the_jump_is_no_matter() -> None:
    async def main() -> float:
        for _ in range(3):
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()
            await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 3.0


def test_threads_from_before_the_run_may_live_and_end() -> None:
    release = threading.Event()
    old = threading.Thread(target=release.wait)
    old.start()

    async def main() -> float:
        await asyncio.sleep(1)
        release.set()
        old.join()
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 2.0


def test_a_call_from_another_thread_raises_there_and_ends_the_run() -> None:
    raised: list[BaseException] = []

    def intrude(loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(print)
        except VirtualTimeError as error:
            raised.append(error)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=intrude, args=(loop,), name="intruder")
        thread.start()
        thread.join()
        await asyncio.sleep(1)

    with pytest.raises(VirtualTimeError, match="intruder"):
        run_virtual(main())
    assert len(raised) == 1


def test_call_soon_threadsafe_on_the_loops_own_thread_is_call_soon() -> None:
    async def main() -> list[int]:
        ran: list[int] = []
        loop = asyncio.get_running_loop()
        loop.call_soon(ran.append, 1)
        loop.call_soon_threadsafe(ran.append, 2)
        await asyncio.sleep(1)
        return ran

    assert run_virtual(main()) == [1, 2]


async def _connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def _listen() -> None:
    await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)


async def _datagram() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))


async def _child() -> None:
    await asyncio.create_subprocess_exec("true")


async def _shell() -> None:
    await asyncio.create_subprocess_shell("true")


async def _signal() -> None:
    asyncio.get_running_loop().add_signal_handler(2, lambda: None)


async def _reader() -> None:
    asyncio.get_running_loop().add_reader(0, lambda: None)


async def _writer() -> None:
    asyncio.get_running_loop().add_writer(1, lambda: None)


async def _pipe() -> None:
    await asyncio.get_running_loop().connect_read_pipe(asyncio.Protocol, None)


async def _name() -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


@pytest.mark.parametrize(
    "ask",
    [_connect, _listen, _datagram, _child, _shell, _signal, _reader, _writer, _pipe, _name],
)
def test_the_real_world_is_refused_in_one_sentence(
    ask: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    with pytest.raises(VirtualTimeError, match=r"^[^.]+ in virtual time, where none exists$"):
        run_virtual(ask())


def _app() -> fastapi.FastAPI:
    app = fastapi.FastAPI()

    async def limit() -> float:
        await asyncio.sleep(0.5)
        return 3.0

    @app.get("/wait/{name}")
    async def wait(name: str, seconds: float = fastapi.Depends(limit)) -> dict[str, str | float]:
        await asyncio.sleep(seconds)
        return {"name": name, "time": asyncio.get_running_loop().time()}

    @app.get("/blocking")
    def blocking() -> str:
        return "in a thread"

    return app


async def _get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
        return await client.get(path)


def test_a_fastapi_app_answers_in_process() -> None:
    response = run_virtual(_get("/wait/x"))

    assert response.json() == {"name": "x", "time": 3.5}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_route_that_is_no_coroutine_is_found_out() -> None:
    before = set(threading.enumerate())

    with pytest.raises(VirtualTimeError, match="async def routes"):
        run_virtual(_get("/blocking"))
    for thread in set(threading.enumerate()) - before:
        thread.join()


def test_anyio_scopes_and_groups_run_in_virtual_time() -> None:
    async def main() -> tuple[float, list[int]]:
        ran: list[int] = []

        async def child(number: int) -> None:
            await anyio.sleep(number)
            ran.append(number)

        with anyio.move_on_after(2.5):
            async with anyio.create_task_group() as group:
                for number in (3, 1, 2):
                    group.start_soon(child, number)
        return asyncio.get_running_loop().time(), ran

    assert run_virtual(main()) == (2.5, [1, 2])


def test_two_runs_of_a_busy_program_write_the_same_trace() -> None:
    async def program() -> list[tuple[float, int]]:
        trace: list[tuple[float, int]] = []
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=3)
        loop = asyncio.get_running_loop()

        async def produce(number: int) -> None:
            for step in range(50):
                await asyncio.sleep(0.02 * (1 + (number + step) % 3))
                await queue.put(number)

        async def consume() -> None:
            while True:
                trace.append((loop.time(), await queue.get()))
                await asyncio.sleep(0.001)

        async with asyncio.TaskGroup() as group:
            consumer = group.create_task(consume(), name="consume")
            async with asyncio.TaskGroup() as producers:
                for number in range(10):
                    producers.create_task(produce(number), name=f"produce {number}")
            consumer.cancel()
        return trace

    first = run_virtual(program())

    assert len(first) >= 490
    assert run_virtual(program()) == first
