"""The phone line of one call: the media clock between the caller and whatever the carrier plays to them.

Every 20 ms by the loop's clock one packet is said and one is heard, from the answer to the hang-up, against absolute
instants: a loop that was late catches up. What was said in one packet leaves with the next, as a phone has to record
it first.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from bridge.testing.caller import PhoneCaller
from bridge.testing.playout import Packet
from bridge.testing.true_ear import TrueEar
from bridge_codecs.pcm import Int16, silence

PACKET_MS: Final = 20
_EARLY_S: Final = 0.0005  # uvloop rounds timers to whole ms


class Player(Protocol):
    """What the carrier plays to the caller, and who listens, at one time."""

    def play(self, n_samples: int) -> Packet:
        """The next packet for the caller."""
        ...

    def said(self, samples: Int16) -> None:
        """A packet of the caller's."""
        ...

    def key(self, digit: str) -> None:
        """The caller pressed a key."""
        ...


class Line:
    """One phone line.

    Args:
        caller: the human.
        ear: gets both sides.
    """

    def __init__(self, caller: PhoneCaller, ear: TrueEar) -> None:
        self.caller = caller
        self.ear = ear
        self.player: Player | None = None
        """None plays silence, and nobody listens."""
        self.on_hang_up: Callable[[], None] = lambda: None
        """Called when the caller hangs up."""
        self.packet_samples = ear.rate_hz * PACKET_MS // 1000
        self._loop = asyncio.get_running_loop()
        self._said: Int16 | None = None
        self._n_packets = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The call is answered: the clock begins to run."""
        self.ear.start(self._loop.time())
        self._tick()

    def stop(self) -> None:
        """The call is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def at_s(self) -> float:
        """Seconds since the answer, to the packet."""
        return self.ear.position / self.ear.rate_hz

    def _tick(self) -> None:
        started_s = self.ear.started_s
        due = int((self._loop.time() - started_s + _EARLY_S) * 1000 / PACKET_MS) + 1
        while self._n_packets < due:
            if not self._packet():
                self.stop()
                self.on_hang_up()
                return
        next_s = started_s + self._n_packets * PACKET_MS / 1000
        self._timer = self._loop.call_at(next_s, self._tick)

    def _packet(self) -> bool:
        """One packet each way; False when the caller hangs up."""
        n = self.packet_samples
        said = self.caller.say(n)
        if said is None:
            return False
        player = self.player
        if player is None:
            packet = Packet(silence(n), 0, ())
        else:
            if self._said is not None:
                player.said(self._said)
            packet = player.play(n)
        self._said = said
        self.ear.packet(said, packet.samples, packet.n_real)
        self.caller.hear(packet.samples)
        for digit in self.caller.pressed():
            if player is not None:
                player.key(digit)
        self._n_packets += 1
        return True
