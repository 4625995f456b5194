"""Ctrl-C, a closed terminal, a system that shuts down: the call is ended properly first."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final, TypeAlias

Signals: TypeAlias = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Has something called, for the time of a context, when the process shall end."""
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def ignoring(_hang_up: Callable[[], None]) -> Iterator[None]:
    """Whoever runs the loop sees to signals."""
    yield


@contextlib.contextmanager
def caught(hang_up: Callable[[], None]) -> Iterator[None]:
    """The first signal hangs up, the second cancels the task: nobody has to wait for a far end that is silent.

    Where a loop takes no signals (Windows), Ctrl-C cancels at once, as everywhere else.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    came = 0

    def on_signal() -> None:
        nonlocal came
        came += 1
        if came == 1:
            hang_up()
        else:
            task.cancel()

    handled = []
    for name in _SIGNALS:
        with contextlib.suppress(KeyError, NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(signal.Signals[name], on_signal)
            handled.append(signal.Signals[name])
    try:
        yield
    finally:
        for each in handled:
            loop.remove_signal_handler(each)
