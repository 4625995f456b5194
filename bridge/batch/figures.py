"""What a recording says about a call: response latency, interruptions, overrun.

Everything is measured from the two channels themselves, never from events: what nobody could hear
did not happen. Speech begins at the first and ends at the last 10 ms frame that stands more than
20 dB above its channel's noise floor; gaps shorter than 200 ms belong to the speech
(`bridge.audio.level.audible_spans`). Positions are samples until the very end; the seconds and
milliseconds here are for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bridge.audio.level import Span, audible_spans
from bridge_codecs.pcm import Int16


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller said until the agent answered, and how long the answer took.

    `latency_ms` runs from the end of the caller's speech to the agent's first audible sample. It is
    negative when the agent began before the caller had ended, None when no answer came.
    """

    caller_start_s: float
    caller_end_s: float
    response_start_s: float | None
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Interruption:
    """The caller began while the agent was audible; the agent went on for `overrun_ms`."""

    caller_start_s: float
    agent_start_s: float
    overrun_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one call. Durations and instants in seconds from the call's first sample."""

    duration_s: float
    caller_speech_s: float
    agent_speech_s: float
    first_agent_sample_s: float | None
    turns: tuple[Turn, ...]
    interruptions: tuple[Interruption, ...]
    underruns: int
    underrun_ms: float

    @property
    def latencies_ms(self) -> tuple[float, ...]:
        """The latency of each answered turn."""
        return tuple(turn.latency_ms for turn in self.turns if turn.latency_ms is not None)

    def as_dict(self) -> dict[str, object]:
        """For JSON: plain values, milliseconds to 0.1, seconds to 0.0001, keys in this order."""
        latencies = self.latencies_ms
        overruns = [cut.overrun_ms for cut in self.interruptions]
        return {
            "duration_s": round(self.duration_s, 4),
            "caller_speech_s": round(self.caller_speech_s, 4),
            "agent_speech_s": round(self.agent_speech_s, 4),
            "first_agent_sample_s": _rounded(self.first_agent_sample_s, 4),
            "turns": [_turn(turn) for turn in self.turns],
            "latency_median_ms": _rounded(median(latencies), 1) if latencies else None,
            "latency_max_ms": _rounded(max(latencies), 1) if latencies else None,
            "interruptions": [_interruption(cut) for cut in self.interruptions],
            "overrun_max_ms": _rounded(max(overruns), 1) if overruns else None,
            "underruns": self.underruns,
            "underrun_ms": round(self.underrun_ms, 1),
        }


def measure(
    caller: Int16, agent: Int16, rate_hz: int, *, underruns: int = 0, underrun_ms: float = 0.0
) -> Figures:
    """Figures of a call from its two channels.

    Args:
        caller: The left channel, mono int16.
        agent: The right channel, mono int16, sample-locked to `caller`.
        rate_hz: Sample rate of both.
        underruns: Holes that the loudspeaker met inside the agent's speech.
        underrun_ms: Their length together.
    """
    caller_spans = audible_spans(caller, rate_hz)
    agent_spans = audible_spans(agent, rate_hz)
    return Figures(
        duration_s=max(caller.size, agent.size) / rate_hz,
        caller_speech_s=sum(span.end - span.start for span in caller_spans) / rate_hz,
        agent_speech_s=sum(span.end - span.start for span in agent_spans) / rate_hz,
        first_agent_sample_s=agent_spans[0].start / rate_hz if agent_spans else None,
        turns=find_turns(caller_spans, agent_spans, rate_hz),
        interruptions=find_interruptions(caller_spans, agent_spans, rate_hz),
        underruns=underruns,
        underrun_ms=underrun_ms,
    )


def find_turns(caller: Sequence[Span], agent: Sequence[Span], rate_hz: int) -> tuple[Turn, ...]:
    """The caller's turns: spans of speech with no answer between them are one turn."""
    turns: list[Turn] = []
    answers = _Answers(agent)
    at = 0
    while at < len(caller):
        start, end = caller[at].start, caller[at].end
        answer = answers.to(start, end)
        at += 1
        while at < len(caller) and (answer is None or answer >= caller[at].start):
            end = caller[at].end
            answer = answers.to(start, end)
            at += 1
        turns.append(_make_turn(start, end, answer, rate_hz))
    return tuple(turns)


def find_interruptions(
    caller: Sequence[Span], agent: Sequence[Span], rate_hz: int
) -> tuple[Interruption, ...]:
    """Where the caller began while the agent was audible, once for each stretch of agent speech."""
    found: list[Interruption] = []
    at = 0
    for span in agent:
        while at < len(caller) and caller[at].start <= span.start:
            at += 1
        if at < len(caller) and caller[at].start < span.end:
            onset = caller[at].start
            overrun_ms = 1000 * (span.end - onset) / rate_hz
            found.append(Interruption(onset / rate_hz, span.start / rate_hz, overrun_ms))
    return tuple(found)


class _Answers:
    """Finds the agent's answer to a stretch of caller speech; asked in order of time."""

    def __init__(self, agent: Sequence[Span]) -> None:
        self._agent = agent
        self._at = 0

    def to(self, start: int, end: int) -> int | None:
        """First sample of the agent's speech that begins after `start` and lasts beyond `end`."""
        agent = self._agent
        while self._at < len(agent) and (
            agent[self._at].start <= start or agent[self._at].end <= end
        ):
            self._at += 1
        return agent[self._at].start if self._at < len(agent) else None


def _make_turn(start: int, end: int, answer: int | None, rate_hz: int) -> Turn:
    if answer is None:
        return Turn(start / rate_hz, end / rate_hz, None, None)
    latency_ms = 1000 * (answer - end) / rate_hz
    return Turn(start / rate_hz, end / rate_hz, answer / rate_hz, latency_ms)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _turn(turn: Turn) -> dict[str, object]:
    return {
        "caller_start_s": round(turn.caller_start_s, 4),
        "caller_end_s": round(turn.caller_end_s, 4),
        "response_start_s": _rounded(turn.response_start_s, 4),
        "latency_ms": _rounded(turn.latency_ms, 1),
    }


def _interruption(cut: Interruption) -> dict[str, object]:
    return {
        "caller_start_s": round(cut.caller_start_s, 4),
        "agent_start_s": round(cut.agent_start_s, 4),
        "overrun_ms": round(cut.overrun_ms, 1),
    }
