import io

import pytest
from rich.console import Console

from bridge.batch.plan import CallProgress
from bridge.batch.pool import BatchProgress
from bridge.batch.progress import batch_progress, call_progress


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_call_shows_its_time_and_the_last_words() -> None:
    console = terminal()

    with call_progress(console, quiet=False) as on_progress:
        on_progress(CallProgress(75.2, 100.0, "agent: [hello]\nthere"))

    assert "1:15 ·" in written(console)
    assert "agent: [hello] there" in written(console)


@pytest.mark.parametrize("words", ["\x1b]0;evil\x07", "\x9b2J", "\u202eevil", "\ud800"])
def test_what_is_said_cannot_speak_to_the_terminal(words: str) -> None:
    console = terminal()

    with call_progress(console, quiet=False) as on_progress:
        on_progress(CallProgress(1.0, None, words))

    assert words not in written(console)
    assert ascii(words[0])[1:-1] in written(console)


@pytest.mark.parametrize("words", ["hello", "word " * 40])
@pytest.mark.parametrize(("at_s", "filled"), [(50.0, 12), (100.0, 24)])
def test_the_bar_fills_and_keeps_its_width_whatever_is_said(
    words: str, at_s: float, filled: int
) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=70, no_color=True)

    with call_progress(console, quiet=False) as on_progress:
        on_progress(CallProgress(at_s, 100.0, words))

    drawn_last = written(console).rpartition(" x real time")[0].rpartition("\n")[2]
    assert drawn_last.rpartition("\r")[2].count("━") == filled


def test_a_batch_shows_done_failed_and_its_rate() -> None:
    console = terminal()

    with batch_progress(console, quiet=False) as on_progress:
        on_progress(BatchProgress(total=12, done=5, failed=2, audio_s=60.0))

    assert "5/12" in written(console)
    assert "2 failed" in written(console)
    assert "s of audio a second" in written(console)


def test_nothing_is_drawn_where_there_is_no_terminal_or_logs_are_wanted() -> None:
    file, console = Console(file=io.StringIO()), terminal()

    with call_progress(file, quiet=False) as on_progress:
        on_progress(CallProgress(1.0))
    with call_progress(console, quiet=True) as on_progress:
        on_progress(CallProgress(1.0))

    assert written(file) == written(console) == ""
