"""What the callers heard, as figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.calls_per_core_parts.bursts import FRAME_S, RATE_HZ, Float64, Heard, Speech, heard

HOLE_S: Final = 0.020
CLEAR_LIMIT_S: Final = 1.0


@dataclass(frozen=True)
class Call:
    """One call's raw figures: when each frame was said, what came and when, and the clears."""

    sent_s: Sequence[float]
    messages: Sequence[tuple[float, bytes]]
    clears_s: Sequence[float]


@dataclass(frozen=True)
class Window:
    """What is looked at: bursts said and messages heard in this time; the clears are (call, sent at)."""

    from_s: float
    to_s: float
    clears: Sequence[tuple[int, float]]


def report(speech: Speech, calls: Sequence[Call], window: Window) -> Mapping[str, Any]:
    """All figures; times in ms."""
    delays: list[tuple[float, float]] = []
    n_bursts = holes = 0
    heard_s = 0.0
    late: list[Float64] = []
    said_late: list[Float64] = []
    for index, call in enumerate(calls):
        ear = heard(call.messages)
        found = [
            speech.find(ear, kind, call.sent_s[first])
            for first, kind in speech.bursts(index, len(call.sent_s))
            if window.from_s <= call.sent_s[first] < window.to_s
        ]
        n_bursts += len(found)
        delays += [delay for delay in found if delay is not None]
        inside = (ear.arrived_s >= window.from_s) & (ear.arrived_s < window.to_s)
        late.append(_late(ear, inside))
        holes += _holes(ear, inside)
        heard_s += _seconds(ear, inside)
        sent_s = np.array(call.sent_s)
        due_s = sent_s - FRAME_S * np.arange(sent_s.size)
        said_late.append((due_s - due_s.min())[(sent_s >= window.from_s) & (sent_s < window.to_s)])
    span_s = (window.to_s - window.from_s) * len(calls)
    return {
        "delay_ms": quantiles([arrived for arrived, _ear in delays]),
        "ear_ms": quantiles([ear for _arrived, ear in delays]),
        "bursts": n_bursts,
        "bursts_lost": n_bursts - len(delays),
        "late_ms": quantiles(np.concatenate(late)),
        "said_late_ms": quantiles(np.concatenate(said_late)),
        "holes": holes,
        "audio_missing_percent": round(100 * (1 - heard_s / span_s), 2),
        **_clears(calls, window),
    }


def quantiles(seconds: Sequence[float] | Float64) -> Mapping[str, float] | None:
    """Quantiles in ms, of values in s; None of no values."""
    if not len(seconds):
        return None
    values = 1000 * np.sort(np.asarray(seconds))
    at = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {name: round(float(np.quantile(values, q)), 2) for name, q in at.items()}


def _late(ear: Heard, inside: NDArray[np.bool_]) -> Float64:
    """How much later than the soonest of its call each message came, by its place in the stream."""
    due = ear.arrived_s[inside] - ear.starts[inside] / RATE_HZ
    late: Float64 = due - due.min() if due.size else due
    return late


def _holes(ear: Heard, inside: NDArray[np.bool_]) -> int:
    """How often the ear had nothing to play for longer than a frame."""
    sizes = np.diff(ear.starts, append=ear.samples.size)
    waited = ear.played_s[1:] - ear.played_s[:-1] - sizes[:-1] / RATE_HZ
    return int((waited[inside[1:]] > HOLE_S).sum())


def _seconds(ear: Heard, inside: NDArray[np.bool_]) -> float:
    sizes = np.diff(ear.starts, append=ear.samples.size)
    return float(sizes[inside].sum()) / RATE_HZ


def _clears(calls: Sequence[Call], window: Window) -> Mapping[str, Any]:
    """From the AI side's `playback_clear_buffer` to the carrier's clear."""
    took = []
    for index, sent_s in window.clears:
        came = [at for at in calls[index].clears_s if sent_s <= at < sent_s + CLEAR_LIMIT_S]
        took += [came[0] - sent_s] if came else []
    lost = len(window.clears) - len(took)
    return {"clear_ms": quantiles(took), "clears": len(window.clears), "clears_lost": lost}
