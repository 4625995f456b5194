"""Level meters and latency bars as text: eighths of a character cell, or plain ASCII."""

from typing import Final

FLOOR_DBFS: Final = -60.0
"""A level at or below this is an empty meter; 0 dBFS is a full one."""
SLOWEST_MS: Final = 2_000.0
"""A response that took this long or longer is a full bar."""
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_COLUMNS: Final = "▁▂▃▄▅▆▇█"


def bar(part: float, width: int, *, plain: bool = False) -> str:
    """A bar of ``width`` cells, ``part`` (0 to 1) of it full; plain: in whole cells of ASCII."""
    part = min(max(part, 0.0), 1.0)
    if plain:
        n = round(part * width)
        return "#" * n + "-" * (width - n)
    whole, eighths = divmod(round(part * width * 8), 8)
    filled = "█" * whole + (_EIGHTHS[eighths] if eighths else "")
    return filled.ljust(width)


def level_part(dbfs: float) -> float:
    """How full a meter is at a level, 0 to 1; a level that is no number is none."""
    if not dbfs > FLOOR_DBFS:
        return 0.0
    return min(1.0, 1.0 - dbfs / FLOOR_DBFS)


def latency_part(latency_ms: float) -> float:
    """How full the bar of a response latency is, 0 to 1."""
    return min(max(latency_ms / SLOWEST_MS, 0.0), 1.0)


def columns(latencies_ms: list[float], width: int, *, plain: bool = False) -> str:
    """The last ``width`` latencies as small columns, the newest last; plain: their seconds' digits."""
    last = latencies_ms[-width:] if width > 0 else []
    if plain:
        return "".join(str(min(9, round(each / 1000))) for each in last)
    top = len(_COLUMNS) - 1
    return "".join(_COLUMNS[round(latency_part(each) * top)] for each in last)


class Falling:
    """A meter's needle: rises at once, falls slowly, so that ten redraws a second look alive.

    Args:
        db_per_s: how fast it falls.
    """

    def __init__(self, db_per_s: float = 40.0) -> None:
        self._db_per_s = db_per_s
        self._at_s: float | None = None
        self.dbfs = FLOOR_DBFS

    def take(self, dbfs: float, now_s: float) -> float:
        """The level to show at ``now_s`` when ``dbfs`` was measured."""
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        self._at_s = now_s
        self.dbfs = max(
            self.dbfs - self._db_per_s * passed_s, FLOOR_DBFS, dbfs
        )  # no number last: it is passed over
        return self.dbfs
