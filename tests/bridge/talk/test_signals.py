import asyncio
import os
import signal

import pytest

from bridge.talk.signals import caught, ignoring


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_first_signal_hangs_up_and_the_second_cancels(number: signal.Signals) -> None:
    hung_up = asyncio.Event()

    async def call() -> None:
        with caught(hung_up.set):
            await asyncio.sleep(30)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(hung_up.wait(), 5)
    assert not task.done()
    os.kill(os.getpid(), number)
    await asyncio.wait((task,), timeout=5)

    assert task.cancelled()


async def test_after_the_call_signals_are_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with caught(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) == before


def test_where_nobody_is_to_catch_signals_nothing_is_touched() -> None:
    before = signal.getsignal(signal.SIGINT)

    with ignoring(lambda: None):
        assert signal.getsignal(signal.SIGINT) is before
