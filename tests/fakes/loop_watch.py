"""Finds callbacks that hold an event loop up for more than 50 ms (promise R26 of the reliability reference).

Every handle that an asyncio loop runs is timed; uvloop's are not, it has its own. A callback is to blame if it
computed for that long, or if it blocked for that long, which shows in the thread having given up its processor.
Not counted is what it is not to blame for: waiting for a processor on a busy machine or for the machine itself,
garbage collection of the whole test run, a first import, the start of a thread or a process, which waits for the new
one to get a processor, and executor work, which the virtual loop does inline.
A processor whose other half works for somebody else computes slower too: a callback that computed for too long is
measured against a piece of work whose time on an idle processor is known.
What a test itself computes as a task or at a timer of its own (an attacker who makes ten megabytes, a room full of
sound) may take four times as long: the promise is the program's.
"""

import asyncio
import gc
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

from bridge.virtual import VirtualLoop

LIMIT_S: Final = 0.050
TEST_LIMIT_S: Final = 0.200
"""Of a step of a task whose coroutine is a test's own, or of a timer of its own."""
_GAP_S: Final = (
    0.000_020  # a longer pause between two callbacks means that the loop has waited in between
)
_TESTS: Final = Path(__file__).parents[1]
_WORK: Final = 20_000
_MAX_PIECES: Final = 200


def _work_s() -> float:
    """How long a fixed piece of work, about a millisecond, takes on this processor now, s."""
    started_s = time.thread_time()
    total = 0
    for number in range(_WORK):
        total += number
    return time.thread_time() - started_s


class _Thread(NamedTuple):
    """What the scheduler says of a thread."""

    waited_s: float = 0.0
    """Seconds waiting for one."""
    gave_up: int = 0
    """How often it gave its processor up to wait for something."""


class _Clocks(NamedTuple):
    """Time that passed, and what of it the thread was on a processor, s."""

    passed_s: float = 0.0
    ran_s: float = 0.0

    @classmethod
    def now(cls) -> "_Clocks":
        return cls(perf_counter(), time.thread_time())


