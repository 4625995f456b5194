from pathlib import Path

from pydantic import SecretStr

from bridge.batch.job import BatchOptions, Job
from bridge.batch.plan import CallerInput
from bridge.batch.worker import DEFAULT_RUN_JOB, decode_request, encode_request, load_run_job

JOB = Job(id="a", seed="s", inputs=(CallerInput(Path("a.wav"), 1.5),), tools={"t": "\n{}"})


def test_a_request_is_one_line_and_comes_back_as_it_was() -> None:
    options = BatchOptions(api_url="https://localhost", api_key=SecretStr("k"))

    line = encode_request(JOB, Path("out/a"), options)

    assert line.count(b"\n") == 1
    assert decode_request(line) == (JOB, Path("out/a"), options)


def test_a_request_without_a_key_has_none() -> None:
    _, _, options = decode_request(encode_request(JOB, Path("a"), BatchOptions(virtual=True)))

    assert options == BatchOptions(virtual=True)


def test_the_default_function_is_the_one_that_runs_a_call() -> None:
    assert load_run_job(DEFAULT_RUN_JOB).__module__ == "bridge.batch.run_job"
