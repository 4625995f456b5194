"""A carrier leg on a socket and a port that the test holds in its hand."""

import asyncio
from dataclasses import dataclass, field

import numpy as np

from bridge.legs.base import Ended
from bridge.legs.carrier.dtmf import DtmfHandling
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.phone_line import CarrierApiError, PhoneLine
from bridge.legs.recorder import Recorder
from bridge.wire.carriers.base import CarrierWire, Traits
from bridge_codecs.pcm import Int16
from tests.fakes.legs import HandPort, HandSocket, hand_port
from tests.fakes.plain_wire import PlainWire

RATE_HZ = 8_000
FRAME = 160


def noise(seconds: float, level: float = 3_000.0) -> Int16:
    """A caller's voice, as far as level goes."""
    made = np.random.default_rng(1).normal(0, level, round(seconds * RATE_HZ))
    return made.astype(np.int16)


class HandLine:
    """A phone line that writes down what is done to it, and takes its time."""

    def __init__(self, takes_s: float = 0.0, fails: bool = False) -> None:
        self.done: list[tuple[float, str]] = []
        self.takes_s = takes_s
        self.fails = fails

    async def _do(self, what: str) -> None:
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise CarrierApiError("the carrier's API answered with status 500", 500)
        self.done.append((asyncio.get_running_loop().time(), what))

    async def hang_up(self) -> None:
        await self._do("hang up")

    async def transfer(self, target: str) -> None:
        await self._do(f"transfer {target}")

    async def send_digits(self, digits: str) -> None:
        await self._do(f"press {digits}")

    @property
    def acts(self) -> list[str]:
        return [what for _, what in self.done]


@dataclass
class PlainCall:
    """A leg that is run, and the carrier in the test's hand."""

    leg: CarrierLeg
    socket: HandSocket
    ends: HandPort
    task: "asyncio.Task[Ended]" = field(init=False)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def say(self, *texts: str) -> None:
        """The carrier says something."""
        assert self.socket.receiver is not None
        for text in texts:
            self.socket.receiver.on_text(text)

    def hear(self, samples: Int16, frame: int = FRAME) -> None:
        """The caller's audio arrives, all at once."""
        assert self.socket.receiver is not None
        for begin in range(0, samples.size, frame):
            self.socket.receiver.on_bytes(samples[begin : begin + frame].tobytes())

    async def hear_live(self, samples: Int16) -> None:
        for begin in range(0, samples.size, FRAME):
            self.hear(samples[begin : begin + FRAME])
            await asyncio.sleep(0.02)

    def speak(self, seconds: float, *, end: bool = True) -> None:
        """The agent speaks."""
        lane = self.ends.incoming
        lane.push(np.ones(round(seconds * lane.source_hz), np.int16))
        if end:
            lane.end_segment()

    def clear(self) -> None:
        """The agent was interrupted: as the relay does it."""
        self.ends.incoming.clear()
        self.leg.clear()
        self.ends.incoming.ledger.flush(self.now)

    def run(self, ends: HandPort | None = None) -> None:
        self.ends = ends or self.ends
        self.task = asyncio.create_task(self.leg.run(self.ends.port))

    async def stop_running(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def over(self) -> Ended:
        """The carrier hangs up, and the leg is done."""
        self.say("stop caller_hung_up")
        ended = await self.task
        await self.leg.hang_up()
        return ended

    @property
    def frames(self) -> list[tuple[float, int]]:
        """When how many samples of the agent went out."""
        return [(at, len(data) // 2) for at, data in self.socket.frames]

    @property
    def sent_s(self) -> float:
        return sum(n for _, n in self.frames) / RATE_HZ

    @property
    def texts(self) -> list[str]:
        return self.socket.texts


async def opened_call(
    traits: Traits | None = None,
    *,
    wire: CarrierWire | None = None,
    line: PhoneLine | None = None,
    dtmf: DtmfHandling | None = None,
    recorder: Recorder | None = None,
    figures: CarrierFigures | None = None,
    media_idle_s: float = 60.0,
) -> PlainCall:
    """A call whose stream has begun, and nobody is there yet."""
    socket = HandSocket()
    leg = CarrierLeg(
        socket,
        wire or PlainWire(traits),
        line=line,
        dtmf=dtmf,
        recorder=recorder,
        figures=figures,
        media_idle_s=media_idle_s,
    )
    call = PlainCall(leg, socket, hand_port())
    asyncio.get_running_loop().call_soon(lambda: call.say("start"))
    await leg.opened()
    return call


async def running_call(traits: Traits | None = None, **options: object) -> PlainCall:
    """A call with somebody there."""
    call = await opened_call(traits, **options)  # type: ignore[arg-type]
    call.run()
    await asyncio.sleep(0.01)
    return call
