"""The virtual event loop: an asyncio loop whose clock jumps to the next timer.

When nothing is ready, time moves to the earliest timer at once, so an hour of waiting takes no
time, and the order of callbacks depends on nothing but the program: timers of one instant run in
the order in which they were set, tasks in sets are walked in the order of their creation, executor
work runs inline.

Nothing outside may take part, because it would come at another virtual instant in each run:
sockets, pipes, child processes, signals and foreign threads are refused with `VirtualTimeError`.
Built on `asyncio.BaseEventLoop` of CPython 3.11 to 3.13: its `_ready` queue, `_stopping` flag and
`Handle._run` are used here and nowhere else.
"""

import _thread
import asyncio
import contextvars
import math
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from heapq import heapify, heappop, heappush
from typing import Any, Final, NoReturn, TypeVar, TypeVarTuple

from bridge.errors import VirtualTimeError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_COMPACT_AFTER: Final = 100  # cancelled timers that may lie in the heap before it is rebuilt
_NAMED_TASKS: Final = 20  # how many waiting tasks an error names

_REFUSED: Final = {
    "a connection": (
        "create_connection",
        "create_unix_connection",
        "create_datagram_endpoint",
        "start_tls",
        "sendfile",
    ),
    "a listener": ("create_server", "create_unix_server", "connect_accepted_socket"),
    "a socket": (
        "sock_recv",
        "sock_recv_into",
        "sock_recvfrom",
        "sock_recvfrom_into",
        "sock_sendall",
        "sock_sendto",
        "sock_connect",
        "sock_accept",
        "sock_sendfile",
    ),
    "a file descriptor": ("add_reader", "add_writer", "remove_reader", "remove_writer"),
    "a pipe": ("connect_read_pipe", "connect_write_pipe"),
    "a child process": ("subprocess_exec", "subprocess_shell"),
    "a signal handler": ("add_signal_handler", "remove_signal_handler"),
    "a name look-up": ("getaddrinfo", "getnameinfo"),
}


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time, as `asyncio.run` does in real time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class VirtualTask(asyncio.Task[T]):
    """A task whose hash is its number.

    Task groups keep their tasks in a set and cancel them in the set's order; with the usual hash,
    the address, that order would change from run to run.
    """

    def __init__(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        number: int,
        **options: Any,
    ) -> None:
        self._number = number  # first: the base class hashes the task at once
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop in virtual time; `time()` starts at 0.0 seconds.

    Raises VirtualTimeError out of the run when nothing can ever happen again (no callback ready, no
    timer set), and when a thread that was started during the run is alive as the clock would jump.
    """

    _ready: deque[asyncio.Handle]
    _stopping: bool
    _check_closed: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._n_timers = 0  # orders timers of one instant
        self._n_cancelled = 0
        self._n_tasks = 0
        self._owner = threading.get_ident()
        self._known_threads: set[int] = set()
        self._n_threads = 0
        self._intruder = ""
        self.set_task_factory(_make_task)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now_s

    def run_forever(self) -> None:
        """Run until `stop()`; threads that live now are no concern of this run."""
        self._owner = threading.get_ident()
        self._learn_threads()
        super().run_forever()

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call at an instant of `time()`; equal instants keep the order of these calls."""
        self._check_closed()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._n_timers += 1
        heappush(self._timers, (when, self._n_timers, handle))
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As `call_soon`. Raises VirtualTimeError in any thread but the loop's own."""
        if threading.get_ident() != self._owner:
            # The exception alone may be lost in the thread, so the run fails too.
            self._intruder = threading.current_thread().name
            raise VirtualTimeError(_intrusion(self._intruder))
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(
        self,
        executor: object,  # noqa: ARG002 - whatever it is, its work is done here
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Do the work here and now, whatever the executor; the future that comes back is done."""
        self._check_closed()
        future: asyncio.Future[T] = self.create_future()
        asyncio._set_running_loop(None)  # noqa: SLF001 - for loops: the work sees what a thread sees
        try:
            future.set_result(contextvars.Context().run(func, *args))
        except Exception as error:  # noqa: BLE001 - the future carries whatever the work raised
            future.set_exception(error)
        finally:
            asyncio._set_running_loop(self)  # noqa: SLF001
        return future

    def set_default_executor(self, executor: object) -> None:
        """Accepted and left alone: all work runs inline."""

    def _run_once(self) -> None:
        ready = self._ready
        timers = self._timers
        if not ready and not self._stopping:
            self._jump()
        while timers and timers[0][0] <= self._now_s:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - this is what a loop does with a handle

    def _jump(self) -> None:
        """Move time to the next timer."""
        if self._intruder or _thread._count() != self._n_threads:  # noqa: SLF001 - one fast call per jump
            self._refuse_threads()
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if not timers or not timers[0][0] < math.inf:
            raise VirtualTimeError(self._standstill())
        self._now_s = max(self._now_s, timers[0][0])

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        # Called by the handle. Those that have run count too: rebuilding then finds less to drop,
        # at a cost that stays in proportion.
        self._n_cancelled += 1
        if self._n_cancelled > _COMPACT_AFTER and 2 * self._n_cancelled > len(self._timers):
            self._n_cancelled = 0
            self._timers[:] = [timer for timer in self._timers if not timer[2].cancelled()]
            heapify(self._timers)

    def _learn_threads(self) -> None:
        self._known_threads = {thread.ident or 0 for thread in threading.enumerate()}
        self._n_threads = _thread._count()  # noqa: SLF001

    def _refuse_threads(self) -> None:
        intruder, self._intruder = self._intruder, ""
        names = [t.name for t in threading.enumerate() if t.ident not in self._known_threads]
        if intruder or names or _thread._count() > self._n_threads:  # noqa: SLF001
            raise VirtualTimeError(_intrusion(intruder or ", ".join(names) or "unnamed"))
        self._learn_threads()  # one that we knew has ended

    def _standstill(self) -> str:
        names = sorted(task.get_name() for task in asyncio.all_tasks(self))
        more = f" and {len(names) - _NAMED_TASKS} more" if len(names) > _NAMED_TASKS else ""
        return (
            f"virtual time stands still at {self._now_s:.3f} s: nothing is ready, no timer is set, "
            f"and these tasks wait: {', '.join(names[:_NAMED_TASKS]) or 'none'}{more}"
        )


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
    **options: Any,
) -> VirtualTask[T]:
    assert isinstance(loop, VirtualLoop)
    loop._n_tasks += 1  # noqa: SLF001 - same module
    return VirtualTask(coro, loop=loop, number=loop._n_tasks, **options)  # noqa: SLF001


def _intrusion(thread_name: str) -> str:
    return (
        f"a thread runs beside the virtual loop ({thread_name}): "
        "use loop.run_in_executor and async def routes, which the virtual clock can wait for"
    )


def _refusal(what: str) -> Callable[..., NoReturn]:
    def refuse(_loop: VirtualLoop, *_args: object, **_options: object) -> NoReturn:
        raise VirtualTimeError(f"{what} was asked for in virtual time, where none exists")

    return refuse


for _what, _methods in _REFUSED.items():
    for _method in _methods:
        setattr(VirtualLoop, _method, _refusal(_what))
