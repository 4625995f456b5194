"""How a device is asked for; what devices take and refuse stands in `test_keeper`."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.legs.device.choice import Direction
from bridge.legs.device.host import Callback, DeviceError, StreamAsk
from bridge.legs.device.line import InputLine, OutputLine
from bridge.legs.device.opening import open_stream
from tests.fakes.fake_host import FakeDevice, FakeHost, FakeStream

Virtual = Callable[[Coroutine[Any, Any, None]], None]


def prepared(direction: Direction) -> Callable[[StreamAsk], InputLine | OutputLine]:
    return InputLine if direction == "microphone" else OutputLine


@pytest.mark.parametrize(
    ("system", "direction", "block_ms"),
    [
        ("Core Audio", "loudspeaker", 10),
        ("ALSA", "loudspeaker", 15),
        ("Core Audio", "microphone", 20),
        ("ALSA", "microphone", 20),
    ],
)
def test_blocks_are_short_but_not_where_each_costs_much(
    virtual: Virtual, system: str, direction: Direction, block_ms: int
) -> None:
    async def main() -> None:
        device = FakeDevice("Both", 1, 2, system=system)
        host = FakeHost(device)
        [entry] = await host.devices()

        stream, _ = await open_stream(host, entry, direction, prepared(direction))
        await stream.close()

        [ask] = device.asks
        assert ask.block == block_ms * 48

    virtual(main())


class _Lying(FakeHost):
    """Its streams say that they run at another rate than they were asked for."""

    async def _open(
        self, kind: type[FakeStream], ask: StreamAsk, callback: Callback
    ) -> "FakeStream":
        stream = await super()._open(kind, ask, callback)
        if ask.rate_hz == 48_000:
            stream.rate_hz = 44_100
        return stream


def test_a_stream_that_does_not_run_as_asked_is_closed_and_the_next_rate_tried(
    virtual: Virtual,
) -> None:
    async def main() -> None:
        device = FakeDevice("Liar", n_inputs=1)
        host = _Lying(device)
        [entry] = await host.devices()

        stream, _ = await open_stream(host, entry, "microphone", InputLine)

        assert stream.rate_hz == 44_100
        assert device.opened == 1
        assert [ask.rate_hz for ask in device.asks] == [48_000, 44_100]
        await stream.close()

    virtual(main())


class _Dumb(FakeHost):
    """It never answers."""

    async def open_input(self, ask: StreamAsk, callback: Callback) -> FakeStream:
        self.open_takes_s = 3_600.0
        return await super().open_input(ask, callback)


def test_a_device_that_does_not_answer_is_given_up_after_ten_seconds(virtual: Virtual) -> None:
    async def main() -> None:
        host = _Dumb(FakeDevice("Dumb", n_inputs=1))
        [entry] = await host.devices()
        with pytest.raises(DeviceError, match="Dumb does not answer: unplug it"):
            await open_stream(host, entry, "microphone", InputLine)

    virtual(main())
