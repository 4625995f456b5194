"""Devices that vanish, fall silent, change, refuse or lie, before and in the middle of a call."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.legs.base import Port
from bridge.legs.device.choice import DeviceChoice
from bridge.legs.device.host import DeviceError, Trouble
from bridge.legs.device.leg import DeviceLeg
from bridge_codecs.pcm import Int16
from tests.fakes.desk import SINK_HZ, SOURCE_HZ, Desk, desk, pair
from tests.fakes.fake_host import FakeDevice, FakeHost

Virtual = Callable[[Coroutine[Any, Any, None]], None]


def loud(_at_s: float, n: int) -> Int16:
    return np.full(n, 9_000, np.int16)


async def works(at: Desk) -> None:
    """Both directions carry sound, and the uplink has no more and no less than time has passed."""
    at.uplink_s.clear()
    said_s = at.loop.time()
    at.say(0.5)
    await asyncio.sleep(1)
    assert at.heard().size == pytest.approx(SOURCE_HZ, abs=0.025 * SOURCE_HZ)
    assert at.heard()[-2_000:].min() > 8_000
    lasted_s = at.played.last_sound_s(said_s) - at.played.first_sound_s(said_s)
    assert lasted_s == pytest.approx(0.5, abs=0.01)


def spoil(device: FakeDevice, how: str) -> None:
    if how == "unplugged":
        device.plugged = False
    elif how == "silent":
        device.silent = True
    elif how == "empty":
        device.empty = True
    else:
        device.runs_at = 44_100


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("how", ["unplugged", "silent", "empty", "other rate"])
def test_a_device_that_breaks_in_mid_call_is_replaced_and_the_call_lives_on(
    virtual: Virtual, which: int, how: str
) -> None:
    async def main() -> None:
        devices = pair(sound=loud)
        others = pair(sound=loud)
        others[0].name, others[1].name = "Other mic", "Other speaker"
        async with desk(*devices, *others) as at:
            await works(at)
            broken = devices[which]
            spoil(broken, how)
            broken.refuses = "gone"
            await asyncio.sleep(9)
            await works(at)
            figures = at.leg.figures
            names = (figures.microphone, figures.loudspeaker)
            assert names[which] == others[which].name
            assert names[1 - which] == devices[1 - which].name
            assert figures.reopened == 1
            assert any(broken.name in text for text in at.warnings)
            assert at.warnings[-1].endswith(f"is {others[which].name} now")

    virtual(main())


@pytest.mark.parametrize("how", ["silent", "empty", "other rate"])
def test_a_device_that_only_hiccuped_is_opened_again_and_the_other_plays_on(
    virtual: Virtual, how: str
) -> None:
    async def main() -> None:
        mic, out = pair(sound=loud)
        async with desk(mic, out) as at:
            await asyncio.sleep(1)
            spoil(mic, how)
            await asyncio.sleep(4.2 if how == "other rate" else 0.4)
            at.say(3)
            said_s = at.loop.time()
            mic.silent = mic.empty = False
            mic.runs_at = None
            if how == "other rate":
                mic.runs_at = 44_100  # until it is opened again
                await asyncio.sleep(1)
                mic.runs_at = None
            await asyncio.sleep(4)
            await works(at)
            assert at.leg.figures.microphone == "Mic"
            lasted_s = at.played.last_sound_s(said_s) - at.played.first_sound_s(said_s)
            assert len(out.asks) == 1
            assert lasted_s >= 3

    virtual(main())


def test_a_microphone_that_comes_back_is_found_again(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair(sound=loud)
        async with desk(mic, out) as at:
            mic.plugged = False
            await asyncio.sleep(5)
            assert at.leg.figures.microphone == ""
            assert any("the call goes on without" in text for text in at.warnings)
            mic.plugged = True
            await asyncio.sleep(12)
            await works(at)
            assert at.leg.figures.microphone == "Mic"

    virtual(main())


def test_the_call_gets_silence_in_time_while_there_is_no_microphone(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair(sound=loud)
        async with desk(mic, out) as at:
            await asyncio.sleep(1)
            mic.plugged = False
            await asyncio.sleep(1)
            at.uplink_s.clear()
            await asyncio.sleep(10)
            assert at.heard().size == pytest.approx(10 * SOURCE_HZ, abs=0.15 * SOURCE_HZ)
            assert not at.heard().any()

    virtual(main())


def test_words_that_no_loudspeaker_played_are_lost_and_nothing_is_late_afterwards(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        mic, out = pair(sound=loud)
        async with desk(mic, out) as at:
            await asyncio.sleep(1)
            out.plugged = False
            talking = asyncio.create_task(at.say_in_step(30))
            await asyncio.sleep(10)
            out.plugged = True
            await talking
            late_ms = at.downlink.depth_ms + at.leg.figures.buffer_ms
            assert late_ms < 60
            lost_s = at.leg.figures.lost_ms / 1000
            account = at.downlink.ledger.heard(at.loop.time())
            assert 9 < lost_s < 25
            assert account.lost == round(lost_s * SINK_HZ)
            played = account.played_acknowledged + account.played_interpolated
            assert account.sent == account.lost + played + account.ahead

    virtual(main())


def test_drain_ends_without_a_loudspeaker(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        async with desk(mic, out) as at:
            out.plugged = False
            await asyncio.sleep(1)
            at.say(2)
            async with asyncio.timeout(4):
                await at.leg.drain()

    virtual(main())


@pytest.mark.parametrize(
    ("device", "rate_hz", "channels"),
    [
        (FakeDevice("44.1 only", 1, 2, rate_hz=44_100, rates=(44_100,)), 44_100, (1, 2)),
        (FakeDevice("its own rate lies", 1, 2, rate_hz=48_000, rates=(16_000,)), 16_000, (1, 2)),
        (FakeDevice("odd rate", 1, 2, rate_hz=96_000), 48_000, (1, 2)),
        (FakeDevice("guessed rate", 1, 2, rate_hz=44_100, system="ALSA"), 48_000, (1, 2)),
        (FakeDevice("own rate", 1, 2, rate_hz=44_100), 44_100, (1, 2)),
        (FakeDevice("seven", 7, 7, channels=7), 48_000, (7, 7)),
        (FakeDevice("two", 2, 2, channels=2, rates=(8_000,)), 8_000, (2, 2)),
        (FakeDevice("one", 1, 1), 48_000, (1, 1)),
        (FakeDevice("large blocks", 1, 2, block=2_048), 48_000, (1, 2)),
        (FakeDevice("small blocks", 1, 2, block=64), 48_000, (1, 2)),
    ],
    ids=lambda value: value.name if isinstance(value, FakeDevice) else "",
)
def test_a_device_is_opened_as_it_is(
    virtual: Virtual, device: FakeDevice, rate_hz: int, channels: tuple[int, int]
) -> None:
    async def main() -> None:
        device.sound = loud
        async with desk(device) as at:
            at.played.rate_hz = rate_hz
            await asyncio.sleep(1)
            figures = at.leg.figures
            assert (figures.microphone_hz, figures.loudspeaker_hz) == (rate_hz, rate_hz)
            # The last asks that it took: one for each direction.
            taken = [ask for ask in device.asks if ask.rate_hz == rate_hz]
            assert {ask.channels for ask in taken} >= set(channels)
            at.uplink_s.clear()
            said_s = at.loop.time()
            at.say(0.5)
            await asyncio.sleep(1)
            assert at.heard().size == pytest.approx(SOURCE_HZ, abs=0.06 * SOURCE_HZ)
            lasted_s = at.played.last_sound_s(said_s) - at.played.first_sound_s(said_s)
            assert lasted_s == pytest.approx(0.5, abs=0.01)

    virtual(main())


def test_a_stereo_microphone_is_heard_as_the_mean_of_its_channels(virtual: Virtual) -> None:
    async def main() -> None:
        mic = FakeDevice("Stereo", n_inputs=2, channels=2, sound=loud)
        async with desk(mic, pair()[1]) as at:
            await asyncio.sleep(0.5)
            assert at.heard()[-100:].min() > 8_900

    virtual(main())


@pytest.mark.parametrize("trouble", ["busy", "denied", "broken", "format"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_chosen_device_that_cannot_be_had_is_said_before_the_call(
    virtual: Virtual, which: int, trouble: Trouble
) -> None:
    async def main() -> None:
        devices = pair()
        devices[which].refuses = trouble
        host = FakeHost(*devices, *pair())
        leg = DeviceLeg(host, DeviceChoice(0, 1))
        with pytest.raises(DeviceError, match=devices[which].name) as caught:
            await leg.open()
        assert caught.value.trouble == trouble
        assert not any(device.opened for device in host.there)
        await leg.close()
        await host.close()

    virtual(main())


def test_a_default_that_is_busy_gives_way_to_another_where_nobody_chose(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        mic.refuses = "busy"
        async with desk(mic, out, FakeDevice("Camera", n_inputs=1, sound=loud)) as at:
            assert at.leg.figures.microphone == "Camera"
            await works(at)

    virtual(main())


def test_an_exclusive_device_of_both_directions_leaves_the_loudspeaker_to_another(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        both = FakeDevice("Headset", 1, 2, exclusive=True, sound=loud)
        async with desk(both, FakeDevice("Speaker", n_outputs=2)) as at:
            assert at.leg.figures.loudspeaker == "Speaker"
            await works(at)

    virtual(main())


def test_no_device_at_all_ends_the_call_with_the_sentence(virtual: Virtual) -> None:
    async def main() -> None:
        leg = DeviceLeg(FakeHost())
        loop = asyncio.get_running_loop()
        async with desk() as at:
            ended = await leg.run(Port(at.uplink, at.downlink, at.events.append, lambda: None))
        assert ended.reason == "system_error"
        assert "no sound device" in ended.detail
        assert loop.time() < 1

    virtual(main())


def test_a_device_that_does_not_answer_is_given_up_in_time(virtual: Virtual) -> None:
    async def main() -> None:
        host = FakeHost(*pair())
        host.open_takes_s = 3_600
        leg = DeviceLeg(host)
        with pytest.raises(DeviceError, match="does not answer"):
            await leg.open()
        assert asyncio.get_running_loop().time() < 30

    virtual(main())


def test_a_device_that_only_ever_fails_is_not_tried_in_a_hurry(virtual: Virtual) -> None:
    async def main() -> None:
        mic, out = pair()
        async with desk(mic, out) as at:
            mic.silent, mic.refuses = True, "busy"
            await asyncio.sleep(60)
            assert len(mic.asks) < 60
            assert len(out.asks) < 15  # the list is made anew only now and then
            assert len(at.warnings) < 15

    virtual(main())


def test_a_call_that_ends_while_a_device_is_being_replaced_leaves_nothing_open(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        for pause_s in (0.05, 0.15, 0.3, 0.7):
            mic, out = pair()
            async with desk(mic, out) as at:
                at.host.open_takes_s = 0.2
                mic.plugged = False
                await asyncio.sleep(pause_s)
            assert not any(device.opened for device in at.host.there)

    virtual(main())


def test_a_loudspeaker_that_stalls_makes_nothing_late_for_good_and_the_ledger_follows(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        mic, out = pair()
        async with desk(mic, out) as at:
            await asyncio.sleep(1)
            stalls = [0.08] + [0.0] * 50 + [0.03]
            out.late_s = lambda: stalls.pop() if stalls else 0.0
            out.skips = True
            talking = asyncio.create_task(at.say_in_step(130))
            await asyncio.sleep(2)
            late_ms = at.downlink.depth_ms + at.leg.figures.buffer_ms
            assert late_ms > 90
            await talking
            late_ms = at.downlink.depth_ms + at.leg.figures.buffer_ms
            assert late_ms < 50
            position = at.downlink.stats.pushed
            at.say(0.2, level=16_000)
            await asyncio.sleep(0.5)
            told_s = at.downlink.ledger.time_of(position)
            assert told_s == pytest.approx(at.played.first_sound_s(level=12_000), abs=0.02)
            assert at.downlink.ledger.gaps.total_ms < 400
            assert at.leg.figures.reopened == 0

    virtual(main())
