"""What is counted of one phone call at its carrier's socket: plain numbers, cheap enough for every frame."""

from collections import Counter
from dataclasses import dataclass, field

from bridge.stats import Histogram
from bridge.wire.carriers.base import IgnoredReason


@dataclass(frozen=True, slots=True)
class Interruption:
    """The agent was cut off in mid-speech."""

    at_s: float
    """Since the stream began, s."""
    heard_text: str
    """What of the agent's words the caller had heard by then; empty where the words are not known."""
    unheard_text: str
    """What the agent would have gone on to say; what of it was shown already, where the AI side does not tell."""
    unheard_ms: float
    """Agent audio that was dropped before it was heard, ms."""
    overrun_ms: float | None
    """How long the carrier went on, ms: from when the caller began to speak over the agent, or pressed the last key, to
    silence; None where nothing of the caller's was the cause."""


@dataclass(slots=True)
class CarrierFigures:
    """The figures of one call. `lateness` and `clear_latency` may be shared by all calls."""

    frames_in: int = 0
    """Messages of the caller's audio."""
    frames_out: int = 0
    """Messages of the agent's audio."""
    preroll_ms: float = 0.0
    """The caller's audio that was kept until the other side was there, ms."""
    caller_audio_lost_ms: float = 0.0
    """The caller's audio that the other side never got, ms: too much to keep, or too old."""
    caller_pauses_left_out_ms: float = 0.0
    """The caller's silence that the other side never got, ms: over WebRTC, a delay is worked off in pauses."""
    agent_pauses_left_out_ms: float = 0.0
    """The agent's silence that the carrier never got, ms: after a freeze, a delay is worked off in pauses."""
    caller_audio_missing_ms: float = 0.0
    """The caller's audio that the carrier itself lost, ms; silence stands for it."""
    first_agent_audio_s: float | None = None
    """Since the stream began, s."""
    underruns: int = 0
    """Holes inside the agent's speech."""
    underrun_ms: float = 0.0
    overruns: int = 0
    """How often the agent's audio did not fit into the lane to the carrier."""
    clears: int = 0
    marks_sent: int = 0
    marks_back: int = 0
    """That proved audio played."""
    marks_flushed: int = 0
    """That were waiting at a clear, or that the carrier called flushed."""
    marks_lost: int = 0
    """That were given up because too many waited."""
    digits: int = 0
    """Keys the caller pressed."""
    warnings: int = 0
    """Complaints of the carrier."""
    ignored: Counter[IgnoredReason] = field(default_factory=Counter)
    """What was dropped of what the carrier sent, by reason."""
    interruptions: list[Interruption] = field(default_factory=list)
    lateness: Histogram | None = None
    """How late paced frames went out, s."""
    clear_latency: Histogram | None = None
    """From a clear of the agent's side to the carrier's clear on the socket, s."""

    @property
    def marks_outstanding(self) -> int:
        """Marks that may still come back."""
        return self.marks_sent - self.marks_back - self.marks_flushed - self.marks_lost


def figures_of(figures: CarrierFigures) -> dict[str, object]:
    """The figures of a call as plain JSON, without its interruptions."""
    first_s = figures.first_agent_audio_s
    return {
        "framesIn": figures.frames_in,
        "framesOut": figures.frames_out,
        "prerollMs": round(figures.preroll_ms),
        "callerAudioLostMs": round(figures.caller_audio_lost_ms, 1),
        "callerPausesLeftOutMs": round(figures.caller_pauses_left_out_ms),
        "agentPausesLeftOutMs": round(figures.agent_pauses_left_out_ms),
        "callerAudioMissingMs": round(figures.caller_audio_missing_ms, 1),
        "firstAgentAudio": None if first_s is None else round(first_s, 3),
        "underruns": figures.underruns,
        "underrunMs": round(figures.underrun_ms, 1),
        "overruns": figures.overruns,
        "clears": figures.clears,
        "marksSent": figures.marks_sent,
        "marksBack": figures.marks_back,
        "marksFlushed": figures.marks_flushed,
        "marksLost": figures.marks_lost,
        "digits": figures.digits,
        "warnings": figures.warnings,
        "ignored": dict(figures.ignored),
    }


def interruptions_of(figures: CarrierFigures) -> list[dict[str, object]]:
    """The interruptions of a call as plain JSON."""
    return [
        {
            "at": round(each.at_s, 3),
            "heardText": each.heard_text,
            "unheardText": each.unheard_text,
            "unheardMs": round(each.unheard_ms),
            "overrunMs": None if each.overrun_ms is None else round(each.overrun_ms),
        }
        for each in figures.interruptions
    ]
