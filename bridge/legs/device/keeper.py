"""Keeps a microphone and a loudspeaker open for the time of a call, whatever happens to the devices.

A device that stops, falls silent or runs at another rate is closed and opened again; if that fails, the list of
devices is made anew, and what was asked for, or the default, or any other takes its place. The call goes on
meanwhile: with silence in the one direction, and the agent's words passing unheard in the other.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.legs.base import Warned
from bridge.legs.device.choice import DeviceChoice
from bridge.legs.device.host import DeviceError, HostApi
from bridge.legs.device.line import InputLine, OutputLine
from bridge.legs.device.loudspeaker import Loudspeaker
from bridge.legs.device.microphone import Microphone
from bridge.legs.device.opening import Opened, Side, candidates_for, open_side

CHECK_S: Final = 0.1
SILENT_S: Final = 0.5
"""A device that brings or takes nothing for so long is broken."""
BEGIN_S: Final = 2.0
"""… but it may take so long to begin."""
AGAIN_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Pauses before attempts to open a device again; the last one repeats."""
LOOK_AROUND_EVERY: Final = 5
"""The list of devices is made anew at the first attempt and each so many; it interrupts the other device."""
CLOSE_LIMIT_S: Final = 2.0
GONE: Final = "is gone"


class _Kept:
    """One side and the device that serves it."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.opened: Opened | None = None
        self.opened_s = 0.0
        self.attempts = 0
        self.again_s = 0.0

    def trouble(self, now_s: float) -> str:
        """What is wrong with the device, or nothing."""
        if self.opened is None:
            return ""
        line = self.opened.line
        if not self.opened.stream.active:
            return GONE
        silent_s = now_s - (self.opened_s + BEGIN_S if line.last_s is None else line.last_s)
        if silent_s > SILENT_S:
            return "has fallen silent"
        return "runs at another rate than it says" if line.clock.other_rate else ""


class Keeper:
    """Both sides of a device leg.

    Args:
        host: the sound system.
        choice: what was asked for.
        sides: the microphone and the loudspeaker.
        warn: is told what happened to a device, in a sentence.
    """

    def __init__(
        self,
        host: HostApi,
        choice: DeviceChoice,
        sides: tuple[Microphone, Loudspeaker],
        warn: Callable[[Warned], None],
    ) -> None:
        self.reopened = 0
        self.glitches = 0
        self.overruns = 0
        """Of the lines that are closed."""
        self._host = host
        self._choice = choice
        self._warn = warn
        self._kept = tuple(_Kept(side) for side in sides)

    async def open(self) -> None:
        """Open what was asked for.

        Raises: DeviceError if one of the two cannot be had; the other is closed then.
        """
        devices = await self._host.devices()
        try:
            for kept in self._kept:
                asked = self._choice.of(kept.side.direction)
                candidates = candidates_for(devices, kept.side, asked, others=False)
                self._take(kept, await open_side(self._host, kept.side, candidates))
        except BaseException:
            await self.close()
            raise

    async def keep(self) -> None:
        """Mend what breaks; runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CHECK_S)
            for kept in self._kept:
                trouble = kept.trouble(loop.time())
                if trouble and kept.opened is not None:
                    name, what = kept.opened.device.name, kept.side.direction
                    self._warn(Warned("device", f"the {what} {name} {trouble}"))
                    # What is gone has left the list; what only failed may be had again as it stands there.
                    kept.attempts, kept.again_s = (0 if trouble == GONE else -1), loop.time()
                    await self._close(kept, gone=trouble == GONE)
            for kept in self._kept:
                if kept.opened is None and loop.time() >= kept.again_s:
                    await self._mend(kept)

    async def close(self) -> None:
        """Close both devices."""
        for kept in self._kept:
            await self._close(kept)

    def opened(self, side: Side) -> Opened | None:
        """The device that serves this side."""
        return next(kept.opened for kept in self._kept if kept.side is side)

    async def _mend(self, kept: _Kept) -> None:
        try:
            if kept.attempts % LOOK_AROUND_EVERY == 0:
                await self._look_around(kept)
            else:
                await self._replace(kept)
        except DeviceError as error:
            if kept.attempts == 0:
                self._warn(Warned("device", f"{error}; the call goes on without"))
            kept.attempts += 1
            pause_s = AGAIN_S[min(max(kept.attempts, 0), len(AGAIN_S) - 1)]
            kept.again_s = asyncio.get_running_loop().time() + pause_s
        else:
            self.reopened += 1
            name = "" if kept.opened is None else kept.opened.device.name
            self._warn(Warned("device", f"the {kept.side.direction} is {name} now"))

    async def _look_around(self, broken: _Kept) -> None:
        """Make the list anew, for which all devices must be closed, and open all that should be open."""
        others = [kept for kept in self._kept if kept.opened is not None]
        for kept in others:
            await self._close(kept)
        await self._host.refresh()
        for kept in others:
            try:
                await self._replace(kept)
            except DeviceError:
                kept.attempts, kept.again_s = 1, 0.0  # its own turn comes
        await self._replace(broken)

    async def _replace(self, kept: _Kept) -> None:
        devices = await self._host.devices()
        asked = self._choice.of(kept.side.direction)
        candidates = candidates_for(devices, kept.side, asked, others=True)
        self._take(kept, await open_side(self._host, kept.side, candidates))

    def _take(self, kept: _Kept, opened: Opened) -> None:
        kept.opened = opened
        kept.opened_s = asyncio.get_running_loop().time()
        kept.attempts = 0
        match kept.side, opened.line:
            case Microphone() as microphone, InputLine() as line:
                microphone.attach(line, kept.opened_s)
            case Loudspeaker() as loudspeaker, OutputLine() as line:
                loudspeaker.attach(line, kept.opened_s)

    async def _close(self, kept: _Kept, *, gone: bool = False) -> None:
        opened, kept.opened = kept.opened, None
        if opened is None:
            return
        line = opened.line
        self.glitches += line.glitches
        if isinstance(line, InputLine):
            self.overruns += line.crossing.overflows
        kept.side.detach(asyncio.get_running_loop().time(), gone=gone)
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await opened.stream.close()
        except TimeoutError:
            self._warn(Warned("device", f"{opened.device.name} could not be closed in time"))
