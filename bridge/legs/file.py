"""The file leg: recordings as the caller, a loudspeaker at real tempo as the ear.

It lives on the loop's clock in ticks of 20 ms, against absolute deadlines: in each tick it gives one frame of the
caller's recording (silence between turns: the API expects a continuous stream) and plays one frame of the agent's
audio, as a loudspeaker would. What it played is what the caller heard; what a clear removed was never played.
"""

import asyncio
from typing import Protocol

from bridge.audio.lane import Lane
from bridge.audio.pacer import Pacer
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port
from bridge.wire.messages import State, Transcript
from bridge_codecs.pcm import Int16

FRAME_MS = 20


class CallerScript(Protocol):
    """Decides what the caller says when; it sees what the caller hears."""

    def next_frame(self, n_samples: int, now_s: float) -> Int16 | None:
        """The caller's next ``n_samples`` samples, silence included; None when the caller hangs up."""
        ...

    def heard(self, samples: Int16, now_s: float) -> None:
        """One frame of what the caller just heard."""
        ...

    def receive(self, event: LegEvent, now_s: float) -> None:
        """An event of the agent's side."""
        ...


class Tape(Protocol):
    """Takes both sides of the call, sample-locked: as many samples of the one as of the other."""

    def write(self, caller: Int16, agent: Int16) -> None:
        """One frame of each side; equal lengths."""
        ...


class FileLeg:
    """A caller made of recordings.

    Args:
        script: what the caller says when.
        tape: records both sides.
        rate_hz: rate of the recordings and of the loudspeaker, Hz.
    """

    name = "file"

    def __init__(self, script: CallerScript, tape: Tape, *, rate_hz: int) -> None:
        self.source_hz = rate_hz
        self.sink_hz = rate_hz
        self.underruns = Underruns()
        self._script = script
        self._tape = tape
        self._frame = rate_hz * FRAME_MS // 1000
        self._drained: asyncio.Event = asyncio.Event()
        self._incoming: Lane | None = None

    async def run(self, port: Port) -> Ended:
        """Give and play one frame every 20 ms until the caller's script hangs up."""
        loop = asyncio.get_running_loop()
        self._incoming = port.incoming
        pacer = Pacer(FRAME_MS)
        pacer.start(loop.time())
        while True:
            for _ in range(pacer.due(loop.time())):
                pacer.sent()
                if not self._tick(port, loop.time()):
                    return Ended("hangup")
            await asyncio.sleep(max(0.0, pacer.next_due_s - loop.time()))

    def _tick(self, port: Port, now_s: float) -> bool:
        said = self._script.next_frame(self._frame, now_s)
        if said is None:
            return False
        port.outgoing.push(said)
        waiting = min(self._frame, port.incoming.depth_samples)
        heard = port.incoming.pull_padded(self._frame)
        if waiting:
            port.incoming.ledger.sent(waiting, now_s)
        self.underruns.played(waiting, self._frame, now_s)
        if not port.incoming.depth_samples:
            self._drained.set()
        self._tape.write(said, heard)
        self._script.heard(heard, now_s)
        return True

    def clear(self) -> None:
        """Nothing to drop: a frame that left the lane has been heard."""
        self.underruns.segment_over()

    def receive(self, event: LegEvent) -> None:
        """Let the script see the agent's states and words."""
        if isinstance(event, MessageEvent):
            self.underruns.told(event.message)
        self._script.receive(event, asyncio.get_running_loop().time())

    async def drain(self) -> None:
        """Wait until the loudspeaker has played all that the agent said."""
        if self._incoming is not None and self._incoming.depth_samples:
            self._drained.clear()
            await self._drained.wait()


class Underruns:
    """Counts the holes a listener hears inside the agent's speech.

    A hole is a time without audio while the agent's state is ``speaking``, between two pieces of audio of one
    utterance: the pause before the first sample, after the last one and between two utterances is no hole.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total_ms = 0.0
        self._speaking = False
        self._over = False
        """The utterance is complete; its last samples may still be playing."""
        self._begun = False
        self._dry_since: float | None = None

    def told(self, message: object) -> None:
        """A message of the agent's side: its states and words say what is speech."""
        match message:
            case State(state=state):
                self.speaking(on=state == "speaking")
            case Transcript(role="agent", final=final):
                self.utterance(over=final)

    def speaking(self, *, on: bool) -> None:
        """The agent began (or ceased) to speak."""
        if on != self._speaking:
            self._speaking = on
            self.segment_over()

    def utterance(self, *, over: bool) -> None:
        """A word of an utterance was shown, or it is over."""
        self._over = over
        if over and self._dry_since is not None:
            self.segment_over()

    def segment_over(self) -> None:
        """The audio is over: what follows is a new piece of speech."""
        self._begun = self._over = False
        self._dry_since = None

    def played(self, n_samples: int, frame: int, now_s: float) -> None:
        """``n_samples`` of ``frame`` samples were real audio in the tick at ``now_s``."""
        if not self._speaking:
            return
        if n_samples:
            if self._dry_since is not None:
                self.count += 1
                self.total_ms += 1000 * (now_s - self._dry_since)
            self._begun = True
            self._dry_since = None
        if n_samples < frame and self._over:
            self.segment_over()
        elif n_samples < frame and self._begun and self._dry_since is None:
            self._dry_since = now_s + (n_samples / frame) * FRAME_MS / 1000
