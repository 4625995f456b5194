"""What the metrics page says of phone calls. Labels are carriers, states, stages and reasons, never who is called."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import Metric

from bridge.gateway.metrics import (
    Labels,
    Source,
    counters,
    gauges,
    histogram,
    histograms,
)
from bridge.gateway.phone_totals import LivePhoneCall, PhoneTotals

_COUNTED: Final = {
    "frames_in": ("frames_received", "Messages of callers' audio."),
    "frames_out": ("frames_sent", "Messages of agents' audio."),
    "underruns": ("underruns", "Holes inside an agent's speech."),
    "overruns": ("overruns", "Times that an agent's audio did not fit on the way to the carrier."),
    "clears": ("clears", "Times that carriers were told to drop what was not yet played."),
    "marks_sent": ("marks_sent", "Marks sent behind audio."),
    "marks_back": ("marks_played", "Marks that came back and proved audio played."),
    "marks_flushed": ("marks_flushed", "Marks whose audio was dropped by a clear."),
    "marks_lost": ("marks_lost", "Marks that were given up."),
    "digits": ("digits", "Keys that callers pressed."),
    "warnings": ("carrier_warnings", "Complaints of carriers."),
}
_TIMED: Final = {
    "caller_audio_lost_ms": (
        "caller_audio_lost_seconds",
        "Audio of callers that the AI side never got.",
    ),
    "caller_pauses_left_out_ms": (
        "caller_pauses_left_out_seconds",
        "Silence of callers that was not sent to an AI side over WebRTC, to work a delay off.",
    ),
    "agent_pauses_left_out_ms": (
        "agent_pauses_left_out_seconds",
        "Silence of agents that was not sent to a carrier, to work the delay off that a freeze has left.",
    ),
    "caller_audio_missing_ms": (
        "caller_audio_missing_seconds",
        "Audio of callers that their carrier lost; silence stands for it.",
    ),
    "preroll_ms": (
        "preroll_seconds",
        "Audio of callers that was kept until the AI side was there.",
    ),
    "underrun_ms": ("underrun_seconds", "Length of the holes inside agents' speech."),
}


def phone_metrics(totals: PhoneTotals, live: Callable[[], Iterable[LivePhoneCall]]) -> Source:
    """A source for the metrics page.

    Args:
        totals: of the calls that have ended.
        live: the calls that have not.
    """

    def read() -> Iterator[Metric]:
        calls = list(live())
        yield from _calls(totals, calls)
        yield from _sums(totals.counts_with(calls))
        yield from _times(totals)

    return read


def _calls(totals: PhoneTotals, calls: list[LivePhoneCall]) -> Iterator[Metric]:
    states: Counter[Labels] = Counter((call.carrier, call.state) for call in calls)
    marks: Counter[Labels] = Counter()
    for call in calls:
        marks[call.carrier,] += call.figures.marks_outstanding
    yield gauges("calls", "Phone calls now.", ["carrier", "state"], states)
    yield counters(
        "calls_ended", "Phone calls that have ended.", ["carrier", "reason"], totals.ended
    )
    yield gauges("marks_outstanding", "Marks that may still come back.", ["carrier"], marks)
    yield counters(
        "messages_ignored",
        "What was dropped of what carriers sent.",
        ["carrier", "reason"],
        totals.ignored_with(calls),
    )


def _sums(sums: Mapping[str, Mapping[str, float]]) -> Iterator[Metric]:
    for figure, (name, help_) in _COUNTED.items():
        by_carrier: dict[Labels, float] = {(each,): sums[each][figure] for each in sums}
        yield counters(name, help_, ["carrier"], by_carrier)
    for figure, (name, help_) in _TIMED.items():
        by_carrier = {(each,): sums[each][figure] / 1000 for each in sums}
        yield counters(name, help_, ["carrier"], by_carrier)


def _times(totals: PhoneTotals) -> Iterator[Metric]:
    yield histograms(
        "setup_stage_seconds",
        "How long each stage of setting a phone call up took.",
        ["stage"],
        {(stage,): seen for stage, seen in totals.stages.items()},
    )
    yield histogram(
        "first_audio_seconds",
        "From the start of the carrier's stream to the agent's first sound.",
        totals.first_audio,
    )
    yield histogram(
        "frame_lateness_seconds", "How late audio went out to carriers.", totals.lateness
    )
    yield histogram(
        "clear_latency_seconds",
        "From an interruption of the agent to the carrier's clear on the wire.",
        totals.clear_latency,
    )
    yield histogram(
        "interruption_overrun_seconds",
        "From a caller's first sound in an interruption to silence at the carrier.",
        totals.overrun,
    )
