import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bridge import cli
from bridge.batch import demo, one_call, pool
from bridge.batch.job import BatchOptions, Job
from bridge.batch.outcome import JobOutcome
from bridge.batch.plan import CallerInput, CallPlan, CallProgress, OnProgress
from bridge.batch.result import CallResult
from bridge.config import Config
from bridge.errors import BridgeError, JoinRefused
from bridge.gateway import serve
from tests.fakes.log_set_up import logging_restored
from tests.fakes.results import booking_call

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ULTRAVOX_API_KEY", "TIPRING_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with logging_restored():
        yield


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[CallPlan]:
    """The plans that commands would have carried out."""
    made: list[CallPlan] = []

    def run(plan: CallPlan, on_progress: OnProgress) -> CallResult:
        made.append(plan)
        on_progress(CallProgress(1.0))
        return booking_call()

    monkeypatch.setattr(one_call, "run", run)
    return made


def raising(error: BaseException) -> Callable[..., CallResult]:
    def run(*_: object, **__: object) -> CallResult:
        raise error

    return run


def one_sentence(capture: Capture) -> str:
    out, err = capture.readouterr()
    assert out == ""
    assert err.startswith("tipring: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["call", "-h"], ["batch", "--help"]])
def test_help_is_given_and_teaches(arguments: list[str], capsys: Capture) -> None:
    assert cli.run(arguments) == 0

    out = capsys.readouterr().out
    assert "Usage: tipring" in out
    if len(arguments) == 2:
        assert f"tipring {arguments[0]} " in out.replace("Usage: ", "", 1)


def every_command() -> Iterator[tuple[list[str], list[str]]]:
    """The words of each command and of each below it, with the texts of its help as they were written."""
    waiting: list[tuple[list[str], Any]] = [([], typer.main.get_command(cli.app))]
    while waiting:
        words, command = waiting.pop()
        options = [getattr(each, "help", None) for each in command.params]
        yield words, [text for text in (command.help, *options) if text]
        below = getattr(command, "commands", {})
        waiting += [([*words, name], each) for name, each in below.items()]


COMMANDS = {" ".join(words) or "tipring": (words, texts) for words, texts in every_command()}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_table_of_a_config_is_taken_for_markup_in_help(name: str, capsys: Capture) -> None:
    words, texts = COMMANDS[name]
    assert cli.run([*words, "--help"]) == 0

    shown = re.sub(r"[\s│]+", "", capsys.readouterr().out)
    for text in texts:
        for found in re.findall(r"\[[^\]\n]+\]", text):
            assert re.sub(r"\s+", "", found) in shown, found


def test_the_help_of_dial_names_the_table_that_allows_it(capsys: Capture) -> None:
    assert cli.run(["dial", "--help"]) == 0
    assert "allows it under [outgoing]:" in capsys.readouterr().out


def test_the_version_is_printed(capsys: Capture) -> None:
    assert cli.run(["--version"]) == 0

    assert re.fullmatch(r"tipring \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, bridge.cli\n"
        "assert bridge.cli.run(['--help']) == 0\n"
        "heavy = {'numpy', 'av', 'soundfile', 'fastapi', 'uvicorn', 'picows', 'asyncio', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cal"], "No such command"),
        (["call", "--in", "a.wav"], "--out"),
        (["call", "--out", "o"], "--in"),
        (["call", "--in", "a.wav", "--out", "o", "--turn-gap", "-1"], "--turn-gap"),
        (["call", "--in", "a.wav@1s", "--out", "o"], "no offset"),
        (["call", "--in", "a.wav", "--out", "o", "--tool", "x"], "NAME=RESULT"),
        (["call", "--in", "a", "--out", "o", "--virtual", "--join-url", "ws://a"], "--virtual"),
        (
            ["call", "--in", "a", "--out", "o", "--api-url", "http://a", "--join-url", "b"],
            "exclude",
        ),
        (["call", "--in", "a", "--out", "o", "--api-url", "a"], "no address"),
        (["call", "--in", "a", "--out", "o", "--sample-rate", "11025"], "--sample-rate"),
        (["call", "--in", "a", "--out", "o", "--tail", "nan"], "--tail"),
        (["call", "--in", "a", "--out", "o", "--max-duration", "0"], "--max-duration"),
        (["call", "--in", "a", "--out", "o", "--model", "m", "--agent", "a"], "--model"),
        (["batch", "nowhere", "--out", "o"], "no such file or folder"),
        (["batch", "nowhere.toml", "--out", "o"], "nowhere.toml"),
        (["batch", "a.toml", "--out", "o", "--virtual", "--api-url", "a"], "--virtual"),
        (["batch", "a.toml", "--out", "o", "--parallel", "0"], "--parallel"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--host", "0.0.0.0"], "TIPRING_API_KEY"),
        (["serve", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, capsys: Capture, plans: list[CallPlan]
) -> None:
    assert cli.run(arguments) == 2

    assert words in one_sentence(capsys)
    assert not plans


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "\udcff", "\u202e"])
def test_a_name_cannot_break_its_sentence_or_speak_to_the_terminal(
    name: str, capsys: Capture, tmp_path: Path
) -> None:
    assert cli.run(["call", "--in", f"{name}.wav", "--out", str(tmp_path)]) == 1

    said = one_sentence(capsys)
    assert said.rstrip("\n").isprintable()
    assert ascii(name)[1:-1] in said


