"""What one call shall be: the plan the command line and the batch make, and the run carries out.

Nothing here touches files, sockets or clocks. `FILE@+1.5s` is parsed here and nowhere else.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from bridge.errors import UsageError

DEFAULT_TURN_GAP_MS: Final = 700
DEFAULT_SAMPLE_RATE_HZ: Final = 8_000
SAMPLE_RATES_HZ: Final = (8_000, 16_000, 24_000, 48_000)
DEFAULT_CLIENT_BUFFER_MS: Final = 30_000
DEFAULT_TAIL_S: Final = 10.0
MAX_TAIL_S: Final = 3_600.0
MAX_DURATION_S: Final = 14_400.0
MAX_OFFSET_S: Final = 3_600.0
"""An input that waits longer than this after the agent's first sample is a slip of the keyboard."""

# What follows the last "@" is meant as an offset when it is a number, a sign or a unit aside.
# "take@2.wav" and "anna@home.wav" stay names.
_MEANT_AS_OFFSET: Final = re.compile(r"[+-]|[+-]?[\d.,]+\s*(s|ms|sec|seconds)?")
_OFFSET: Final = re.compile(r"\+(?P<number>\d{1,6}(\.\d{1,6})?)(?P<unit>s|ms)")


@dataclass(frozen=True, slots=True)
class CallerInput:
    """One file the caller plays, and when it starts.

    `offset_after_agent_s` is None for a turn that waits until the agent listens and is silent;
    else the file starts that many seconds after the agent's next first audible sample.
    """

    path: Path
    offset_after_agent_s: float | None = None

    def __str__(self) -> str:
        if self.offset_after_agent_s is None:
            return str(self.path)
        return f"{self.path}@+{self.offset_after_agent_s:g}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class VadOptions:
    """The call's `vadSettings`; None leaves the server's default."""

    turn_endpoint_delay_ms: int | None = None
    minimum_turn_duration_ms: int | None = None
    minimum_interruption_duration_ms: int | None = None
    frame_activation_threshold: float | None = None

    def as_request(self) -> dict[str, object]:
        """As a create-call request spells it: durations as `"0.384s"`; only what is set."""
        body: dict[str, object] = {}
        for key, value_ms in (
            ("turnEndpointDelay", self.turn_endpoint_delay_ms),
            ("minimumTurnDuration", self.minimum_turn_duration_ms),
            ("minimumInterruptionDuration", self.minimum_interruption_duration_ms),
        ):
            if value_ms is not None:
                body[key] = f"{value_ms / 1000:g}s"
        if self.frame_activation_threshold is not None:
            body["frameActivationThreshold"] = self.frame_activation_threshold
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """One call with files as the caller.

    Attributes:
        inputs: The caller's files in order. One without an offset is played straight through at
            its own times; several are turns.
        out_dir: Where agent.wav, call.wav, call.json and timeline.html go; made when missing.
        seed: Everything random in the call comes from it (virtual time: same seed, same bytes).
        virtual: Run on the jumping clock against the embedded server.
        api_url: Base URL of an Ultravox-style API to create the call at; None: the embedded server.
        api_key: Sent as X-API-Key to `api_url`.
        join_url: Join this call instead of creating one; excludes `api_url`.
        webrtc: The call that `api_url` makes has the medium `webRtc`.
        agent: Name or id of an agent of the API (`POST /api/agents/{id}/calls`).
        model: `model` of the create-call request.
        script: A script file for the embedded server's scripted brain.
        system_prompt: `systemPrompt` of the create-call request.
        vad: `vadSettings` of the create-call request.
        tools: Canned results of client tools, by name; declared to the call as client tools, where
            no agent of an API has declared them.
        turn_gap_ms: The agent's silence that lets the caller's next turn begin.
        sample_rate_hz: Rate of the call's audio in both directions.
        client_buffer_ms: `clientBufferSizeMs` of the create-call request.
        tail_s: How long the call goes on after the last input before the caller hangs up,
            counted from the last time anybody was audible.
        max_duration_s: The call's hard end; None: the server's default.
        record: Whether call.wav and agent.wav are written.
    """

    inputs: tuple[CallerInput, ...]
    out_dir: Path
    seed: str = "tipring"
    virtual: bool = False
    api_url: str | None = None
    api_key: SecretStr | None = None
    join_url: str | None = None
    webrtc: bool = False
    agent: str | None = None
    model: str | None = None
    script: Path | None = None
    system_prompt: str | None = None
    vad: VadOptions = field(default_factory=VadOptions)
    tools: Mapping[str, str] = field(default_factory=dict)
    turn_gap_ms: int = DEFAULT_TURN_GAP_MS
    sample_rate_hz: int = DEFAULT_SAMPLE_RATE_HZ
    client_buffer_ms: int = DEFAULT_CLIENT_BUFFER_MS
    tail_s: float = DEFAULT_TAIL_S
    max_duration_s: float | None = None
    record: bool = True

    @property
    def embedded(self) -> bool:
        """Whether the call runs against the embedded server."""
        return self.api_url is None and self.join_url is None

    @property
    def stored_agent(self) -> str | None:
        """The agent of an API that the call is made of; a shipped script of that name is none."""
        return None if self.api_url is None else self.agent

    def check(self) -> None:
        """Refuse what cannot be together.

        Raises: UsageError with one sentence.
        """
        for wrong, sentence in self._contradictions():
            if wrong:
                raise UsageError(sentence)

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        remote = not self.embedded
        own = (self.model, self.system_prompt, self.vad.as_request() or None)
        picks = (self.agent, self.model, self.script, self.system_prompt)
        return (
            (not self.inputs, "a call needs at least one --in FILE"),
            (
                self.api_url is not None and self.join_url is not None,
                "--api-url and --join-url exclude each other: a join URL is a call already made",
            ),
            (
                self.webrtc and self.api_url is None,
                "--webrtc goes with --api-url: a join URL tells its medium by itself",
            ),
            (
                self.virtual and remote,
                "--virtual works with the embedded server only: a remote call runs in real time",
            ),
            (
                self.api_key is not None and self.api_url is None,
                "--api-key goes with --api-url",
            ),
            (
                self.api_key is not None and not _fits_a_header(self.api_key.get_secret_value()),
                "the API key has a blank, a control character or a letter beyond ASCII in it",
            ),
            (
                self.join_url is not None and any(pick is not None for pick in picks),
                "--join-url joins a call whose agent is chosen: leave out what picks one",
            ),
            (
                self.script is not None and self.api_url is not None,
                "--script is for the embedded server: a remote API runs its own agents",
            ),
            (
                self.script is not None and (self.agent is not None or self.model is not None),
                "--script picks the agent already: leave out --agent and --model",
            ),
            (
                self.stored_agent is not None and any(each is not None for each in own),
                "--agent of an API has its own model, prompt and VAD settings: leave these out",
            ),
            (
                self.agent is not None and self.model is not None,
                "--agent and --model exclude each other: both say who answers",
            ),
            (
                self.sample_rate_hz not in SAMPLE_RATES_HZ,
                f"--sample-rate is one of {', '.join(map(str, SAMPLE_RATES_HZ))}",
            ),
            (self.turn_gap_ms < 0, "--turn-gap cannot be negative"),
            (not 0 <= self.tail_s <= MAX_TAIL_S, f"--tail is 0 to {MAX_TAIL_S:g} seconds"),
            (
                self.max_duration_s is not None and not 0 < self.max_duration_s <= MAX_DURATION_S,
                f"--max-duration is more than 0 and at most {MAX_DURATION_S:g} seconds",
            ),
        )


