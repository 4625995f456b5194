"""The device leg: a microphone and a loudspeaker as one end of a call.

A task looks at what the sound system's callbacks did, just after the microphone's, and feeds the loudspeaker's; another
keeps the devices open. The callbacks themselves touch only memory that is there from the start, so the sound system
never waits for Python's event loop, nor the loop for the sound system.

The rates towards the call are fixed. The devices run at their own where they do; rate and clock are met here. What
the call pushes is told to the incoming lane's ledger with the instant at which it sounds, by the device's own clock.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.errors import UsageError
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.device.choice import DeviceChoice
from bridge.legs.device.figures import DeviceFigures, measured
from bridge.legs.device.half_duplex import HalfDuplex
from bridge.legs.device.host import HostApi
from bridge.legs.device.keeper import Keeper
from bridge.legs.device.loudspeaker import Loudspeaker
from bridge.legs.device.microphone import Microphone
from bridge.legs.device.processing import EchoProcessor
from bridge.legs.device.reference import Reference
from bridge.legs.file import Underruns
from bridge.wire.messages import State, Transcript
from bridge_codecs.pcm import Int16

DRAIN_CHECK_S: Final = 0.01
NEAR_S: Final = 0.001
"""A look at the microphone that is due so soon is not worth waking up for twice."""


class DeviceLeg:
    """A caller who sits at this machine.

    Args:
        host: the sound system; whoever made it closes it after the call.
        choice: which devices.
        source_hz: rate of the uplink, Hz.
        sink_hz: rate of the downlink, Hz.
        processing: makes what works on the microphone's audio, once per call; None for nothing.
        half_duplex: without ``processing``, mute the microphone while the loudspeaker sounds.
    """

    name = "device"

    def __init__(
        self,
        host: HostApi,
        choice: DeviceChoice | None = None,
        *,
        source_hz: int = 16_000,
        sink_hz: int = 24_000,
        processing: Callable[[], EchoProcessor] | None = None,
        half_duplex: bool = False,
    ) -> None:
        self.source_hz = source_hz
        self.sink_hz = sink_hz
        if processing is None and half_duplex:
            processing = HalfDuplex
        self._processor = None if processing is None else processing()
        reference = None if self._processor is None else Reference(self._processor.rate_hz)
        self._loudspeaker = Loudspeaker(sink_hz, reference)
        self._microphone = Microphone(
            source_hz, self._processor, reference, lambda: self._loudspeaker.latency_s
        )
        self._loop = asyncio.get_running_loop()
        self._keeper = Keeper(
            host, choice or DeviceChoice(), (self._microphone, self._loudspeaker), self._warn
        )
        self._hung_up = asyncio.Event()
        self._port: Port | None = None
        self._open = False
        self._last: DeviceFigures | None = None
        """The figures at the end."""
        self._mic_muted = False
        self._push_to_talk: bool | None = None

    async def open(self) -> None:
        """Open the devices before the call; `run` does it otherwise.

        Raises: DeviceError if they cannot be had, with what to do.
        """
        if not self._open:
            await self._keeper.open()
            self._open = True

    async def close(self) -> None:
        """Close what `open` opened, for a call that never came to run; `run` does it otherwise."""
        self._open = False
        await self._keeper.close()
        processor, self._processor = self._processor, None
        if processor is not None:
            processor.close()

    async def run(self, port: Port) -> Ended:
        """Serve this end until `hang_up`."""
        try:
            await self.open()
        except UsageError as error:
            await self.close()
            return Ended("system_error", str(error))
        self._begin(port)
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = [
                    tasks.create_task(self._keeper.keep(), name="device keeper"),
                    tasks.create_task(self._serve(), name="device audio"),
                ]
                await self._hung_up.wait()
                for task in serving:
                    task.cancel()
            return Ended("hangup")
        finally:
            port.incoming.on_ready = None
            self._last = self.figures
            await self.close()

    def hang_up(self) -> None:
        """Whoever sits here ends the call."""
        self._hung_up.set()

    def clear(self) -> None:
        """Drop what the loudspeaker's device has not taken; it plays on for its own latency."""
        self._loudspeaker.clear(self._loop.time())

    def receive(self, event: LegEvent) -> None:
        """Learn from the agent's states and words what is speech, for the count of holes in it."""
        if isinstance(event, MessageEvent):
            match event.message:
                case State(state=state):
                    self._loudspeaker.underruns.speaking(on=state == "speaking")
                case Transcript(role="agent", final=final):
                    self._loudspeaker.underruns.utterance(over=final)

    async def drain(self) -> None:
        """Return when all that the agent said has been heard."""
        while not self._loudspeaker.drained(self._loop.time()):  # noqa: ASYNC110 - the poll has no end to wait for
            await asyncio.sleep(DRAIN_CHECK_S)

    @property
    def mic_muted(self) -> bool:
        """Whether the call gets silence for the microphone's audio; also settable."""
        return self._mic_muted

    @mic_muted.setter
    def mic_muted(self, muted: bool) -> None:
        self._mic_muted = muted
        self._set_mute()

    @property
    def speaker_muted(self) -> bool:
        """Whether nothing of the call is heard, though its time goes on; also settable."""
        return self._loudspeaker.silent

    @speaker_muted.setter
    def speaker_muted(self, muted: bool) -> None:
        self._loudspeaker.silent = muted

    def push_to_talk(self, held: bool | None) -> None:
        """Talk only while the key is held; None ends this mode."""
        self._push_to_talk = held
        self._set_mute()

    def play_tone(self, samples: Int16) -> None:
        """Let whoever sits here hear a sound of ours: shape (n,) int16 at ``sink_hz``, 2 s at most."""
        self._loudspeaker.play_tone(samples)

    @property
    def levels(self) -> tuple[float, float]:
        """What goes into the call and what comes out of the loudspeaker just now, dBFS; -120 is silence."""
        now_s = self._loop.time()
        return self._microphone.meter.dbfs(now_s), self._loudspeaker.meter.dbfs(now_s)

    @property
    def heard_until(self) -> int:
        """Position in the downlink, samples at ``sink_hz``, up to which it was heard at the last clear."""
        return self._loudspeaker.heard_until

    @property
    def underruns(self) -> Underruns:
        """Holes inside the agent's speech."""
        return self._loudspeaker.underruns

    @property
    def figures(self) -> DeviceFigures:
        """What there is to know just now; after the call, what there was at its end."""
        return self._last or measured(self._microphone, self._loudspeaker, self._keeper)

    def _begin(self, port: Port) -> None:
        self._port = port
        now_s = self._loop.time()
        self._microphone.start(port.outgoing, now_s)
        self._loudspeaker.start(port.incoming, now_s)
        port.incoming.on_ready = self._audio_came

    async def _serve(self) -> None:
        """The microphone sets the pace; the loudspeaker is looked after at the same time, and in between if need be."""
        hear_s = self._loop.time()
        while True:
            now_s = self._loop.time()
            if now_s >= hear_s - NEAR_S:
                hear_s = self._microphone.poll(now_s)
            next_s = min(hear_s, self._loudspeaker.poll(now_s))
            await asyncio.sleep(next_s - self._loop.time())

    def _audio_came(self) -> None:
        self._loudspeaker.audio_came(self._loop.time())

    def _set_mute(self) -> None:
        self._microphone.silent = self._mic_muted or self._push_to_talk is False

    def _warn(self, warned: Warned) -> None:
        if self._port is not None:
            self._port.emit(warned)
