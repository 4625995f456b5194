"""What the benchmarks of many short rounds share: their options, their noise, and how they print."""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
"""One figure, with its `noise_percent`."""


def read_options(about: str | None, rounds: int) -> argparse.Namespace:
    """`json` and `rounds` of the command line; `rounds` is the number where none is given."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--rounds", type=int, default=rounds, help="timing rounds for each figure")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


def noise_percent(times: Sequence[float]) -> float:
    """How much longer the median round took than the best."""
    return round(100 * (statistics.median(times) / min(times) - 1), 1)


def print_rows(rows: Sequence[Row], line: Callable[[Row], str], *, as_json: bool) -> None:
    """The rows as JSON, or a line for each."""
    if as_json:
        print(json.dumps({"rows": rows}, indent=1))
        return
    for row in rows:
        print(line(row))


def path_line(row: Row) -> str:
    """The line of a row with `path` and `us`."""
    return f"{row['path']:<32} {row['us']:>6} us  (median +{row['noise_percent']} %)"


def print_noise(rows: Sequence[Row], rounds: int, what: str) -> None:
    """What the figures are the best of, and how loud the machine was."""
    worst = max(row["noise_percent"] for row in rows)
    print(
        f"Best of {rounds} rounds of {what}. Machine noise: the median round took up to "
        f"{worst:.0f} % longer than the best."
    )
