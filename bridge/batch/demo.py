"""The demo: a shipped caller calls the shipped receptionist."""

from pathlib import Path
from typing import Final

from bridge.batch.job import BatchOptions
from bridge.batch.job_list import load_jobs
from bridge.batch.plan import CallPlan

DEMO_JOBS: Final = Path(__file__).parents[1] / "assets" / "recordings" / "demo.toml"


def demo_plan(out_dir: Path, *, virtual: bool) -> CallPlan:
    """The plan of the demo's call: the first job of the shipped list."""
    return load_jobs(DEMO_JOBS).jobs[0].plan(out_dir, BatchOptions(virtual=virtual))
