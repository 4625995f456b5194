"""One item of a batch: what to call with, what to expect, and how to tell it from any other."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bridge.batch.plan import (
    DEFAULT_SAMPLE_RATE_HZ,
    DEFAULT_TAIL_S,
    DEFAULT_TURN_GAP_MS,
    CallerInput,
    CallPlan,
    VadOptions,
)

MAX_ID_CHARACTERS: Final = 100
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Windows gives these names to devices, whatever follows the first dot.
_DEVICES: Final = {"con", "prn", "aux", "nul"} | {
    f"{port}{n}" for port in ("com", "lpt") for n in "0123456789"
}
_TAKEN: Final = {"results.jsonl", "batch.lock"}
_BLOCK_BYTES: Final = 1 << 20


class Expect(BaseModel):
    """What must hold for a job to pass; what is not set is not checked.

    Attributes:
        end_reason: One of these is the call's end reason.
        transcript_contains: Each of these stands in the transcript (case and spaces aside).
        tools: Each of these tools was called.
        max_latency_ms: No response took longer.
        max_overrun_ms: No interrupted agent went on for longer.
        min_turns: At least so many turns of the caller were answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    end_reason: tuple[str, ...] = ()
    transcript_contains: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    max_overrun_ms: Annotated[float, Field(gt=0)] | None = None
    min_turns: Annotated[int, Field(ge=0)] | None = None


class BatchOptions(BaseModel):
    """What holds for every job of a batch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    virtual: bool = False
    api_url: str | None = None
    api_key: SecretStr | None = None


class Job(BaseModel):
    """One call of a batch; `seed` makes its chance, so that order and neighbours do not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    seed: str
    inputs: tuple[CallerInput, ...]
    agent: str | None = None
    model: str | None = None
    script: Path | None = None
    system_prompt: str | None = None
    tools: dict[str, str] = Field(default_factory=dict)
    vad: VadOptions = VadOptions()
    turn_gap_ms: int = DEFAULT_TURN_GAP_MS
    sample_rate_hz: int = DEFAULT_SAMPLE_RATE_HZ
    tail_s: float = DEFAULT_TAIL_S
    max_duration_s: float | None = None
    expect: Expect = Expect()

    def plan(self, out_dir: Path, options: BatchOptions) -> CallPlan:
        """The plan of this job's call, with its files in `out_dir`."""
        return CallPlan(
            inputs=self.inputs,
            out_dir=out_dir,
            seed=self.seed,
            virtual=options.virtual,
            api_url=options.api_url,
            api_key=options.api_key,
            agent=self.agent,
            model=self.model,
            script=self.script,
            system_prompt=self.system_prompt,
            vad=self.vad,
            tools=self.tools,
            turn_gap_ms=self.turn_gap_ms,
            sample_rate_hz=self.sample_rate_hz,
            tail_s=self.tail_s,
            max_duration_s=self.max_duration_s,
        )

    def digest(self, options: BatchOptions) -> str:
        """Changes when the job, its options or a file it reads changes; not when these move."""
        told = self.model_dump(mode="json", exclude={"inputs", "script"})
        told["inputs"] = [
            (item.path.name, item.offset_after_agent_s, _content(item.path)) for item in self.inputs
        ]
        told["script"] = None if self.script is None else _content(self.script)
        told["options"] = [options.virtual, options.api_url]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def unsafe_id(name: str) -> str | None:
    """Why a name cannot be a job's id, which is also a folder's name; None when it can."""
    if not name:
        return "is empty"
    if len(name) > MAX_ID_CHARACTERS:
        return f"is longer than {MAX_ID_CHARACTERS} characters"
    if not _SAFE_ID.fullmatch(name) or name.endswith("."):
        return (
            "may hold letters, digits, dots, hyphens and underscores only, a letter or digit first"
        )
    if name.split(".", maxsplit=1)[0].lower() in _DEVICES or name.lower() in _TAKEN:
        return "is a name that is taken"
    return None


def safe_id(name: str) -> str:
    """An id made of any name: itself where that is safe, else a safe one that is as unique."""
    return name if unsafe_id(name) is None else marked_id(name)


def marked_id(name: str) -> str:
    """An id made of any name that no other name has, not even where case does not count."""
    mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[: MAX_ID_CHARACTERS - 18]
    return (
        f"{kept}-{mark}" if kept and unsafe_id(f"{kept}-{mark}") is None else f"job-{kept}-{mark}"
    )


def _content(path: Path) -> str:
    """A digest of a file's content, or why there is none."""
    try:
        if not path.is_file():
            return "no file"
        found = hashlib.sha256()
        for block in _blocks(path):
            found.update(block)
    except (OSError, ValueError) as exc:
        return type(exc).__name__
    return found.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
