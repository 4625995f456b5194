"""The figures as a Markdown table, the machine named."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_HEAD = (
    "gateway",
    "calls",
    "CPU/call",
    "calls/core",
    "voice p50 / p99 / p99.9 / max",
    "late p99 / p99.9 / max",
    "holes",
    "bursts lost",
    "clear p50 / p99",
    "RSS",
    "per call",
    "tasks/call",
)


def ratios(rows: Sequence[Row], ours_at: int = 100, peer_at: int = 10) -> Mapping[str, float]:
    """Calls per core of ours at 100 calls by each peer's at 10, of those that were measured."""
    at = {(row["gateway"], row["calls"]): row["calls_per_core"] for row in rows}
    ours = at.get(("Tipring", ours_at))
    if not ours:
        return {}
    peers = {name: value for (name, n), value in at.items() if "Pipecat" in name and n == peer_at}
    return {name: round(ours / value, 1) for name, value in peers.items()}


def markdown(about: Mapping[str, object], rows: Sequence[Row]) -> str:
    """The whole table; times in ms."""
    lines = [_line(_HEAD), _line(["---"] * len(_HEAD)), *(_line(_cells(row)) for row in rows)]
    pipecat = f", Pipecat {about['pipecat']}" if about["pipecat"] else ""
    others = max((row["other_load_percent"] for row in rows), default=0)
    said = max((row["said_late_ms"]["p99"] for row in rows), default=0)
    caption = (
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}{pipecat}; times in ms. "
        f"Other programs took up to {others} % of a core meanwhile; the callers themselves spoke up to {said} ms late "
        "(p99)."
    )
    lines += ["", caption]
    for peer, times in ratios(rows).items():
        lines.append(f"Calls per core, ours at 100 calls by those of {peer} at 10: {times}.")
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    return [
        row["gateway"],
        str(row["calls"]),
        f"{row['cpu_percent_per_call']:.2f} %",
        f"{row['calls_per_core']:.0f}",
        _times(row["delay_ms"], "p50", "p99", "p99.9", "max"),
        _times(row["late_ms"], "p99", "p99.9", "max"),
        str(row["holes"]),
        f"{row['bursts_lost']} of {row['bursts']}",
        _times(row["clear_ms"], "p50", "p99"),
        f"{row['rss_mb']:.0f} MB",
        f"{row['kb_per_call']} KB",
        f"{row['tasks_per_call']:.1f}",
    ]


def _times(quantiles: Mapping[str, float] | None, *names: str) -> str:
    return " / ".join(f"{quantiles[name]:.1f}" for name in names) if quantiles else "-"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
