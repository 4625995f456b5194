from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console, RenderableType

from bridge.batch.outcome import JobOutcome
from bridge.batch.result import InputPlayed
from bridge.batch.summary import MAX_ROWS, batch_summary, call_summary
from tests.fakes.results import booking_call


def shown(what: RenderableType) -> str:
    console = Console(width=120, highlight=False)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def job(number: int, **changes: object) -> JobOutcome:
    fields = {"id": f"job-{number}", "status": "passed", "end_reason": "hangup", **changes}
    return JobOutcome.model_validate(fields)


def test_a_call_shows_turns_latencies_overrun_underruns_and_files(tmp_path: Path) -> None:
    (tmp_path / "call.wav").touch()

    text = shown(call_summary(booking_call(), tmp_path))

    lines = text.splitlines()
    assert [line.split() for line in lines[1:5]] == [
        ["1", "0:04.5-0:06.9", "800", "ms"],
        ["2", "0:13.2-0:16.4", "800", "ms"],
        ["3", "0:24.3-0:25.9", "1000", "ms", "300", "ms"],
        ["4", "0:34.1-0:35.2", "800", "ms"],
    ]
    assert "response: median 800 ms, slowest 1000 ms" in text
    assert "interruptions: 1, longest overrun 300 ms; underruns: 1 (40 ms together)" in text
    assert "(call.wav)" in text
    assert "note: interrupts.wav: stereo" in text


def test_a_turn_without_an_answer_says_so() -> None:
    call = booking_call()

    text = shown(call_summary(replace(call, agent=np.zeros_like(call.agent)), Path("x")))

    assert text.count("no answer") == 1
    assert "response:" not in text


def test_the_note_of_an_input_names_its_file() -> None:
    played = InputPlayed("a.wav", 0.0, 1.0, "stereo: the left one is taken")

    text = shown(call_summary(replace(booking_call(), inputs=(played,)), Path("x")))

    assert "note: a.wav: stereo: the left one is taken" in text


def test_names_with_brackets_are_no_markup() -> None:
    odd = job(1, id="a", reasons=("[bold]not bold[/bold]",), status="failed")

    assert "[bold]not bold[/bold]" in shown(batch_summary((odd,), 1, Path("[red]out")))
    assert "[red]out" in shown(batch_summary((odd,), 1, Path("[red]out")))


def test_no_name_reason_or_folder_can_speak_to_the_terminal() -> None:
    evil = "\x1b]0;evil\x07\x9b\n\udcff"
    call = replace(booking_call(), inputs=[InputPlayed(evil, 0, 1, "x")], end_reason=evil)
    texts = (
        shown(call_summary(call, Path(evil))),
        shown(batch_summary([job(1, status="failed", reasons=[evil])], 1, Path(evil))),
    )

    for text in texts:
        text.encode()
        assert all(line.isprintable() for line in text.split("\n"))
        assert r"\x1b]0;evil" in text


def test_a_batch_shows_every_job_and_the_totals() -> None:
    outcomes = (job(1, turns=3, latency_median_ms=512.4), job(2, status="failed", reasons=("no",)))

    text = shown(batch_summary(outcomes, 3, Path("out")))

    assert "512 ms" in text
    assert "1 of 3 jobs passed, 1 failed, 1 not done: run the same command again" in text


def test_a_large_batch_shows_what_did_not_pass() -> None:
    outcomes = [*map(job, range(MAX_ROWS)), job(999, status="error")]

    text = shown(batch_summary(outcomes, len(outcomes), Path("out")))

    assert "job-999" in text
    assert "job-1 " not in text
