"""What signals do, without a process: the handlers are called as a loop would call them."""

import asyncio

import pytest

from bridge.gateway import signals as module
from bridge.gateway.drain import Drain
from bridge.gateway.signals import Signals
from bridge.virtual import run_virtual


class Part:
    """A part of the service with so many calls."""

    def __init__(self, n_live: int) -> None:
        self.n_live = n_live


@pytest.mark.parametrize(
    ("script", "ends_at_s"),
    [
        ({"terminate": 1.0}, 8.0),  # the last call ends
        ({"terminate": 1.0, "call never ends": 0.0}, 11.0),  # the deadline
        ({"terminate": 9.0}, 9.0),  # there is no call any more
        ({"interrupt": 1.0}, 1.0),
        ({"terminate": 1.0, "interrupt": 2.0}, 2.0),
        ({"terminate": 1.0, "again": 2.0}, 2.0),
        ({"interrupt": 1.0, "terminate": 2.0}, 1.0),
    ],
)
def test_the_service_ends_when_it_is_told_and_nobody_is_cut_off(
    script: dict[str, float], ends_at_s: float
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        drain, part = Drain(), Part(1)
        signals = Signals(drain)
        doings = {
            "terminate": signals.terminate,
            "again": signals.terminate,
            "interrupt": signals.interrupt,
        }
        for name, at_s in script.items():
            if name in doings:
                loop.call_later(at_s, doings[name])
        if "call never ends" not in script:
            loop.call_later(8, setattr, part, "n_live", 0)

        await signals.stop([part], 10)

        assert loop.time() == pytest.approx(ends_at_s, abs=0.06)
        assert drain.begun
        signals.forget()

    run_virtual(main())


@pytest.mark.parametrize(
    ("how", "n_live", "told"),
    [
        ("terminate", 3, ["= draining: 3 calls go on to the end, at most 10 s"]),
        ("terminate", 1, ["= draining: 1 call goes on to the end, at most 10 s"]),
        ("terminate", 0, ["= stopping: no calls are up"]),
        ("interrupt", 3, []),
    ],
)
def test_the_log_says_what_a_drain_waits_for(
    how: str, n_live: int, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        signals, part = Signals(Drain()), Part(n_live)
        getattr(signals, how)()
        asyncio.get_running_loop().call_later(1, setattr, part, "n_live", 0)
        await signals.stop([part, Part(0)], 10)

    with caplog.at_level("INFO"):
        run_virtual(main())

    assert caplog.messages == told


def test_a_second_signal_leaves_a_moment_and_no_longer() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        signals = Signals(Drain())
        loop.call_later(1, signals.terminate)
        loop.call_later(2, signals.terminate)
        loop.call_later(2.5, signals.interrupt)
        await signals.stop([Part(1)], 10)
        assert loop.time() == 2.0

        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        assert loop.time() == 2.0 + module.HURRY_S

    run_virtual(main())


def test_who_is_finished_in_time_is_not_hurried() -> None:
    async def main() -> None:
        signals = Signals(Drain())
        signals.terminate()
        signals.terminate()
        signals.forget()

        await asyncio.sleep(60)

    run_virtual(main())
