import asyncio

import pytest

from bridge.gateway.drain import Drain
from bridge.virtual import run_virtual


class Part:
    """A part of the service with so many calls."""

    def __init__(self, n_live: int) -> None:
        self.n_live = n_live


@pytest.mark.parametrize(("ends_s", "empty", "took_s"), [(0.0, True, 0.0), (3.0, True, 3.0)])
def test_the_wait_is_over_with_the_last_call(ends_s: float, empty: bool, took_s: float) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        one, other = Part(1 if ends_s else 0), Part(0)
        loop.call_later(1, setattr, other, "n_live", 1 if ends_s else 0)
        loop.call_later(ends_s, setattr, one, "n_live", 0)
        loop.call_later(ends_s, setattr, other, "n_live", 0)

        assert await Drain().empty([one, other], 10) is empty
        assert loop.time() == pytest.approx(took_s, abs=0.06)

    run_virtual(main())


@pytest.mark.parametrize("limit_s", [0.0, 0.01, 4.0])
def test_calls_that_do_not_end_are_waited_for_until_the_deadline(limit_s: float) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        assert not await Drain().empty([Part(0), Part(1)], limit_s)
        assert loop.time() == pytest.approx(limit_s)

    run_virtual(main())


def test_a_drain_begins_once_and_for_good() -> None:
    drain = Drain()
    assert not drain.begun
    drain.begin()
    drain.begin()
    assert drain.begun
