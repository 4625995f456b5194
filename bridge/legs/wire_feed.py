"""What a media socket delivers, taken through the wire's machine to the leg behind it.

A leg on ``serverWebSocket`` is the same receiver in either role: texts and bytes become events, and a peer that breaks
the protocol is refused by the leg. Foreign errors end here (conventions: translated once, at the leg).
"""

import asyncio
from collections.abc import Callable

from bridge.errors import RemoteWireError
from bridge.wire.agent_socket import AgentSocket, SocketEvent
from bridge_codecs.pcm import Int16


class WireFeed:
    """A `SocketReceiver` in front of one leg.

    Args:
        wire: the protocol's machine, in the leg's role.
        take: gets each event, in order; the last one is `Closed`.
        refuse: the peer broke the protocol; nothing more is taken from it.
        hear: gets the audio in place of `take`, where it needs no event.
    """

    def __init__(
        self,
        wire: AgentSocket,
        take: Callable[[SocketEvent], None],
        refuse: Callable[[RemoteWireError], None],
        hear: Callable[[Int16], None] | None = None,
    ) -> None:
        self._wire = wire
        self._take = take
        self._refuse = refuse
        self._hear = hear
        self._loop = asyncio.get_running_loop()

    def on_text(self, text: str) -> None:
        """A data message."""
        try:
            events = self._wire.receive_text(text, self._loop.time())
        except RemoteWireError as exc:
            self._refuse(exc)
        else:
            self._pass(events)

    def on_bytes(self, data: bytes) -> None:
        """Audio."""
        if self._hear is not None and (samples := self._wire.hear(data)) is not None:
            self._hear(samples)
            return
        try:
            events = self._wire.receive_bytes(data, self._loop.time())
        except RemoteWireError as exc:
            self._refuse(exc)
        else:
            for event in events:
                self._take(event)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The peer is gone."""
        self._pass(self._wire.receive_close(code, reason, ours=ours))

    def _pass(self, events: list[SocketEvent]) -> None:
        for event in events:
            self._take(event)
