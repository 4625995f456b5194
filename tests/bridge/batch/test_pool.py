import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from bridge.batch.job import BatchOptions, Job
from bridge.batch.plan import CallerInput
from bridge.batch.pool import BatchProgress, run_batch
from bridge.batch.shelf import LOCK, OUTCOME, RESULTS
from bridge.errors import BridgeError, UsageError

ROOT: Final = Path(__file__).parents[3]
INSTANT: Final = "tests.fakes.jobs:instant"
VIRTUAL: Final = BatchOptions(virtual=True)


@pytest.fixture(autouse=True)
def _workers_find_the_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), str(ROOT / "codecs"))))


def jobs_of(*seeds: str) -> list[Job]:
    return [Job(id=seed, seed=seed, inputs=(CallerInput(Path("none.wav")),)) for seed in seeds]


def numbered(n: int, kind: str = "good") -> list[Job]:
    return jobs_of(*(f"{kind}-{number:03}" for number in range(n)))


def contents(out: Path) -> dict[str, bytes]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    skipped = {LOCK, "runs.log"}
    return {str(f.relative_to(out)): f.read_bytes() for f in files if f.name not in skipped}


def runs(out: Path) -> Counter[str]:
    return Counter((out / "runs.log").read_text().split())


def test_the_files_are_the_same_bytes_whatever_the_number_order_or_neighbours(
    tmp_path: Path,
) -> None:
    jobs = numbered(6)

    run_batch(jobs, tmp_path / "a", options=VIRTUAL, parallel=1, run_job=INSTANT)
    run_batch(jobs, tmp_path / "b", options=VIRTUAL, parallel=3, run_job=INSTANT)
    run_batch(jobs[::-1][:3], tmp_path / "c", options=VIRTUAL, parallel=2, run_job=INSTANT)

    one, many, few = (contents(tmp_path / name) for name in "abc")
    assert one == many
    assert len(one) == 6 * 3 + 1
    del few[RESULTS]
    assert few.items() <= one.items()


def test_results_stand_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    jobs = numbered(5)[::-1]

    outcomes = run_batch(jobs, tmp_path, options=VIRTUAL, parallel=2, run_job=INSTANT)

    lines = (tmp_path / RESULTS).read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [job.id for job in jobs]
    assert [outcome.id for outcome in outcomes] == [job.id for job in jobs]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("crash", "its worker process was ended by signal 9"),
        ("leave", "its worker process ended with code 3"),
        ("raise", "ValueError: a bug"),
        ("fail", "no good"),
    ],
)
def test_a_job_that_goes_wrong_fails_alone_and_says_why(
    tmp_path: Path, kind: str, reason: str
) -> None:
    jobs = jobs_of("good-1", f"{kind}-2", "good-3", "good-4")

    outcomes = run_batch(jobs, tmp_path, options=VIRTUAL, run_job=INSTANT)

    assert [outcome.passed for outcome in outcomes] == [True, False, True, True]
    assert outcomes[1].reasons == (reason,)


def test_what_a_job_prints_is_no_answer(tmp_path: Path) -> None:
    [outcome] = run_batch(jobs_of("print-1"), tmp_path, options=VIRTUAL, run_job=INSTANT)

    assert outcome.passed


def test_a_second_run_repeats_what_was_an_error_and_nothing_else(tmp_path: Path) -> None:
    jobs = jobs_of("good-1", "fail-2", "raise-3", "crash-4")
    seen: list[BatchProgress] = []

    run_batch(jobs, tmp_path, options=VIRTUAL, run_job=INSTANT)
    run_batch(jobs, tmp_path, options=VIRTUAL, run_job=INSTANT, on_progress=seen.append)

    assert runs(tmp_path) == {"good-1": 1, "fail-2": 1, "raise-3": 2, "crash-4": 2}
    assert (seen[0].skipped, seen[0].done, seen[-1].done) == (2, 2, 4)


def test_a_job_that_changed_is_done_again(tmp_path: Path) -> None:
    recording = tmp_path / "in.wav"
    recording.write_bytes(b"one")
    [job] = jobs_of("good-1")
    job = job.model_copy(update={"inputs": (CallerInput(recording),)})
    out = tmp_path / "out"

    run_batch([job], out, options=VIRTUAL, run_job=INSTANT)
    recording.write_bytes(b"two")
    run_batch([job], out, options=VIRTUAL, run_job=INSTANT)
    run_batch([job], out, options=BatchOptions(virtual=False), run_job=INSTANT)
    run_batch([job], out, options=BatchOptions(virtual=False), run_job=INSTANT)

    assert runs(out) == {"good-1": 3}
    assert not [entry for entry in out.iterdir() if entry.name.startswith(".")]


