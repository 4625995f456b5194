"""The wall clock, and the one place that reads it.

Everything that stamps a record takes a `Clock`; everything that waits uses the event loop's own
time. In virtual time the stamps follow the loop, so that the same run writes the same records.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present instant as an aware datetime in UTC."""

VIRTUAL_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


def wall_clock() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """A `Clock` that follows a loop: the epoch is the instant at which `loop.time()` was 0."""

    loop: asyncio.AbstractEventLoop
    epoch: datetime = VIRTUAL_EPOCH

    def __call__(self) -> datetime:
        """The epoch and the loop's time, in UTC, to the microsecond."""
        return (self.epoch + timedelta(seconds=self.loop.time())).astimezone(UTC)


def machine_s() -> float:
    """Seconds of the machine's clock that never jumps: for work off the loop that a disk or a process sets the pace of.

    In virtual time too: a disk knows no other time.
    """
    return time.monotonic()


def rfc3339(instant: datetime) -> str:
    """`2026-01-01T00:00:00.000000Z`: UTC, always six digits, so that text sorts as time does.

    Raises: ValueError if the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone cannot be written")
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
