"""The jobs of a batch: a folder of recordings, or a list in TOML or JSON lines.

A list is strict: an unknown key is refused with the nearest known one, and every error names the
job. Relative paths in a list are meant from the list's own folder. `config/jobs.toml` is an example
with every key.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bridge.batch.job import Expect, Job, marked_id, safe_id, unsafe_id
from bridge.batch.plan import (
    DEFAULT_SAMPLE_RATE_HZ,
    DEFAULT_TAIL_S,
    DEFAULT_TURN_GAP_MS,
    CallerInput,
    VadOptions,
    parse_input,
)
from bridge.batch.text import writable
from bridge.errors import ConfigError, UsageError, did_you_mean

MAX_LIST_BYTES: Final = 16 * 1024 * 1024
MAX_JOBS: Final = 100_000
RECORDING_SUFFIXES: Final = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac", ".aif", ".aiff"}
    | {".au", ".caf", ".w64", ".rf64", ".wma", ".amr", ".webm", ".mka", ".3gp", ".wv"}
)


@dataclass(frozen=True, slots=True)
class JobSet:
    """The jobs in their order, and sentences for the user about what was left out."""

    jobs: tuple[Job, ...]
    notes: tuple[str, ...] = ()


def load_jobs(path: Path) -> JobSet:
    """The jobs of a folder or a list.

    Raises: UsageError when there is no such thing or nothing in it; ConfigError when a list is
    wrong, with the job and the key.
    """
    try:
        if path.is_dir():
            found = _from_folder(path)
        elif path.suffix.lower() == ".toml":
            found = JobSet(_from_toml(path))
        elif path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
            found = JobSet(_from_json_lines(path))
        elif not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
        else:
            raise UsageError(
                f"{path.name}: jobs are a folder of recordings, a .toml list or a .jsonl list"
            )
    except OSError as exc:
        raise UsageError(f"{path.name}: cannot be read ({exc.strerror or exc})") from None
    if not found.jobs:
        raise UsageError(f"{path.name}: there are no jobs in it")
    return found


def _from_folder(folder: Path) -> JobSet:
    files = sorted(entry for entry in folder.iterdir() if entry.is_file())
    visible = [file for file in files if not file.name.startswith(".")]
    recordings = [file for file in visible if file.suffix.lower() in RECORDING_SUFFIXES]
    stems = Counter(file.stem.lower() for file in recordings)
    names = Counter(file.name.lower() for file in recordings)

    def new_id(file: Path) -> str:
        if stems[file.stem.lower()] == 1:
            return safe_id(file.stem)
        return safe_id(file.name) if names[file.name.lower()] == 1 else marked_id(file.name)

    # The seed is the whole name: what else lies in the folder must not change a call.
    jobs = tuple(
        Job(id=new_id(file), seed=writable(file.name), inputs=(CallerInput(file),))
        for file in recordings
    )
    left_out = [file.name for file in visible if file not in recordings]
    note = f"left out, not the names of recordings: {_few(left_out)}"
    return JobSet(_unique(jobs), (note,) if left_out else ())


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _json_text(value: object) -> object:
    """A tool's canned result: text as it is, anything else as JSON."""
    if isinstance(value, str) or value is None:
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Milliseconds = Annotated[int, Field(ge=0, le=600_000)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Vad(_Table):
    turn_endpoint_delay_ms: Milliseconds | None = None
    minimum_turn_duration_ms: Milliseconds | None = None
    minimum_interruption_duration_ms: Milliseconds | None = None
    frame_activation_threshold: Annotated[float, Field(ge=0.1, le=1.0)] | None = None


class _Expect(Expect):
    end_reason: Texts = ()
    transcript_contains: Texts = ()
    tools: Texts = ()


class _Entry(_Table):
    """One job as a list spells it."""

    id: str
    recordings: Texts = Field(alias="in", min_length=1)
    agent: str | None = None
    model: str | None = None
    script: str | None = None
    system_prompt: str | None = None
    tools: dict[str, Annotated[str, BeforeValidator(_json_text)]] = Field(default_factory=dict)
    vad: _Vad = _Vad()
    turn_gap_ms: Milliseconds = DEFAULT_TURN_GAP_MS
    sample_rate_hz: Literal[8_000, 16_000, 24_000, 48_000] = DEFAULT_SAMPLE_RATE_HZ
    tail_s: Annotated[float, Field(ge=0, le=3_600)] = DEFAULT_TAIL_S
    max_duration_s: Annotated[float, Field(gt=0, le=14_400)] | None = None
    expect: _Expect = _Expect()


_TABLES: Final[Mapping[str, type[BaseModel]]] = {"vad": _Vad, "expect": _Expect}


def _from_toml(path: Path) -> tuple[Job, ...]:
    try:
        content = tomllib.loads(_text(path))
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{path.name}: not valid TOML: {exc}") from None
    defaults, entries = content.pop("defaults", {}), content.pop("job", [])
    if content:
        key = next(iter(content))
        raise ConfigError(
            f"{path.name}: unknown key {key!r}{did_you_mean(key, ['defaults', 'job'])}"
        )
    if not isinstance(defaults, dict) or not _are_tables(entries):
        raise ConfigError(f"{path.name}: write each job as [[job]] and common keys as [defaults]")
    for key in ("id", "in"):
        if key in defaults:
            raise ConfigError(f"{path.name}: {key!r} belongs to one job, not to [defaults]")
    # Also without a job the defaults are looked at.
    named = [(f"{path.name}: job {n}", {**defaults, **entry}) for n, entry in enumerate(entries, 1)]
    return _jobs(named, path.parent)


def _from_json_lines(path: Path) -> tuple[Job, ...]:
    named: list[tuple[str, dict[str, Any]]] = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path.name}: line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise ConfigError(f"{where}: not valid JSON: {exc}") from None
        if not isinstance(entry, dict):
            raise ConfigError(f"{where}: a job is a JSON object")
        named.append((where, entry))
    return _jobs(named, path.parent)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_LIST_BYTES + 1)
    if len(data) > MAX_LIST_BYTES:
        raise ConfigError(f"{path.name}: longer than {MAX_LIST_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path.name}: not UTF-8 at octet {exc.start}") from None