def test_call_makes_the_plan_that_its_options_say(
    plans: list[CallPlan], tmp_path: Path, capsys: Capture
) -> None:
    arguments = ["call", "--in", "a.wav", "--in", "b.wav@+1.5s", "--out", str(tmp_path)]
    arguments += ["--script", "s.toml", "--virtual", "--turn-gap", "300", "--tool", "book=ok"]

    assert cli.run(arguments) == 0

    [plan] = plans
    assert plan.inputs == (CallerInput(Path("a.wav")), CallerInput(Path("b.wav"), 1.5))
    assert (plan.out_dir, plan.script, plan.virtual) == (tmp_path, Path("s.toml"), True)
    assert (plan.turn_gap_ms, plan.tools) == (300, {"book": "ok"})
    assert "response: median 800 ms" in capsys.readouterr().out


def test_what_the_call_is_asked_for_can_be_said_on_the_command_line(plans: list[CallPlan]) -> None:
    arguments = ["call", "--in", "a.wav", "--out", "o", "--model", "tipring/echo"]
    arguments += ["--system-prompt", "Be kind.", "--sample-rate", "48000", "--tail", "2.5"]
    arguments += ["--max-duration", "60", "--api-url", "https://api.example.com/api/"]

    assert cli.run(arguments) == 0

    [plan] = plans
    assert (plan.model, plan.system_prompt) == ("tipring/echo", "Be kind.")
    assert (plan.sample_rate_hz, plan.tail_s, plan.max_duration_s) == (48_000, 2.5, 60.0)
    assert plan.api_url == "https://api.example.com"


def test_options_left_out_are_the_plans_defaults(plans: list[CallPlan]) -> None:
    assert cli.run(["call", "--in", "a.wav", "--out", "o"]) == 0

    assert plans == [CallPlan(inputs=(CallerInput(Path("a.wav")),), out_dir=Path("o"))]


def test_the_key_of_an_api_comes_from_the_environment_and_goes_nowhere_else(
    plans: list[CallPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ULTRAVOX_API_KEY", "CANARY-KEY")

    cli.run(["call", "--in", "a.wav", "--out", "o", "--api-url", "https://localhost"])
    cli.run(["call", "--in", "a.wav", "--out", "o"])

    keys = [plan.api_key and plan.api_key.get_secret_value() for plan in plans]
    assert keys == ["CANARY-KEY", None]


def test_json_is_one_line_with_the_figures(plans: list[CallPlan], capsys: Capture) -> None:
    assert cli.run(["call", "--in", "a.wav", "--out", "o", "--json"]) == 0

    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["figures"]["underruns"] == 1


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (JoinRefused("the far end is busy"), 1, "tipring: the far end is busy\n"),
        (KeyboardInterrupt(), 130, "tipring: stopped\n"),
    ],
)
def test_a_call_that_fails_or_is_stopped_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    monkeypatch.setattr(one_call, "run", raising(error))

    assert cli.run(["call", "--in", "a.wav", "--out", "o"]) == code

    assert one_sentence(capsys).endswith(sentence)