class LoopWatch:
    """Times every callback between `install` and `remove`; `take()` gives what was too slow."""

    def __init__(self) -> None:
        self._slow: list[str] = []
        self._excused = _Clocks()  # collection, inline work, starts of threads so far
        self._gc_started: _Clocks | None = None
        self._unraisable = sys.unraisablehook
        self._ended_at_s = 0.0
        self._thread = _Thread()
        self._schedstat = _open_schedstat()
        self._work_s = min(_work_s() for _ in range(20))
        self._run = asyncio.Handle._run
        self._run_in_executor: Callable[..., Any] = VirtualLoop.run_in_executor
        self._start: Callable[[threading.Thread], None] = threading.Thread.start
        self._spawn: Callable[..., None] = subprocess.Popen.__init__

    def install(self) -> None:
        """Begin."""
        watch, run, inline, start = self, self._run, self._run_in_executor, self._start
        unraisable = sys.unraisablehook

        def timed_run(handle: asyncio.Handle) -> None:
            started_s, excused, n_modules = perf_counter(), watch._excused, len(sys.modules)
            if started_s - watch._ended_at_s > _GAP_S:
                watch._thread = watch._look()
            before, ran_s = watch._thread, time.thread_time()
            run(handle)
            watch._ended_at_s = ended_s = perf_counter()
            took_s = ended_s - started_s - (watch._excused.passed_s - excused.passed_s)
            if took_s > LIMIT_S and len(sys.modules) == n_modules:
                ran_s = time.thread_time() - ran_s - (watch._excused.ran_s - excused.ran_s)
                watch._judge(handle, took_s, ran_s, before)

        def timed_inline(*args: Any) -> Any:
            started = _Clocks.now()
            try:
                return inline(*args)
            finally:
                watch._excuse(started)

        def timed_start(thread: threading.Thread) -> None:
            started = _Clocks.now()
            start(thread)
            if threading.current_thread() is threading.main_thread():
                watch._excuse(started)

        def hook(what: "sys.UnraisableHookArgs") -> None:
            # A collection at the deepest point of a recursion leaves no room for who is told of it: nobody's fault.
            if what.exc_type is not RecursionError or what.object not in gc.callbacks:
                unraisable(what)

        _replace(timed_run, timed_inline, timed_start, self._timed_spawn())
        self._unraisable, sys.unraisablehook = unraisable, hook
        gc.callbacks.append(self._collected)

    def _timed_spawn(self) -> Callable[..., None]:
        """The start of a process, how long it waited excused; what it computed is held against whoever starts it."""
        spawn = self._spawn

        def timed_spawn(*args: Any, **options: Any) -> None:
            started = _Clocks.now()
            try:
                spawn(*args, **options)
            finally:
                if threading.current_thread() is threading.main_thread():
                    self._excuse_waiting(started)

        return timed_spawn

    def remove(self) -> None:
        """End."""
        _replace(self._run, self._run_in_executor, self._start, self._spawn)
        gc.callbacks.remove(self._collected)
        sys.unraisablehook = self._unraisable
        if self._schedstat is not None:
            os.close(self._schedstat)

    def take(self) -> list[str]:
        """What was too slow since the last time."""
        slow, self._slow = self._slow, []
        return slow

    def _judge(self, handle: asyncio.Handle, took_s: float, ran_s: float, before: _Thread) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._thread = now = self._look()
        ran_s = min(max(ran_s, 0.0), took_s)
        blocked_s = took_s - ran_s - (now.waited_s - before.waited_s)
        limit_s = TEST_LIMIT_S if is_of_a_test(handle) else LIMIT_S
        if ran_s > limit_s:
            ran_s /= self._slowness(ran_s)
        if ran_s > limit_s or (blocked_s > limit_s and now.gave_up > before.gave_up):
            self._slow.append(
                f"held its event loop up, {1000 * ran_s:.0f} ms computing and {1000 * max(blocked_s, 0):.0f} ms "
                f"waiting: {_owner(handle)!r}"
            )

    def _slowness(self, for_s: float) -> float:
        """How many times slower than it can the processor computes now, for so long; at least 1."""
        n_pieces = min(max(int(for_s / self._work_s), 5), _MAX_PIECES)
        pieces_s = [_work_s() for _ in range(n_pieces)]
        self._work_s = min(self._work_s, *pieces_s)
        return sum(pieces_s) / n_pieces / self._work_s

    def _look(self) -> _Thread:
        """Read what the main thread has had of the processors so far."""
        if self._schedstat is None:
            return _Thread()
        waited = os.pread(self._schedstat, 64, 0).split()[1]
        gave_up = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        return _Thread(int(waited) / 1e9, gave_up)

    def _collected(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_started = _Clocks.now()
        elif self._gc_started is not None:
            self._excuse(self._gc_started)
            self._gc_started = None

    def _excuse(self, since: _Clocks) -> None:
        now, before = _Clocks.now(), self._excused
        self._excused = _Clocks(
            before.passed_s + now.passed_s - since.passed_s, before.ran_s + now.ran_s - since.ran_s
        )

    def _excuse_waiting(self, since: _Clocks) -> None:
        """Excuse what was no computing."""
        now, before = _Clocks.now(), self._excused
        waited_s = now.passed_s - since.passed_s - (now.ran_s - since.ran_s)
        self._excused = _Clocks(before.passed_s + max(0.0, waited_s), before.ran_s)


def _owner(handle: asyncio.Handle) -> object:
    """The task that the handle runs, if it runs one."""
    return getattr(getattr(handle, "_callback", None), "__self__", None) or handle


def is_of_a_test(handle: asyncio.Handle) -> bool:
    """Whether the handle runs a task whose coroutine, or a timer whose callback, is written in the tests."""
    owner = _owner(handle)
    if isinstance(owner, asyncio.Task):
        code = getattr(owner.get_coro(), "cr_code", None)
    elif isinstance(handle, asyncio.TimerHandle):
        code = getattr(getattr(handle, "_callback", None), "__code__", None)
    else:
        code = None
    return code is not None and Path(code.co_filename).is_relative_to(_TESTS)


def _replace(
    run: Callable[[asyncio.Handle], None],
    inline: Callable[..., Any],
    start: Callable[[threading.Thread], None],
    spawn: Callable[..., None],
) -> None:
    setattr(asyncio.Handle, "_run", run)  # noqa: B010 - a type checker would not have it otherwise
    setattr(VirtualLoop, "run_in_executor", inline)  # noqa: B010
    setattr(threading.Thread, "start", start)  # noqa: B010
    setattr(subprocess.Popen, "__init__", spawn)  # noqa: B010


def _open_schedstat() -> int | None:
    try:
        return os.open(
            f"/proc/self/task/{threading.main_thread().native_id}/schedstat", os.O_RDONLY
        )
    except OSError:
        return None
