"""Emulated calls for a terminal: one moving line while they run, a few lines when they are over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from rich.console import Console, Group
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn
from rich.text import Text

from bridge.log import printable
from bridge.testing.report import CallReport
from bridge.testing.run import Progress


def call_summary(report: CallReport) -> Group:
    """What a call was, and what was wrong."""
    ended = f"ended by the {report.ended_by}: {report.how}"
    lines = [
        *(f"problem: {sentence}" for sentence in report.problems),
        *(f"note: {sentence}" for sentence in report.notes),
        *_figures(report),
        f"call {report.call_id}: {_seconds(report.duration_s)}, {report.status}, {ended}",
    ]
    return Group(*(Text(printable(line)) for line in lines))


@contextmanager
def progress(console: Console, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A line that moves while a call runs; where there is no terminal, nothing."""
    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with bar:
        row = bar.add_task("waiting", total=None)
        yield lambda now: bar.update(row, description=_moment(now))


def _figures(report: CallReport) -> Iterator[str]:
    first = (
        "nothing"
        if report.first_audio_s is None
        else f"first after {_seconds(report.first_audio_s)}"
    )
    gaps = report.gaps_ms
    longest = f" (longest {max(gaps):.0f} ms)" if gaps else ""
    yield f"heard: {_seconds(report.heard_s)}, {first}; gaps: {len(gaps)}{longest}"
    latencies = report.figures.latencies_ms
    if latencies:
        yield f"response: median {median(latencies):.0f} ms, slowest {max(latencies):.0f} ms"
    if report.clears:
        slowest = max(clear.silence_after_ms for clear in report.clears)
        yield f"clears: {len(report.clears)}, silent within {slowest:.0f} ms"
    if report.marks:
        yield f"marks: {report.marks}, {report.marks_returned} came back"
    if report.keys_pressed:
        yield f"keys: the caller pressed {report.keys_pressed}"
    if report.keys_received:
        yield f"keys: the application sent {report.keys_received}"
    if report.connected_to:
        yield f"transferred to {report.connected_to}"


def _moment(now: Progress) -> str:
    call = now.call
    ear = call.ear
    parts = [
        _seconds(call.duration_s),
        call.status,
        f"heard {_seconds(ear.n_heard / ear.rate_hz)}",
        f"{len(ear.clears)} clears",
        f"{call.log.count('mark')} marks",
    ]
    if call.log.problems:
        parts.append(f"{len(call.log.problems)} problems")
    return printable(" · ".join(parts))


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s"
