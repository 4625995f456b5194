"""How a job went: one line of results.jsonl, and one result.json beside the call's files."""

from collections.abc import Iterator
from statistics import median
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bridge.batch.figures import Figures
from bridge.batch.job import Expect, Job
from bridge.batch.result import CallResult
from bridge.batch.text import writable

MAX_TOOLS: Final = 1_000
MAX_TOOL_CHARACTERS: Final = 100


def _writable(value: object) -> object:
    return writable(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_writable)]


class JobOutcome(BaseModel):
    """How a job went.

    `status` is "passed" when the call took place and all that was expected held; "failed" when
    something did not hold or the job can never run as it is (a broken file); "error" when it could
    not be carried out this time (a lost connection, a crash): the next run tries it again.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    status: Literal["passed", "failed", "error"]
    reasons: tuple[Text, ...] = ()
    digest: str = ""
    end_reason: Text | None = None
    duration_s: float = 0.0
    turns: int = 0
    latency_median_ms: float | None = None
    latency_max_ms: float | None = None
    interruptions: int = 0
    overrun_max_ms: float | None = None
    underruns: int = 0
    tools: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the job counts as good."""
        return self.status == "passed"

    @property
    def final(self) -> bool:
        """Whether another run would be a repetition."""
        return self.status != "error"


def outcome_of(job: Job, result: CallResult) -> JobOutcome:
    """The outcome of a job whose call took place."""
    figures = result.figures
    latencies = figures.latencies_ms
    overruns = [cut.overrun_ms for cut in figures.interruptions]
    reasons = tuple(_misses(job.expect, result, figures))
    return JobOutcome(
        id=job.id,
        status="failed" if reasons else "passed",
        reasons=reasons,
        end_reason=result.end_reason,
        duration_s=round(figures.duration_s, 3),
        turns=len(figures.turns),
        latency_median_ms=round(median(latencies), 1) if latencies else None,
        latency_max_ms=round(max(latencies), 1) if latencies else None,
        interruptions=len(overruns),
        overrun_max_ms=round(max(overruns), 1) if overruns else None,
        underruns=figures.underruns,
        tools=tuple(call.name[:MAX_TOOL_CHARACTERS] for call in result.tool_calls[:MAX_TOOLS]),
        notes=tuple(result.notes),
    )


def _misses(expect: Expect, result: CallResult, figures: Figures) -> Iterator[str]:
    """One sentence for each expectation that did not hold."""
    if expect.end_reason and result.end_reason not in expect.end_reason:
        yield f"ended with {result.end_reason}, not {' or '.join(expect.end_reason)}"
    said = _folded(" ".join(line.text for line in result.transcripts))
    yield from (
        f"nobody said “{text}”" for text in expect.transcript_contains if _folded(text) not in said
    )
    called = {call.name for call in result.tool_calls}
    yield from (f"the tool {name} was not called" for name in expect.tools if name not in called)
    yield from _too_slow(expect, figures)


def _too_slow(expect: Expect, figures: Figures) -> Iterator[str]:
    slowest_ms = max(figures.latencies_ms, default=0.0)
    if expect.max_latency_ms is not None and slowest_ms > expect.max_latency_ms:
        yield f"a response took {slowest_ms:.0f} ms (at most {expect.max_latency_ms:g})"
    longest_ms = max((cut.overrun_ms for cut in figures.interruptions), default=0.0)
    if expect.max_overrun_ms is not None and longest_ms > expect.max_overrun_ms:
        yield f"the interrupted agent went on for {longest_ms:.0f} ms (at most {expect.max_overrun_ms:g})"
    answered = len(figures.latencies_ms)
    if expect.min_turns is not None and answered < expect.min_turns:
        yield f"only {answered} turns were answered (at least {expect.min_turns})"


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