def test_the_demo_runs_in_virtual_time_unless_told_otherwise(
    plans: list[CallPlan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "demo.toml").write_text('[[job]]\nid = "demo"\nin = "a.wav"\n')
    monkeypatch.setattr(demo, "DEMO_JOBS", tmp_path / "demo.toml")

    cli.run(["demo"])
    cli.run(["demo", "--real-time", "--out", "elsewhere"])

    assert [(plan.virtual, str(plan.out_dir)) for plan in plans] == [
        (True, "tipring-demo"),
        (False, "elsewhere"),
    ]


@pytest.mark.parametrize(("statuses", "code"), [(("passed",), 0), (("passed", "failed"), 1)])
def test_a_batch_ends_with_1_when_a_job_did_not_pass(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    statuses: tuple[str, ...],
    code: int,
) -> None:
    def run_batch(
        jobs: tuple[Job, ...], out: Path, *, options: BatchOptions, **_: object
    ) -> tuple[JobOutcome, ...]:
        assert options.virtual
        told = zip(jobs, statuses, strict=True)
        return tuple(
            JobOutcome.model_validate({"id": job.id, "status": status}) for job, status in told
        )

    monkeypatch.setattr(pool, "run_batch", run_batch)
    for number, _ in enumerate(statuses):
        (tmp_path / f"{number}.wav").touch()
    (tmp_path / "notes.txt").touch()

    assert cli.run(["batch", str(tmp_path), "--out", "o", "--virtual"]) == code

    out, err = capsys.readouterr()
    assert f"1 of {len(statuses)} jobs passed" in out
    assert err == "note: left out, not the names of recordings: notes.txt\n"


def test_a_batch_that_breaks_ends_with_1_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(pool, "run_batch", raising(BridgeError("the disk is full")))
    (tmp_path / "a.wav").touch()

    assert cli.run(["batch", str(tmp_path), "--out", "o"]) == 1

    assert one_sentence(capsys) == "tipring: the disk is full\n"


def test_a_batch_that_is_stopped_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(pool, "run_batch", raising(KeyboardInterrupt()))
    (tmp_path / "a.wav").touch()

    assert cli.run(["batch", str(tmp_path), "--out", "o"]) == 130

    assert "the same command again does the rest\ntipring: stopped\n" in capsys.readouterr().err


def test_serve_takes_carriers_credentials_from_the_environment_and_can_do_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[Config] = []
    monkeypatch.setattr(serve, "serve", lambda config, _on_ready: served.append(config))
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "CANARY-TOKEN")

    assert cli.run(["serve"]) == 0
    assert cli.run(["serve", "--insecure-carriers"]) == 0

    assert [config.phone.insecure for config in served] == [False, True]
    twilio = served[0].carriers.twilio
    assert twilio is not None
    assert twilio.auth_token is not None
    assert twilio.auth_token.get_secret_value() == "CANARY-TOKEN"


def test_serve_lays_options_and_the_environments_key_over_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "c.toml").write_text('[server]\nport = 1\nhost = "127.0.0.2"\n')
    monkeypatch.setenv("TIPRING_API_KEY", "CANARY-KEY")
    served: list[Config] = []

    def fake(config: Config, on_ready: Callable[[serve.Ready], None]) -> None:
        served.append(config)
        on_ready(serve.Ready("http://127.0.0.2:2", ("m",), ("a note",)))

    monkeypatch.setattr(serve, "serve", fake)

    assert cli.run(["serve", "--port", "2", "--config", str(tmp_path / "c.toml")]) == 0

    config = served[0]
    assert (config.server.port, config.server.host) == (2, "127.0.0.2")
    assert not config.phone.insecure
    assert [key.get_secret_value() for key in config.server.api_keys] == ["CANARY-KEY"]
    out, err = capsys.readouterr()
    assert out == "Tipring serves http://127.0.0.2:2; Ctrl-C ends it.\n"
    assert err == "A page to call from: http://127.0.0.2:2/\na note\n"

    assert cli.run(["serve", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"url": "http://127.0.0.2:2", "models": ["m"], "notes": ["a note"]}
