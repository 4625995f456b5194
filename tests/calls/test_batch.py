"""A batch of real calls in virtual time, workers and all."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.batch.job import BatchOptions
from bridge.batch.job_list import load_jobs
from bridge.batch.pool import run_batch
from bridge.batch.shelf import LOCK, OUTCOME, RESULTS

VIRTUAL = BatchOptions(virtual=True)
CALL_FILES = {"agent.wav", "call.wav", "call.json", "timeline.html", OUTCOME}


def job_list(folder: Path) -> Path:
    at = np.arange(8_000) / 8_000
    for number in (1, 2):
        tone = 0.3 * np.sin(2 * np.pi * 200 * number * at)
        soundfile.write(folder / f"{number}.wav", tone, 8_000, subtype="PCM_16")
    (folder / "broken.wav").write_bytes(b"RIFF")
    names = ("1.wav", "2.wav", "broken.wav")
    lines = [
        {"id": name.removesuffix(".wav"), "in": name, "model": "tipring/tone", "tail_s": 1}
        for name in names
    ]
    path = folder / "jobs.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def digests(out: Path) -> dict[str, str]:
    files = (path for path in out.rglob("*") if path.is_file() and path.name != LOCK)
    return {str(f.relative_to(out)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.mark.timeout(120)
def test_calls_give_the_same_bytes_whatever_the_workers_and_the_order(tmp_path: Path) -> None:
    jobs = load_jobs(job_list(tmp_path)).jobs

    outcomes = run_batch(jobs, tmp_path / "a", options=VIRTUAL, parallel=1)
    run_batch(jobs[::-1], tmp_path / "b", options=VIRTUAL, parallel=3)

    one, other = digests(tmp_path / "a"), digests(tmp_path / "b")
    assert one.pop(RESULTS) != other.pop(RESULTS)  # its lines are in the order of the jobs
    assert one == other
    assert {path.name for path in (tmp_path / "a" / "1").iterdir()} == CALL_FILES
    assert [outcome.status for outcome in outcomes] == ["passed", "passed", "failed"]
    assert outcomes[2].reasons == ("broken.wav: it is no audio that libsndfile or FFmpeg knows",)
