"""Work that may never end keeps no process from its exit."""

import asyncio
import subprocess
import sys

import pytest

from bridge.talk.daemon_threads import DaemonThreads


async def test_work_gives_its_result_or_its_error() -> None:
    loop = asyncio.get_running_loop()
    threads = DaemonThreads("work")

    assert await loop.run_in_executor(threads, sum, (1, 2)) == 3
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(threads, lambda: 1 // 0)
    threads.shutdown()


def test_a_process_ends_though_its_work_hangs() -> None:
    program = (
        "import time; from bridge.talk.daemon_threads import DaemonThreads; "
        "DaemonThreads('work').submit(time.sleep, 3600); print('over')"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True
    )

    assert told.stdout == "over\n"
