"""The wall clock and the clock that follows a loop."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bridge.clock import VIRTUAL_EPOCH, VirtualClock, machine_s, rfc3339, wall_clock
from bridge.virtual import run_virtual


def test_the_wall_clock_is_in_utc() -> None:
    assert wall_clock().utcoffset() == timedelta(0)


def test_the_virtual_clock_moves_with_the_loop_alone() -> None:
    async def stamps() -> tuple[datetime, datetime]:
        clock = VirtualClock(asyncio.get_running_loop())
        before = clock()
        await asyncio.sleep(3600.25)
        return before, clock()

    assert run_virtual(stamps()) == (VIRTUAL_EPOCH, VIRTUAL_EPOCH + timedelta(seconds=3600.25))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), "2026-01-02T03:04:05.000678Z"),
        (
            datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-01T23:00:00.000000Z",
        ),
    ],
)
def test_rfc3339_is_in_utc_with_six_digits(instant: datetime, text: str) -> None:
    assert rfc3339(instant) == text


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive instant is what is tested


def test_machine_seconds_never_go_back() -> None:
    readings = [machine_s() for _ in range(100)]

    assert readings == sorted(readings)
