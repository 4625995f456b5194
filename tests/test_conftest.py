"""The guards of `conftest.py` bite: each kind of leak fails its test, and a clean test passes."""

import asyncio
import contextlib
import gc
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.fakes.loop_watch import is_of_a_test
from tests.fakes.steady import Holdings, live_objects

ROOT = Path(__file__).parents[1]

SUITE = """
import asyncio, logging, os, socket, subprocess, threading, time
from bridge.virtual import run_virtual
import tests.conftest
from tests.conftest import *

tests.conftest.SETTLE_S = 0.1
kept = []

def test_clean():
    with open(os.devnull):
        pass

async def test_clean_coroutine():
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    server.close()
    await asyncio.to_thread(time.sleep, 0.001)
    asyncio.create_task(asyncio.sleep(0.05))

def test_inline_work_is_no_delay():
    run_virtual(asyncio.to_thread(time.sleep, 0.08))

async def test_a_process_that_starts_slowly_is_no_delay():
    process = await asyncio.create_subprocess_exec("true", preexec_fn=lambda: time.sleep(0.3))
    await process.wait()

def test_leaves_thread():
    kept.append(threading.Event())
    threading.Thread(target=kept[-1].wait, name="leaked-thread").start()

def test_leaves_file():
    kept.append(open("leaked-file", "w"))

def test_leaves_child():
    kept.append(subprocess.Popen(["sleep", "3"]))

def test_leaves_zombie():
    kept.append(subprocess.Popen(["true"]))

def test_leaves_listener():
    kept.append(socket.create_server(("127.0.0.1", 0)))

async def test_leaves_task():
    kept.append(asyncio.create_task(asyncio.Event().wait(), name="leaked-task"))

def test_takes_away():
    kept[1].close()

async def test_blocks():
    await asyncio.sleep(0)
    time.sleep(0.08)

def test_computes_in_virtual_time():
    async def compute():
        ends_s = time.thread_time() + 0.3  # a slow processor is excused
        while time.thread_time() < ends_s:
            pass
    run_virtual(compute())

def test_logs_secret():
    logging.getLogger("bridge.x").debug("key %s", "CANARY-key")

def test_logs_secret_in_error():
    try:
        raise KeyError("CANARY-inner")
    except KeyError:
        logging.getLogger("other").exception("it broke")

def test_clean_again():
    pass

def teardown_module():
    kept[0].set()
    kept[2].kill()
"""

COMPLAINTS = {
    "test_leaves_thread": r"left behind: thread leaked-thread \(\d+\)",
    "test_leaves_file": r"left behind: fd \d+ -> .*/leaked-file",
    "test_leaves_child": r"left behind: child \d+: sleep 3",
    "test_leaves_zombie": r"left behind: child \d+: \(ended, not waited for\)",
    "test_leaves_listener": r"left behind: fd \d+ -> socket:\[\d+\] AF_INET listening at \('127",
    "test_leaves_task": r"still running: <Task pending name='leaked-task'",
    "test_takes_away": r"taken away: fd \d+ -> .*/leaked-file",
    "test_blocks": r"held its event loop up, \d+ ms computing and \d+ ms waiting: <\w*Task",
    "test_computes_in_virtual_time": r"held its event loop up, \d+ ms computing and \d+ ms waiting: <\w*Task",
    "test_logs_secret": r"a secret in the log: bridge\.x: key CANARY-key",
    "test_logs_secret_in_error": r"a secret in the log: other: it broke KeyError\('CANARY-inner'\)",
}


def test_every_kind_of_leak_fails_its_test(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
    options = ["--import-mode=importlib", "-o", "asyncio_mode=auto", "-o", f"pythonpath={ROOT}"]

    run = subprocess.run(
        [*command, *options, "test_suite.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    parts = re.split(r"_+ ERROR at teardown of (\w+) _+", run.stdout)
    complaints = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert set(complaints) == set(COMPLAINTS), run.stdout + run.stderr
    for name, pattern in COMPLAINTS.items():
        assert re.search(pattern, complaints[name]), complaints[name]


async def test_steps_and_timers_of_a_test_are_told_from_those_of_the_program(
    tmp_path: Path,
) -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = loop.call_later(60, Holdings.now), loop.call_later(60, tmp_path.exists)
    soon = loop.call_soon(
        Holdings.now
    )  # a program's step may lead to a callback that a test gave it

    told = [is_of_a_test(handle) for handle in (ours, theirs, soon)]
    for handle in (ours, theirs):
        handle.cancel()

    assert told == [True, False, False]


def test_looking_costs_less_than_a_millisecond() -> None:
    best_s = min(_timed() for _ in range(20))

    assert best_s < 0.001


def _timed() -> float:
    started_s = perf_counter()
    Holdings.now()
    return perf_counter() - started_s


def test_live_objects_are_counted_by_class() -> None:
    kind = "tests.fakes.steady.Holdings"
    before = live_objects("tests")[kind]
    held = [Holdings(frozenset()) for _ in range(3)]

    assert live_objects("tests")[kind] == before + len(held)
    held.clear()
    assert live_objects("tests")[kind] == before


def test_a_collection_at_the_deepest_point_of_a_recursion_fails_no_test() -> None:
    def deeper() -> None:
        gc.collect(0)
        deeper()

    with contextlib.suppress(RecursionError):
        deeper()


def test_the_virtual_fixture_runs_a_coroutine(
    virtual: Callable[[Coroutine[Any, Any, float]], float],
) -> None:
    async def nap() -> float:
        await asyncio.sleep(60)
        return asyncio.get_running_loop().time()

    assert virtual(nap()) == 60.0
