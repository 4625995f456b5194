"""Progress bars for a terminal; where there is no terminal, nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import Task as Row
from rich.table import Column
from rich.text import Text

from bridge.batch.plan import CallProgress, OnProgress
from bridge.batch.pool import BatchProgress, OnBatchProgress
from bridge.log import printable


@contextmanager
def call_progress(console: Console, *, quiet: bool) -> Iterator[OnProgress]:
    """A bar for one call: where it is, how much faster than real time, what was said last."""
    progress = Progress(
        SpinnerColumn(),
        BarColumn(bar_width=24),
        _CallTime(),
        # The words take what is left of the line, so that they never squeeze the bar.
        TextColumn(
            "{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
        ),
        console=console,
        transient=True,
        expand=True,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        row = progress.add_task("starting", total=None)

        def on_progress(now: CallProgress) -> None:
            words = escape(_one_line(now.text))
            progress.update(row, completed=now.at_s, total=now.of_s, description=words)

        yield on_progress


@contextmanager
def batch_progress(console: Console, *, quiet: bool) -> Iterator[OnBatchProgress]:
    """A bar for a batch: calls done, failed, seconds of audio per second."""
    progress = Progress(
        SpinnerColumn(),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        _BatchRate(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        row = progress.add_task("", total=None, failed=0, audio_s=0.0)

        def on_progress(now: BatchProgress) -> None:
            progress.update(
                row, completed=now.done, total=now.total, failed=now.failed, audio_s=now.audio_s
            )

        yield on_progress


class _CallTime(TextColumn):
    """`0:31 · 42 x real time`."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Row) -> Text:
        minutes, seconds = divmod(int(task.completed), 60)
        return Text(f"{minutes}:{seconds:02} · {_rate(task.completed, task)} x real time")


class _BatchRate(TextColumn):
    """`2 failed · 35 s of audio a second`."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Row) -> Text:
        rate = _rate(task.fields["audio_s"], task)
        return Text(f"calls · {task.fields['failed']} failed · {rate} s of audio a second")


def _rate(done_s: float, task: Row) -> str:
    """Seconds done in each second that has passed."""
    return f"{done_s / task.elapsed:.1f}" if task.elapsed else "0.0"


def _one_line(text: str) -> str:
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
