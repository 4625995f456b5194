"""What the agent says to one client, whichever connection it goes by: held while there is none, cleared, heard out."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from bridge.audio.lane import Lane
from bridge.legs.recorder import Recorder

if TYPE_CHECKING:
    from bridge.legs.webrtc.voice import Voice

FRAME_MS: Final = 20
WAY_S: Final = 0.2
"""From our clock to the client's ear: its jitter buffer and the network. So long the last word is waited for."""

MakeVoice: TypeAlias = Callable[[Lane, Recorder | None], "Voice"]


class Speech:
    """That of one call, from when it runs.

    Args:
        lane: what the agent says.
        make_voice: makes what the client hears, for the lane.
        recorder: records it.
    """

    def __init__(self, lane: Lane, make_voice: MakeVoice, recorder: Recorder | None) -> None:
        self.voice = make_voice(lane, recorder)
        self._lane = lane
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self.hold()

    def hold(self) -> None:
        """The client is not there: what is said from now on waits."""
        self.voice.held = True

    def go_on(self) -> None:
        """The client is there."""
        self.voice.held = False

    def clear(self) -> None:
        """Silence at once: what was taken from the lane is dropped."""
        self.voice.clear()
        if self._recorder is not None:
            ahead_ms = self._lane.ledger.ahead_ms(self._loop.time())
            self._recorder.cleared(unplayed_s=ahead_ms / 1000)

    async def heard_out(self) -> None:
        """Return when the client has heard everything; one that is away hears nothing."""
        lane = self._lane
        while lane.depth_samples and not self.voice.held:  # noqa: ASYNC110 - the voice empties it
            await asyncio.sleep(max(lane.depth_ms, FRAME_MS) / 1000)
        until_s = lane.ledger.playing_until_s
        if until_s is not None:
            await asyncio.sleep(max(0.0, until_s + WAY_S - self._loop.time()))
