import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import cli
from bridge.batch.plan import CallerInput
from bridge.errors import BridgeError
from bridge.testing import run as runs
from bridge.testing.caller import KeyPresses
from bridge.testing.carriers.base import Account, Numbers
from bridge.testing.report import CallReport, ClearSeen
from bridge.testing.run import CarrierPlan, Watch
from bridge_codecs.pcm import silence
from tests.fakes.log_set_up import logging_restored

Capture = pytest.CaptureFixture[str]
CALL = ["carrier", "twilio", "--call", "http://localhost:1/answer"]


def report(**given: Any) -> CallReport:
    told: dict[str, Any] = {
        "carrier": "twilio",
        "call_id": "CA1",
        "status": "completed",
        "duration_s": 12.5,
        "rate_hz": 8_000,
        "heard": silence(8_000),
        "said": silence(8_000),
        "heard_s": 3.25,
        "first_audio_s": 0.4,
        "gaps_ms": [40.0],
        "clears": [ClearSeen(2.0, 300.0, 18.0)],
        "marks": 7,
        "marks_returned": 6,
        "keys_pressed": "12#",
        "keys_received": "",
        "connected_to": "",
        "ended_by": "application",
        "how": "its REST request set the status to completed",
        "problems": [],
        "notes": ["a note"],
    }
    return CallReport(**{**told, **given})


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with logging_restored():
        yield


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[CarrierPlan]:
    """The plans that would have been carried out."""
    made: list[CarrierPlan] = []

    def run(plan: CarrierPlan, watch: Watch) -> list[CallReport]:
        made.append(plan)
        watch.on_listening("http://127.0.0.1:8081", ["tell it this"])
        told = report()
        watch.on_report(told)
        return [told]

    monkeypatch.setattr(runs, "run", run)
    return made


def test_help_teaches(capsys: Capture) -> None:
    assert cli.run(["carrier", "--help"]) == 0

    out = capsys.readouterr().out
    assert "tipring carrier twilio --call" in out
    assert "--listen" in out


def test_the_plan_is_what_the_options_say(plans: list[CarrierPlan]) -> None:
    arguments = [*CALL, "--in", "a.wav", "--in", "b.wav@+1.5s", "--digits", "12#@5s"]
    arguments += ["--out", "o.wav", "--from", "+1", "--to", "+2", "--api-port", "0"]
    arguments += ["--profile", "stall", "--seed", "s", "--tail", "3", "--hang-up", "20"]
    arguments += ["--account-sid", "AC1", "--auth-token", "t", "--strict"]
    arguments += ["--option", "a=b", "--rate", "16000", "--status", "http://localhost:1/told"]

    assert cli.run(arguments) == 0

    [plan] = plans
    assert plan == CarrierPlan(
        carrier="twilio",
        call_url="http://localhost:1/answer",
        inputs=(CallerInput(Path("a.wav")), CallerInput(Path("b.wav"), 1.5)),
        keys=(KeyPresses("12#", 5.0),),
        out=Path("o.wav"),
        account=Account("AC1", "t"),
        api_port=0,
        numbers=Numbers("+1", "+2"),
        profile="stall",
        seed="s",
        tail_s=3.0,
        hang_up_at_s=20.0,
        strict=True,
        options={"a": "b"},
        line_hz=16_000,
        status_url="http://localhost:1/told",
    )


@pytest.mark.parametrize(("words", "url"), [([], None), (["--status", "none"], "")])
def test_a_status_goes_beside_the_answer_url_unless_it_is_to_go_nowhere(
    plans: list[CarrierPlan], words: list[str], url: str | None
) -> None:
    assert cli.run([*CALL, *words]) == 0

    assert plans[0].status_url == url


def test_credentials_come_from_the_carriers_usual_variables(
    plans: list[CarrierPlan], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC2")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "CANARY-TOKEN")

    assert cli.run(CALL) == 0

    assert plans[0].account == Account("AC2", "CANARY-TOKEN")
    assert "CANARY" not in "".join(capsys.readouterr())


def test_without_credentials_the_test_account_is_named(
    plans: list[CarrierPlan], capsys: Capture
) -> None:
    assert cli.run(CALL) == 0

    assert plans[0].account is None
    assert "AC00000000000000000000000000000000" in capsys.readouterr().err


def test_the_summary_says_what_was_heard_and_how_it_ended(
    plans: list[CarrierPlan], capsys: Capture
) -> None:
    assert cli.run(CALL) == 0

    assert capsys.readouterr().out.splitlines() == [
        "note: a note",
        "heard: 3.2 s, first after 0.4 s; gaps: 1 (longest 40 ms)",
        "clears: 1, silent within 18 ms",
        "marks: 7, 6 came back",
        "keys: the caller pressed 12#",
        "call CA1: 12.5 s, completed, ended by the application: its REST request set the status to completed",
    ]


def test_json_is_one_line_for_each_call(plans: list[CarrierPlan], capsys: Capture) -> None:
    assert cli.run(["carrier", "twilio", "--listen", "--calls", "1", "--json"]) == 0

    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    told = json.loads(captured.out)
    assert (told["passed"], told["clears"][0]["silence_after_ms"]) == (True, 18.0)
    assert "twilio answers http://127.0.0.1:8081" in captured.err
    assert "note: tell it this\n" in captured.err
    assert plans[0].call_url is None


@pytest.mark.parametrize(
    "given", [{"problems": ["It did this."]}, {"status": "busy"}, {"duration_s": 0.0}]
)
def test_a_call_with_a_problem_ends_with_1(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def run(_plan: CarrierPlan, watch: Watch) -> list[CallReport]:
        watch.on_report(report(**given))
        return [report(**given)]

    monkeypatch.setattr(runs, "run", run)

    assert cli.run(CALL) == 1

    shown = capsys.readouterr().out
    assert all(f"problem: {sentence}" in shown for sentence in given.get("problems", []))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["carrier", "twilio"], "--call URL"),
        ([*CALL, "--listen"], "--call URL"),
        (["carrier", "twillio", "--listen"], "did you mean 'twilio'"),
        ([*CALL, "--profile", "mobile"], "mobile-edge"),
        ([*CALL, "--digits", "12"], "12#@5s"),
        ([*CALL, "--in", "a.wav@1s"], "no offset"),
        ([*CALL, "--tail", "-1"], "--tail"),
        ([*CALL, "--option", "x"], "NAME=VALUE"),
        ([*CALL, "--option", "x=1", "--api-port", "0"], "no option 'x'"),
        ([*CALL, "--rate", "11025"], "--rate"),
        ([*CALL, "--api-port", "70000"], "--api-port"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, capsys: Capture
) -> None:
    assert cli.run(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    said = [line for line in err.splitlines() if not line.startswith("note: ")]
    assert len(said) == 1
    assert said[0].startswith("tipring: ")
    assert words in said[0]


def test_what_breaks_is_one_sentence_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def run(_plan: CarrierPlan, _watch: Watch) -> list[CallReport]:
        raise BridgeError("o.wav cannot be written")

    monkeypatch.setattr(runs, "run", run)

    assert cli.run(CALL) == 1

    assert capsys.readouterr().err.endswith("tipring: o.wav cannot be written\n")
