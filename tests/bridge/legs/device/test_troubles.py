"""Devices that fail while the agent speaks: the call lives on, and the ledger is right to 20 ms about what was heard.

What was heard is counted by the devices themselves, up to the instant at which they vanished.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

from bridge_codecs.pcm import Int16
from tests.fakes.desk import SINK_HZ, Desk, desk, pair
from tests.fakes.fake_host import FakeDevice

Virtual = Callable[[Coroutine[Any, Any, None]], None]

RIGHT_TO_S = 0.02
LOUD = 4_000
SPEAKS_S = 12.0
RATES = {"Mic": 48_000, "Speaker": 48_000, "Other mic": 48_000, "Other speaker": 44_100}


class Heard:
    """What came out of all loudspeakers, each at its own rate."""

    def __init__(self, *devices: FakeDevice) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: list[tuple[float, float, FakeDevice]] = []
        self._gone_s: dict[str, float] = {}
        for device in devices:
            device.heard = self._listener(device)

    def unplug(self, device: FakeDevice) -> None:
        """It vanishes, with what it had taken and not played."""
        device.plugged = False
        self._gone_s[device.name] = self._loop.time()

    @property
    def seconds(self) -> float:
        """Of sound."""
        return sum(
            min(lasts_s, max(0.0, self._gone_s.get(device.name, np.inf) - at_s))
            for at_s, lasts_s, device in self._pieces
        )

    def _listener(self, device: FakeDevice) -> Callable[[float, Int16], None]:
        def heard(at_s: float, samples: Int16) -> None:
            real_hz = device.runs_at or device.asks[-1].rate_hz
            n = int(np.count_nonzero(np.abs(samples.astype(np.int32)) > LOUD))
            if n:
                self._pieces.append((at_s, n / real_hz, device))

        return heard


def told_s(at: Desk) -> float:
    """What was heard, as the ledger tells it."""
    return at.downlink.ledger.played(at.loop.time()) / SINK_HZ


async def check_ledger(at: Desk, heard: Heard, since: tuple[float, float] = (0.0, 0.0)) -> None:
    """Told and heard agree, up to now and for a reply that is cut off."""
    await asyncio.sleep(1)
    assert told_s(at) - since[0] == pytest.approx(heard.seconds - since[1], abs=RIGHT_TO_S)
    for _ in range(3):
        before = told_s(at), heard.seconds
        at.say(2)
        await asyncio.sleep(0.7)
        at.clear()
        await asyncio.sleep(0.5)
        assert 0.4 < heard.seconds - before[1] < 0.8
        assert told_s(at) - before[0] == pytest.approx(heard.seconds - before[1], abs=RIGHT_TO_S)


def unplugged(heard: Heard, devices: Sequence[FakeDevice]) -> None:
    heard.unplug(devices[1])


def both_unplugged(heard: Heard, devices: Sequence[FakeDevice]) -> None:
    devices[0].plugged = False
    heard.unplug(devices[1])


def unplugged_and_the_next_is_busy(heard: Heard, devices: Sequence[FakeDevice]) -> None:
    heard.unplug(devices[1])
    devices[3].refuses = "busy"
    asyncio.get_running_loop().call_later(3.0, setattr, devices[3], "refuses", None)


def no_frames(_heard: Heard, devices: Sequence[FakeDevice]) -> None:
    devices[1].empty = True
    devices[1].refuses = "gone"


def silent(_heard: Heard, devices: Sequence[FakeDevice]) -> None:
    devices[1].silent = True
    devices[1].refuses = "gone"


@pytest.mark.parametrize(
    "trouble", [unplugged, both_unplugged, unplugged_and_the_next_is_busy, no_frames, silent]
)
def test_a_loudspeaker_that_fails_in_mid_speech_loses_what_nobody_heard_and_no_more(
    virtual: Virtual, trouble: Callable[[Heard, Sequence[FakeDevice]], None]
) -> None:
    async def main() -> None:
        devices = [*pair(), *pair(rates=(44_100,))]
        devices[2].name, devices[3].name = "Other mic", "Other speaker"
        async with desk(*devices) as at:
            heard = Heard(devices[1], devices[3])
            speaking = asyncio.create_task(at.say_in_step(SPEAKS_S))
            await asyncio.sleep(4)
            assert told_s(at) == pytest.approx(heard.seconds, abs=0.1)  # it is on its way
            trouble(heard, devices)
            await speaking

            await check_ledger(at, heard)
            assert at.leg.figures.loudspeaker == "Other speaker"
            assert heard.seconds + at.leg.figures.lost_ms / 1000 == pytest.approx(
                SPEAKS_S + 3 * 0.66, abs=0.2
            )

    virtual(main())


def test_a_default_that_changes_is_taken_when_the_old_one_goes(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        new = FakeDevice("New speaker", n_outputs=2)
        async with desk(mic, out) as at:
            heard = Heard(out, new)
            speaking = asyncio.create_task(at.say_in_step(SPEAKS_S))
            await asyncio.sleep(4)
            at.host.there.insert(0, new)
            heard.unplug(out)
            await speaking

            await check_ledger(at, heard)
            assert at.leg.figures.loudspeaker == "New speaker"

    virtual(main())


def test_a_loudspeaker_that_changes_its_rate_is_opened_anew_and_the_ledger_follows(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        mic, out = pair()
        async with desk(mic, out) as at:
            heard = Heard(out)
            at.say(3)
            await asyncio.sleep(4)
            await check_ledger(at, heard)
            out.runs_at, out.rates = 44_100, (44_100,)
            await asyncio.sleep(9)
            assert at.leg.figures.loudspeaker_hz == 44_100
            await check_ledger(at, heard)

    virtual(main())


@pytest.mark.parametrize("claims_s", [0.0, 0.004, 0.25, 7.0, -1.0])
def test_a_loudspeaker_that_lies_about_its_latency_after_it_was_replaced_deceives_nobody(
    virtual: Virtual, claims_s: float
) -> None:
    async def main() -> None:
        devices = [*pair(), *pair(claims_s=claims_s, held_blocks=6)]
        devices[2].name, devices[3].name = "Other mic", "Other speaker"
        async with desk(*devices) as at:
            heard = Heard(devices[1], devices[3])
            speaking = asyncio.create_task(at.say_in_step(SPEAKS_S))
            await asyncio.sleep(4)
            heard.unplug(devices[1])
            await speaking

            await check_ledger(at, heard)

    virtual(main())