def test_progress_counts_done_failed_and_audio(tmp_path: Path) -> None:
    seen: list[BatchProgress] = []

    run_batch(
        jobs_of("good-1", "fail-2", "good-3"),
        tmp_path,
        options=VIRTUAL,
        run_job=INSTANT,
        on_progress=seen.append,
    )

    assert [p.done for p in seen] == [0, 1, 2, 3]
    assert seen[-1] == BatchProgress(total=3, done=3, failed=1, skipped=0, audio_s=5.0)


def test_a_worker_that_cannot_start_ends_the_batch_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="could not start"):
        run_batch(jobs_of("a"), tmp_path, options=VIRTUAL, run_job="tests.fakes.jobs:nothing")


def test_the_api_key_reaches_the_worker_and_no_file(tmp_path: Path) -> None:
    options = BatchOptions(api_url="https://localhost", api_key=SecretStr("CANARY-key"))

    [outcome] = run_batch(jobs_of("key-1"), tmp_path, options=options, run_job=INSTANT)

    assert outcome.notes == ("yek-YRANAC",)
    assert b"CANARY" not in b"".join(contents(tmp_path).values())


DRIVER: Final = """
import sys
from pathlib import Path
from bridge.batch.pool import run_batch
from tests.bridge.batch.test_pool import INSTANT, VIRTUAL, jobs_of, numbered
n, parallel, kind, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
def tell(progress):
    print(progress.done, flush=True)
run_batch(numbered(n, kind), out, options=VIRTUAL, parallel=parallel, on_progress=tell, run_job=INSTANT)
"""


def driver(n: int, parallel: int, kind: str, out: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", DRIVER, str(n), str(parallel), kind, str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_after(process: "subprocess.Popen[str]", n_more: int) -> None:
    assert process.stdout is not None
    for _ in range(n_more):
        if not process.stdout.readline():
            break
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(
    ("n_jobs", "n_kills", "parallel"),
    [
        (24, 2, 2),
        pytest.param(500, 20, 1, marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        pytest.param(500, 20, 2, marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
)
def test_a_batch_killed_at_any_time_ends_complete_with_one_repetition_per_kill_and_worker(
    tmp_path: Path, n_jobs: int, n_kills: int, parallel: int
) -> None:
    chance = random.Random(11)
    out = tmp_path / "out"
    per_run = n_jobs // (n_kills + 2)
    for _ in range(n_kills):
        process = driver(n_jobs, parallel, "sleep", out)
        kill_after(process, chance.randint(1, 2 * per_run))
        for entry in out.iterdir():
            if entry.is_dir() and not entry.name.startswith("."):
                names = {file.name for file in entry.iterdir()}
                assert names == {"first", "second", OUTCOME}

    outcomes = run_batch(
        numbered(n_jobs, "sleep"), out, options=VIRTUAL, parallel=parallel, run_job=INSTANT
    )

    clean = tmp_path / "clean"
    run_batch(numbered(n_jobs, "sleep"), clean, options=VIRTUAL, parallel=1, run_job=INSTANT)
    assert all(outcome.passed for outcome in outcomes)
    assert contents(out) == contents(clean)
    assert sum(runs(out).values()) <= n_jobs + n_kills * parallel


def test_a_second_batch_on_the_same_folder_is_refused_and_names_the_first(tmp_path: Path) -> None:
    first = driver(1, 1, "hold", tmp_path)
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "holding").exists() and time.monotonic() < deadline:
            time.sleep(0.02)  # the other process lives in real time

        with pytest.raises(UsageError, match=rf"another batch.*process {first.pid}, since 2"):
            run_batch(jobs_of("good-1"), tmp_path, options=VIRTUAL, run_job=INSTANT)
    finally:
        kill_after(first, 0)

    [outcome] = run_batch(jobs_of("good-1"), tmp_path, options=VIRTUAL, run_job=INSTANT)
    assert outcome.passed


def test_ctrl_c_ends_the_workers_and_keeps_what_was_done(tmp_path: Path) -> None:
    process = driver(50, 2, "sleep", tmp_path)
    assert process.stdout is not None
    for _ in range(6):
        process.stdout.readline()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode != 0
    n_lines = len((tmp_path / RESULTS).read_text().splitlines())
    assert 5 <= n_lines < 50
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")]


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="cannot hold results"):
        run_batch(jobs_of("a"), tmp_path / "file" / "out", options=VIRTUAL, run_job=INSTANT)


def test_a_disk_that_is_full_for_results_too_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("bridge.batch.shelf.write_atomically", full)

    with pytest.raises(BridgeError) as caught:
        run_batch(numbered(2), tmp_path / "out", options=VIRTUAL, parallel=1, run_job=INSTANT)

    assert str(caught.value) == "the results cannot be written (No space left on device)"
