"""What all phone calls of the process add up to, for the metrics page.

Nothing is counted twice and nothing per frame: a call counts in its own figures while it lives, and is added here when
it ends. A page shows both together, so that its counters never fall.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from bridge.legs.carrier.figures import CarrierFigures
from bridge.stats import DURATION_S, LATENESS_S, Histogram

COUNTED: Final = (
    *("frames_in", "frames_out", "underruns", "overruns", "clears", "marks_sent", "marks_back"),
    *("marks_flushed", "marks_lost", "digits", "warnings"),
)
"""Figures that are numbers of something."""
TIMED_MS: Final = (
    *("caller_audio_lost_ms", "caller_pauses_left_out_ms", "caller_audio_missing_ms"),
    *("agent_pauses_left_out_ms", "preroll_ms", "underrun_ms"),
)
"""Figures that are milliseconds."""


class LivePhoneCall(Protocol):
    """A phone call that has not ended, as the metrics see it."""

    @property
    def carrier(self) -> str:
        """The carrier's name."""
        ...

    @property
    def state(self) -> str:
        """How far it has come: one of a few words."""
        ...

    @property
    def figures(self) -> CarrierFigures:
        """What is counted of it."""
        ...


class PhoneTotals:
    """Sums over the calls that have ended, and the histograms that all calls share."""

    def __init__(self) -> None:
        self.lateness = Histogram(LATENESS_S)
        """How late paced frames went out, s; shared by all calls."""
        self.clear_latency = Histogram(LATENESS_S)
        """From a clear of the agent's side to the carrier's clear on the socket, s; shared by all calls."""
        self.overrun = Histogram(DURATION_S)
        """From a caller's onset to silence at the carrier, s."""
        self.first_audio = Histogram(DURATION_S)
        """From the start of the stream to the agent's first sound, s."""
        self.stages: dict[str, Histogram] = {}
        """How long each stage of setting a call up took, s."""
        self.ended: Counter[tuple[str, ...]] = Counter()
        """Calls by carrier and reason of their end."""
        self.counts: dict[str, Counter[str]] = {}
        """By carrier: the sums of the figures, under their own names."""
        self.ignored: Counter[tuple[str, ...]] = Counter()
        """What was dropped of what carriers sent, by carrier and reason."""

    def stage(self, name: str, seconds: float) -> None:
        """A stage of setting a call up is over."""
        self.stages.setdefault(name, Histogram(DURATION_S)).observe(seconds)

    def end(self, call: LivePhoneCall, reason: str) -> None:
        """A call has ended; in the same step it must cease to be among the live ones."""
        figures = call.figures
        self.ended[call.carrier, reason] += 1
        self.counts.setdefault(call.carrier, Counter()).update(_sums(figures))
        self.ignored.update(_ignored(call))
        if figures.first_agent_audio_s is not None:
            self.first_audio.observe(figures.first_agent_audio_s)
        for interruption in figures.interruptions:
            if interruption.overrun_ms is not None:
                self.overrun.observe(interruption.overrun_ms / 1000)

    def counts_with(self, live: Iterable[LivePhoneCall]) -> Mapping[str, Mapping[str, float]]:
        """By carrier: the sums over ended and live calls."""
        sums = {carrier: Counter(counts) for carrier, counts in self.counts.items()}
        for call in live:
            sums.setdefault(call.carrier, Counter()).update(_sums(call.figures))
        return sums

    def ignored_with(self, live: Iterable[LivePhoneCall]) -> Mapping[tuple[str, ...], int]:
        """What was dropped over ended and live calls."""
        total = Counter(self.ignored)
        for call in live:
            total.update(_ignored(call))
        return total


def _sums(figures: CarrierFigures) -> Mapping[str, float]:
    return {name: getattr(figures, name) for name in (*COUNTED, *TIMED_MS)}


def _ignored(call: LivePhoneCall) -> Mapping[tuple[str, ...], int]:
    return {(call.carrier, reason): n for reason, n in call.figures.ignored.items()}
