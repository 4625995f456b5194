from pathlib import Path

import pytest

from bridge.batch import one_call
from bridge.batch.job import BatchOptions, Job
from bridge.batch.plan import CallerInput, CallPlan
from bridge.batch.result import CallResult
from bridge.batch.run_job import run_job
from bridge.errors import AudioFileError, JoinRefused, UsageError
from tests.fakes.results import booking_call

JOB = Job(id="a", seed="s", inputs=(CallerInput(Path("a.wav")),))


def test_a_call_that_took_place_has_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[CallPlan] = []

    def run(plan: CallPlan) -> CallResult:
        plans.append(plan)
        return booking_call()

    monkeypatch.setattr(one_call, "run", run)

    outcome = run_job(JOB, tmp_path, BatchOptions(virtual=True))

    assert (outcome.status, outcome.turns) == ("passed", 4)
    assert plans == [JOB.plan(tmp_path, BatchOptions(virtual=True))]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AudioFileError("a.wav: the file is empty"), "failed"),
        (UsageError("no such agent"), "failed"),
        (JoinRefused("the far end is busy"), "error"),
        (OSError(28, "No space left on device"), "error"),
    ],
)
def test_what_can_never_run_has_failed_and_what_may_run_later_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    def broken(plan: CallPlan) -> None:
        raise error

    monkeypatch.setattr(one_call, "run", broken)

    outcome = run_job(JOB, tmp_path, BatchOptions())

    assert (outcome.status, outcome.reasons) == (status, (str(error),))
