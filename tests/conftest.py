"""What holds for every test: it ends as it began, holds no event loop up, and logs no secret."""

import asyncio
import gc
import signal
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, Final, TypeVar

import pytest

from bridge.legs.device import apm
from bridge.loops import new_event_loop
from bridge.virtual import run_virtual
from tests.fakes.canary import CanaryWatch
from tests.fakes.loop_watch import LoopWatch
from tests.fakes.steady import Holdings, describe_sockets

T = TypeVar("T")

SETTLE_S: Final = 1.0
_RUNNER: Final = "_function_scoped_runner"  # pytest-asyncio's, in a test that is a coroutine


def pytest_configure() -> None:
    """Take Ctrl-C back: a run in the background has it ignored, and so would every child that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Take what collecting made, some million objects that all stay, out of every later garbage collection."""
    _set_aside()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Likewise what a module leaves: the run's reports and imports alone would make each collection take seconds."""
    yield
    if nextitem is not None and nextitem.path != item.path:
        _set_aside()


@pytest.fixture(scope="session")
def warmed_up() -> None:
    """What the process opens once and keeps, opened before anybody counts."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:  # libuv keeps a pipe for signals
        runner.run(asyncio.sleep(0))
    if apm.is_installed():  # its library keeps its threads and pipes
        apm.Apm().close()


@pytest.fixture(scope="session")
def loop_watch() -> Iterator[LoopWatch]:
    """Times the callbacks of all loops."""
    watch = LoopWatch()
    watch.install()
    yield watch
    watch.remove()


@pytest.fixture(scope="session")
def canary_watch() -> Iterator[CanaryWatch]:
    """Searches all log records."""
    watch = CanaryWatch()
    watch.install()
    yield watch
    assert watch.take() == []
    watch.remove()


@pytest.fixture(autouse=True)
def steady(
    request: pytest.FixtureRequest,
    warmed_up: None,
    loop_watch: LoopWatch,
    canary_watch: CanaryWatch,
) -> Iterator[None]:
    """Fail a test that leaves something behind, holds a loop up or logs a secret."""
    runner = request.getfixturevalue(_RUNNER) if _RUNNER in request.fixturenames else None
    before = Holdings.now()
    yield
    complaints = _settle(before, runner)
    complaints += loop_watch.take() + canary_watch.take()
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.fixture
def virtual() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Runs a coroutine in virtual time."""
    return run_virtual


def _set_aside() -> None:
    gc.collect()
    gc.freeze()


def _settle(before: Holdings, runner: asyncio.Runner | None) -> list[str]:
    """What is still not as before, once there has been time for it."""
    complaints = _changes(before, runner)
    deadline_s = time.monotonic() + SETTLE_S
    collected = False
    while complaints and (not collected or time.monotonic() < deadline_s):
        if runner is None:
            time.sleep(0.01)
        else:
            runner.run(_let_go())
        complaints = _changes(before, runner)
        if complaints and not collected:
            # Looking through everything alive takes a second by now: only what time alone does not settle is worth it.
            gc.collect()
            collected = True
            deadline_s = time.monotonic() + SETTLE_S
            complaints = _changes(before, runner)
    return describe_sockets(complaints)


def _changes(before: Holdings, runner: asyncio.Runner | None) -> list[str]:
    tasks = [] if runner is None else asyncio.all_tasks(runner.get_loop())
    return [f"still running: {task!r}" for task in tasks] + Holdings.now().changes_since(before)


async def _let_go() -> None:
    """Give the loop time, and end the threads of its own executor."""
    await asyncio.sleep(0.01)
    await asyncio.get_running_loop().shutdown_default_executor()