def _fits_a_header(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key


@dataclass(frozen=True, slots=True)
class CallProgress:
    """Where a running call stands: seconds of call time, what happens now."""

    at_s: float
    of_s: float | None = None
    text: str = ""


OnProgress = Callable[[CallProgress], None]


def parse_api_url(text: str) -> str:
    """The base of an API's addresses, without the `/api` that each path begins with anyway.

    Raises: UsageError for what is no http address.
    """
    try:
        url = urlsplit(text)
        # urlsplit drops line ends and lets blanks pass
        usable = (
            url.scheme in ("http", "https")
            and url.hostname
            and not (url.query or url.fragment)
            and text.isprintable()
            and " " not in text
        )
        _ = url.port
    except ValueError:  # half an IPv6 address, a port that is no number
        usable = False
    if not usable:
        raise UsageError(f"“{text}” is no address of an API; write https://api.example.com")
    return text.rstrip("/").removesuffix("/api")


def parse_input(text: str) -> CallerInput:
    """`FILE` or `FILE@+1.5s` (also `@+800ms`) as an input.

    Raises: UsageError when what follows the last `@` is meant as an offset but is none.
    """
    head, at, tail = text.rpartition("@")
    if not at or not head or not _MEANT_AS_OFFSET.fullmatch(tail):
        if not text:
            raise UsageError("an empty file name is no input")
        return CallerInput(Path(text))
    offset = _OFFSET.fullmatch(tail)
    if offset is None:
        raise UsageError(
            f"“@{tail}” is no offset; write {Path(head).name}@+1.5s to start 1.5 s after "
            "the agent's next first audible sample"
        )
    offset_s = float(offset["number"]) * (0.001 if offset["unit"] == "ms" else 1.0)
    if offset_s > MAX_OFFSET_S:
        raise UsageError(f"“@{tail}” is more than the {MAX_OFFSET_S:g} s an input may wait")
    return CallerInput(Path(head), offset_s)


def parse_tools(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=RESULT` for each canned tool.

    Raises: UsageError for one without a name, or a name that is there twice.
    """
    tools: dict[str, str] = {}
    for text in texts:
        name, equals, result = text.partition("=")
        if not equals or not name:
            raise UsageError(f"“{text}” is no tool; write NAME=RESULT, as in bookTable=ok")
        if name in tools:
            raise UsageError(f"the tool {name} is there twice")
        tools[name] = result
    return tools
