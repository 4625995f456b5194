import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.batch import job_list
from bridge.batch.job_list import load_jobs
from bridge.batch.outcome import JobOutcome
from bridge.batch.plan import CallerInput
from bridge.errors import ConfigError, UsageError

EXAMPLE = Path(__file__).parents[3] / "config" / "jobs.toml"


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_example_loads_and_says_what_it_means() -> None:
    books, interrupts, silent = load_jobs(EXAMPLE).jobs

    assert books.id == books.seed == "books-an-appointment"
    assert books.inputs[0] == CallerInput(EXAMPLE.parent / "callers" / "hello.wav")
    assert json.loads(books.tools["bookAppointment"])["status"] == "booked"
    assert (books.expect.tools, books.expect.min_turns) == (("bookAppointment",), 3)
    assert interrupts.inputs[1].offset_after_agent_s == 1.5
    assert interrupts.vad.turn_endpoint_delay_ms == 384
    assert silent.expect.end_reason == ("agent_hangup",)
    assert silent.agent == "receptionist"


def test_toml_and_json_lines_say_the_same(tmp_path: Path) -> None:
    toml = put(tmp_path, "a.toml", '[[job]]\nid = "x"\nin = "a.wav"\ntools = {t = {n = 1}}\n')
    lines = put(tmp_path, "a.jsonl", '\n{"id": "x", "in": ["a.wav"], "tools": {"t": {"n": 1}}}\n\n')

    assert load_jobs(toml) == load_jobs(lines)


def test_a_folder_gives_its_recordings_by_name_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    for name in ("b.wav", "a.MP3", "notes.txt", ".hidden.wav", "ä ö.flac"):
        put(tmp_path, name, "")
    (tmp_path / "more.wav").mkdir()

    found = load_jobs(tmp_path)

    assert [job.seed for job in found.jobs] == ["a.MP3", "b.wav", "ä ö.flac"]
    assert [job.id for job in found.jobs][:2] == ["a", "b"]
    assert found.notes == ("left out, not the names of recordings: notes.txt",)


def test_recordings_that_differ_in_case_only_are_jobs_of_their_own(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "")
    put(tmp_path, "A.wav", "")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system ignores case")

    ids = [job.id for job in load_jobs(tmp_path).jobs]

    assert len({each.lower() for each in ids}) == 2
    assert ids[0].startswith("A.wav-")
    assert ids[1].startswith("a.wav-")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_name_that_is_no_text_is_a_job_that_can_be_written_down(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff.wav")
    put(tmp_path, name, "")

    [job] = load_jobs(tmp_path).jobs

    assert job.seed == r"bad\udcff.wav"
    assert job.inputs[0].path.name == name
    outcome = JobOutcome(id=job.id, status="failed", reasons=(f"{name}: empty",), notes=(name,))
    assert r"bad\\udcff" in outcome.model_dump_json()


def test_recordings_that_differ_in_their_ending_keep_it_and_their_seed(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "")
    [alone] = load_jobs(tmp_path).jobs
    put(tmp_path, "a.mp3", "")

    mp3, wav = load_jobs(tmp_path).jobs

    assert (alone.id, mp3.id, wav.id) == ("a", "a.mp3", "a.wav")
    assert alone.seed == wav.seed


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ('[[job]]\nid = "x"\nin = "a"\nagnet = "b"', r"job 1 \(x\): unknown key 'agnet'; did you"),
        (
            '[[job]]\nid = "x"\nin = "a"\n[job.expect]\ntool = "b"',
            "'expect.tool'; did you mean 'to",
        ),
        (
            '[[job]]\nid = "x"\nin = "a"\n[job.vad]\nthreshold = 1',
            "'vad.threshold'; known: turn_end",
        ),
        ('[[job]]\nin = "a"', "job 1: the key 'id' is missing"),
        ('[[job]]\nid = "x"', "the key 'in' is missing"),
        ('[[job]]\nid = "x"\nin = []', "in: "),
        ('[[job]]\nid = "x"\nin = 3', "in: "),
        ('[[job]]\nid = "../x"\nin = "a"', "the id may hold"),
        ('[[job]]\nid = "x"\nin = "a@1s"', "no offset"),
        ('[[job]]\nid = "x"\nin = "a"\nturn_gap_ms = -1', "turn_gap_ms: "),
        ('[[job]]\nid = "x"\nin = "a"\nsample_rate_hz = 0', "sample_rate_hz: "),
        ('[[job]]\nid = "x"\nin = "a"\nscript = "s"\nagent = "b"', "script picks"),
        ('[[job]]\nid = "x"\nin = "a"\n[[job]]\nid = "X"\nin = "a"', "'X' is there twice"),
        ('[defaults]\nid = "x"', "'id' belongs to one job"),
        ('[[jobs]]\nid = "x"', "unknown key 'jobs'; did you mean 'job'"),
        ("job = 3", "write each job as"),
        ("defaults = 3", "write each job as"),
        ("= no toml", "not valid TOML"),
    ],
)
def test_a_wrong_list_is_refused_with_the_job_and_the_key(
    tmp_path: Path, toml: str, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        load_jobs(put(tmp_path, "list.toml", toml))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 1: not valid JSON"),
        ("[" * 100_000, "line 1: not valid JSON"),
        ("3", "line 1: a job is a JSON object"),
        ('{"id": 3, "in": "a"}', "line 1: id: "),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(
    tmp_path: Path, line: str | bytes, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load_jobs(put(tmp_path, "list.jsonl", line))


@pytest.mark.parametrize(("name", "content"), [("a.toml", ""), ("a.jsonl", "\n"), ("a.txt", "x")])
def test_what_holds_no_jobs_is_wrong_usage(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(UsageError, match=r"no jobs in it|jobs are a folder"):
        load_jobs(put(tmp_path, name, content))


def test_nothing_there_and_an_empty_folder_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: cannot be read"):
        load_jobs(tmp_path / "nowhere.toml")
    with pytest.raises(UsageError, match="no jobs in it"):
        load_jobs(tmp_path)


def test_lists_beyond_the_limits_are_refused_and_at_the_limit_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f'{{"id": "{n}", "in": "a"}}\n' for n in range(3))
    path = put(tmp_path, "a.jsonl", lines)
    monkeypatch.setattr(job_list, "MAX_JOBS", 3)
    monkeypatch.setattr(job_list, "MAX_LIST_BYTES", len(lines))
    assert len(load_jobs(path).jobs) == 3

    monkeypatch.setattr(job_list, "MAX_JOBS", 2)
    with pytest.raises(ConfigError, match="more than 2 jobs"):
        load_jobs(path)
    monkeypatch.setattr(job_list, "MAX_LIST_BYTES", len(lines) - 1)
    with pytest.raises(ConfigError, match="longer than"):
        load_jobs(path)


@given(st.binary(max_size=300), st.sampled_from([".toml", ".jsonl"]))
def test_any_bytes_are_jobs_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = put(tmp_path_factory.getbasetemp(), f"any{suffix}", content)

    try:
        found = load_jobs(path)
    except UsageError:
        return

    assert found.jobs


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(["id", "in", "tools", "vad", "expect", "tail_s", "script", "agent", "x"])


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_object_is_a_job_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, entry: dict[str, object]
) -> None:
    path = put(tmp_path_factory.getbasetemp(), "any.jsonl", json.dumps(entry))

    try:
        found = load_jobs(path)
    except UsageError:
        return

    assert len(found.jobs) == 1