def _are_tables(entries: object) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)


def _jobs(named: Sequence[tuple[str, dict[str, Any]]], folder: Path) -> tuple[Job, ...]:
    if len(named) > MAX_JOBS:
        raise ConfigError(f"more than {MAX_JOBS} jobs in one list")
    return _unique(tuple(_job(where, entry, folder) for where, entry in named))


def _job(where: str, content: dict[str, Any], folder: Path) -> Job:
    if isinstance(content.get("id"), str):
        where = f"{where} ({content['id'][:40]})"
    try:
        entry = _Entry.model_validate(content)
    except ValidationError as exc:
        raise ConfigError(f"{where}: {_sentence(exc.errors()[0])}") from None
    if (why := unsafe_id(entry.id)) is not None:
        raise ConfigError(f"{where}: the id {why}")
    if entry.script is not None and (entry.agent is not None or entry.model is not None):
        raise ConfigError(f"{where}: script picks the agent already: leave out agent and model")
    try:
        parsed = [parse_input(text) for text in entry.recordings]
    except UsageError as exc:
        raise ConfigError(f"{where}: {exc}") from None
    given = entry.model_dump(exclude={"recordings", "script", "vad", "expect"})
    return Job(
        **given,
        seed=entry.id,
        inputs=tuple(CallerInput(folder / i.path, i.offset_after_agent_s) for i in parsed),
        script=None if entry.script is None else folder / entry.script,
        vad=VadOptions(**entry.vad.model_dump()),
        expect=Expect(**entry.expect.model_dump()),
    )


def _sentence(error: ErrorDetails) -> str:
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    if error["type"] == "missing":
        return f"the key {key!r} is missing"
    if error["type"] != "extra_forbidden":
        return f"{key}: {error['msg'][:1].lower()}{error['msg'][1:]}"
    table = _TABLES.get(location[0], _Entry) if len(location) > 1 else _Entry
    return f"unknown key {key!r}{did_you_mean(location[-1], _keys(table))}"


def _keys(table: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in table.model_fields.items()]


def _unique(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Raises: ConfigError for two ids that are one folder (some systems ignore case)."""
    seen: dict[str, Job] = {}
    for job in jobs:
        if job.id.lower() in seen:
            raise ConfigError(f"the id {job.id!r} is there twice; every job needs its own")
        seen[job.id.lower()] = job
    return tuple(seen.values())
