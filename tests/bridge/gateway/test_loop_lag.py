import asyncio

import pytest

from bridge.gateway.loop_lag import SETTLE_S, LoopLag
from bridge.virtual import VirtualLoop, run_virtual


def test_a_loop_on_time_is_not_late() -> None:
    async def main() -> None:
        lag = LoopLag(settle_s=0)
        assert lag.recent_s() == 0.0
        lag.start()
        await asyncio.sleep(10.01)
        lag.stop()

        assert lag.histogram.n == 500
        assert lag.recent_s() == pytest.approx(0, abs=1e-9)
        assert lag.histogram.largest == pytest.approx(0, abs=1e-9)

    run_virtual(main())


def test_ticks_that_were_missed_count_each_by_how_late_it_is() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        lag = LoopLag(settle_s=0)
        lag.start()
        await asyncio.sleep(0.03)
        loop._now_s += 0.1  # from 30 to 130 ms: the ticks at 40, 60, 80, 100 and 120 ms
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the tick comes after us
        lag.stop()

        late_ms = [round(1000 * late_s) for late_s in lag._recent]
        assert late_ms == [0, 90, 70, 50, 30, 10]
        assert lag.histogram.n == 6

    run_virtual(main())


def test_after_the_machine_slept_for_a_day_only_the_last_seconds_count() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        lag = LoopLag(settle_s=0)
        lag.start()
        await asyncio.sleep(1)
        loop._now_s += 86_400
        await asyncio.sleep(0.1)
        lag.stop()

        assert lag.histogram.n < 400
        assert lag.recent_s() > 4

    run_virtual(main())


def test_a_stopped_measurement_ticks_no_more() -> None:
    async def main() -> None:
        lag = LoopLag(settle_s=0)
        lag.stop()
        lag.start()
        lag.stop()
        await asyncio.sleep(1)

        assert lag.histogram.n == 0

    run_virtual(main())


def test_the_first_seconds_are_measured_and_not_judged() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        lag = LoopLag()
        lag.start()
        await asyncio.sleep(0.01)
        loop._now_s += 1.98
        await asyncio.sleep(2.5)
        lag.stop()

        assert lag.histogram.largest == pytest.approx(1.97, abs=0.01)
        assert lag.recent_s(1.0) == pytest.approx(0, abs=1e-9)

    run_virtual(main())


def test_a_start_that_goes_on_is_not_judged_until_it_is_over() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        lag = LoopLag()
        lag.start()
        lag.settle(over=False)
        for _ in range(20):
            await asyncio.sleep(0.5)
            loop._now_s += 0.5
        await asyncio.sleep(0.1)
        assert lag.recent_s() == 0.0

        lag.settle()
        await asyncio.sleep(SETTLE_S + 0.1)
        assert lag.recent_s() == 0.0
        loop._now_s += 1.0
        await asyncio.sleep(0.1)
        assert lag.recent_s() > 0.5
        lag.stop()

    run_virtual(main())
