"""Calls and batches as short tables for a terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bridge.batch.figures import Figures, Interruption, Turn
from bridge.batch.outcome import JobOutcome
from bridge.batch.result import CallResult
from bridge.log import printable

MAX_ROWS: Final = 40
"""A batch of more jobs shows those that did not pass; results.jsonl has them all."""


def call_summary(result: CallResult, folder: Path) -> Group:
    """Turns, latencies, interruptions, underruns, notes, and where the files are."""
    lines = [
        *(f"note: {note}" for note in _notes(result)),
        *_totals(result),
        f"files: {folder}/  ({', '.join(_files(folder))})",
    ]
    return Group(_turn_table(result.figures), *(Text(printable(line)) for line in lines))


def batch_summary(outcomes: Sequence[JobOutcome], total: int, folder: Path) -> Group:
    """One row per job, or per job that did not pass where there are many; and the totals."""
    many = len(outcomes) > MAX_ROWS
    rows = [outcome for outcome in outcomes if not (many and outcome.passed)][:MAX_ROWS]
    table = _table(
        "job", "", "turns", "median", "slowest", "cuts", "overrun", "underruns", "reason"
    )
    for outcome in rows:
        table.add_row(*_job_row(outcome))
    failed = sum(not outcome.passed for outcome in outcomes)
    parts = [f"{len(outcomes) - failed} of {total} jobs passed"]
    if failed:
        parts.append(f"{failed} failed")
    if len(outcomes) < total:
        parts.append(f"{total - len(outcomes)} not done: run the same command again to go on")
    closing: list[RenderableType] = [
        Text(", ".join(parts)),
        Text(printable(f"files: {folder}/results.jsonl")),
    ]
    return Group(*([table] if rows else []), *closing)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        words = name in ("job", "", "reason")
        table.add_column(name, justify="left" if words else "right", no_wrap=not words)
    return table


def _turn_table(figures: Figures) -> Table:
    table = _table("turn", "caller spoke", "agent after", "interrupted, agent went on")
    for number, turn in enumerate(figures.turns, 1):
        cut = _cut_in(turn, figures.interruptions)
        table.add_row(
            str(number),
            f"{_clock(turn.caller_start_s)}-{_clock(turn.caller_end_s)}",
            "no answer" if turn.latency_ms is None else _ms(turn.latency_ms),
            "" if cut is None else _ms(cut.overrun_ms),
        )
    return table


def _cut_in(turn: Turn, cuts: Sequence[Interruption]) -> Interruption | None:
    for cut in cuts:
        if turn.caller_start_s <= cut.caller_start_s < turn.caller_end_s:
            return cut
    return None


def _totals(result: CallResult) -> Iterator[str]:
    figures = result.figures
    latencies = figures.latencies_ms
    if latencies:
        yield f"response: median {_ms(median(latencies))}, slowest {_ms(max(latencies))}"
    cuts = figures.interruptions
    longest = f", longest overrun {_ms(max(c.overrun_ms for c in cuts))}" if cuts else ""
    together = f" ({_ms(figures.underrun_ms)} together)" if figures.underruns else ""
    yield f"interruptions: {len(cuts)}{longest}; underruns: {figures.underruns}{together}"
    detail = f" ({result.end_detail})" if result.end_detail else ""
    yield f"call: {_clock(figures.duration_s)}, ended by {result.end_reason}{detail}"


def _notes(result: CallResult) -> Iterator[str]:
    yield from (f"{item.name}: {item.note}" for item in result.inputs if item.note)
    yield from result.notes


def _files(folder: Path) -> list[str]:
    shown = ("timeline.html", "call.wav", "agent.wav", "call.json")
    return [name for name in shown if (folder / name).exists()]


def _job_row(outcome: JobOutcome) -> tuple[str, ...]:
    style = {"passed": "green", "failed": "red", "error": "yellow"}[outcome.status]
    ran = outcome.end_reason is not None
    return (
        escape(outcome.id),
        f"[{style}]{outcome.status}[/{style}]",
        str(outcome.turns) if ran else "",
        _ms(outcome.latency_median_ms),
        _ms(outcome.latency_max_ms),
        str(outcome.interruptions) if ran else "",
        _ms(outcome.overrun_max_ms),
        str(outcome.underruns) if ran else "",
        escape(printable("; ".join(outcome.reasons))),
    )


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms"


def _clock(seconds: float) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
