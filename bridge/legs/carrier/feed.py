"""What the carrier's socket delivers, taken through the wire to the leg: audio by the shortest way.

A socket that our own limits closed, over a carrier that takes nothing more, say, is a lost carrier.
"""

import asyncio
from collections.abc import Callable

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import AudioIn, CarrierEvent, CarrierWire, HearsText, Stopped

Hear = Callable[[bytes, float], None]


class CarrierFeed:
    """A `SocketReceiver` in front of a carrier leg.

    Args:
        wire: the carrier's protocol.
        take: gets each event but audio, with the time, in order; the last one is `Stopped`.
        refuse: the carrier broke the protocol; nothing more is taken from it.

    Attributes:
        hear: gets the caller's audio, encoded, with the time.
        heard_s: when something of the carrier's came last, loop time.
        closing: we have closed the socket, or are about to.
    """

    def __init__(
        self,
        wire: CarrierWire,
        take: Callable[[CarrierEvent, float], None],
        refuse: Callable[[RemoteWireError], None],
    ) -> None:
        self.hear: Hear = _hear_nothing
        self.closing = False
        self._wire = wire
        self._hear_text = wire.hear if isinstance(wire, HearsText) else _no_audio
        self._take = take
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self.heard_s = self._loop.time()

    def on_text(self, text: str) -> None:
        """See SocketReceiver."""
        self.heard_s = now_s = self._loop.time()
        payload = self._hear_text(text, now_s)
        if payload is not None:
            self.hear(payload, now_s)
            return
        try:
            events = self._wire.receive_text(text, now_s)
        except RemoteWireError as exc:
            self._refuse(exc)
        else:
            for event in events:
                if type(event) is AudioIn:
                    self.hear(event.payload, now_s)
                else:
                    self._take(event, now_s)

    def on_bytes(self, data: bytes) -> None:
        """See SocketReceiver."""
        self.heard_s = now_s = self._loop.time()
        try:
            events = self._wire.receive_bytes(data, now_s)
        except RemoteWireError as exc:
            self._refuse(exc)
        else:
            for event in events:
                if type(event) is AudioIn:
                    self.hear(event.payload, now_s)
                else:
                    self._take(event, now_s)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """See SocketReceiver."""
        now_s = self._loop.time()
        for event in self._wire.receive_close(code, reason, ours=ours):
            if isinstance(event, AudioIn):
                self.hear(event.payload, now_s)
            elif isinstance(event, Stopped) and ours and not self.closing:
                self._take(Stopped("lost", event.detail), now_s)
            else:
                self._take(event, now_s)


def _no_audio(_text: str, _now_s: float) -> bytes | None:
    """Of a wire whose texts are no audio."""
    return None


def _hear_nothing(payload: bytes, now_s: float) -> None:
    """Before the start no wire gives audio."""
