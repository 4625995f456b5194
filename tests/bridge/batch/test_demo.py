from pathlib import Path

import pytest

from bridge.batch import demo
from bridge.batch.plan import CallerInput


def test_the_demo_is_the_first_job_of_its_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = tmp_path / "demo.toml"
    jobs.write_text('[[job]]\nid = "demo"\nin = ["a.wav", "b.wav@+1s"]\nagent = "receptionist"\n')
    monkeypatch.setattr(demo, "DEMO_JOBS", jobs)

    plan = demo.demo_plan(tmp_path / "out", virtual=True)

    assert plan.inputs == (CallerInput(tmp_path / "a.wav"), CallerInput(tmp_path / "b.wav", 1.0))
    assert (plan.seed, plan.virtual, plan.agent) == ("demo", True, "receptionist")
    plan.check()
