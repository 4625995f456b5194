from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.batch.job import MAX_ID_CHARACTERS, BatchOptions, Job, safe_id, unsafe_id
from bridge.batch.plan import CallerInput, VadOptions

VIRTUAL = BatchOptions(virtual=True)


def job(folder: Path, **changes: object) -> Job:
    fields = {"id": "a", "seed": "a", "inputs": (CallerInput(folder / "in.wav", 1.5),), **changes}
    return Job.model_validate(fields)


def test_a_job_becomes_a_plan_with_everything_it_says(tmp_path: Path) -> None:
    vad = VadOptions(turn_endpoint_delay_ms=500)
    made = job(tmp_path, model="tipring/echo", vad=vad, tools={"a": "b"}, max_duration_s=9.0)
    options = BatchOptions(api_url="https://localhost", api_key=SecretStr("k"))

    plan = made.plan(tmp_path / "out", options)

    assert plan.inputs == made.inputs
    assert (plan.out_dir, plan.seed, plan.model) == (tmp_path / "out", "a", "tipring/echo")
    assert (plan.vad, plan.tools, plan.max_duration_s) == (vad, {"a": "b"}, 9.0)
    assert (plan.api_url, plan.virtual) == ("https://localhost", False)
    assert plan.api_key is not None
    assert plan.api_key.get_secret_value() == "k"


def test_a_job_survives_the_way_through_json(tmp_path: Path) -> None:
    made = job(tmp_path, tools={"a": "b"}, script=Path("s.toml"), expect={"min_turns": 2})

    assert Job.model_validate_json(made.model_dump_json()) == made


def test_the_digest_changes_with_the_job_its_options_and_its_files_and_not_with_the_folder(
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in.wav").write_bytes(b"sound")
    before = job(tmp_path / "a").digest(VIRTUAL)

    assert job(tmp_path / "b").digest(VIRTUAL) == before
    assert job(tmp_path / "a", tail_s=3.0).digest(VIRTUAL) != before
    assert job(tmp_path / "a").digest(BatchOptions()) != before
    assert job(tmp_path / "a").digest(VIRTUAL.model_copy(update={"api_key": SecretStr("k")})) == (
        before
    )
    (tmp_path / "a" / "in.wav").write_bytes(b"noise")
    assert job(tmp_path / "a").digest(VIRTUAL) != before
    (tmp_path / "a" / "in.wav").unlink()
    assert job(tmp_path / "a").digest(VIRTUAL) != before


@pytest.mark.parametrize(
    "name", ["a", "caller-1", "9.wav", "a_b.c", "x" * MAX_ID_CHARACTERS, "console"]
)
def test_plain_names_are_ids(name: str) -> None:
    assert unsafe_id(name) is None
    assert safe_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../up", "a/b", "a\\b", "a\0b", ".hidden", "a.", "con", "NUL.wav", "lpt1"),
        *("results.jsonl", "Batch.lock", "x" * (MAX_ID_CHARACTERS + 1), "é", "a b", "-a"),
    ],
)
def test_names_that_lead_astray_are_no_ids(name: str) -> None:
    assert unsafe_id(name) is not None


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_name_gets_a_safe_id_of_its_own(one: str, other: str) -> None:
    assert unsafe_id(safe_id(one)) is None
    assert one == other or safe_id(one) != safe_id(other)
