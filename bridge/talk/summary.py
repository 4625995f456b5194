"""What remains on the terminal when a talk is over: what was said, and how it went."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bridge.log import printable
from bridge.talk.endings import clock_words, words_of

if TYPE_CHECKING:
    from bridge.talk.run import TalkResult


def summary(result: "TalkResult", record: Path | None) -> Sequence[str]:
    """Duration, answers and the end in a line, and where the files are in another."""
    parts = [f"talked {clock_words(result.duration_s)}"]
    latencies = [each.latency_ms for each in result.turns if each.latency_ms is not None]
    if latencies:
        middle, slowest = median(latencies) / 1000, max(latencies) / 1000
        answers = "answer" if len(latencies) == 1 else "answers"
        parts.append(f"{len(latencies)} {answers}, median {middle:.2f} s, slowest {slowest:.2f} s")
    parts.append(words_of(result.ended))
    lines = [printable("; ".join(parts))]
    if record is not None:
        incomplete = "" if result.kept else " (incomplete: see the notes)"
        lines.append(printable(f"files: {record}/{incomplete}"))
    return lines
