"""One thread that waits for the sound system."""

import asyncio
import threading

import pytest

from bridge.legs.device.sound_thread import SoundThread


async def test_work_is_done_in_order_in_one_thread_that_ends() -> None:
    sound, loop, done = SoundThread(), asyncio.get_running_loop(), list[int]()

    def work(k: int) -> int:
        done.append(k)
        return threading.get_ident()

    threads = await asyncio.gather(*(loop.run_in_executor(sound, work, k) for k in range(20)))
    sound.shutdown()
    assert done == list(range(20))
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


async def test_an_error_reaches_whoever_asked_and_the_thread_goes_on() -> None:
    sound, loop = SoundThread(), asyncio.get_running_loop()
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(sound, lambda: 1 // 0)
    assert await loop.run_in_executor(sound, lambda: 7) == 7
    sound.shutdown()


async def test_a_thread_that_hangs_keeps_no_process_alive() -> None:
    sound, never = SoundThread(), threading.Event()
    future = sound.submit(never.wait)
    hanging = next(thread for thread in threading.enumerate() if thread.name == "sound system")
    assert hanging.daemon
    sound.shutdown()
    never.set()
    assert future.result(1)


def test_no_thread_begins_before_there_is_work() -> None:
    SoundThread().shutdown()
    assert not any(thread.name == "sound system" for thread in threading.enumerate())
