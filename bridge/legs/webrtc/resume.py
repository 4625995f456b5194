"""A client that wants to resume a session whose socket it lost: it is told to join anew, in its version's way.

Nothing of its call changes: the call waits for the join that follows (reference webrtc 2.6).
"""

import asyncio
from typing import Final

from bridge.legs.media_socket import MediaSocket
from bridge.wire.close_codes import NORMAL
from bridge.wire.livekit.join_request import JoinRequest
from bridge.wire.livekit.reconnect import rejoin_steps

LINGER_S: Final = 2.0
"""Clients close the socket themselves; so long it is left to them."""


class _Deaf:
    """Whatever such a client says is said to a session that is over."""

    def __init__(self) -> None:
        self.timers: list[asyncio.TimerHandle] = []

    def on_text(self, text: str) -> None:
        """Ignored."""

    def on_bytes(self, data: bytes) -> None:
        """Ignored."""

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:  # noqa: ARG002 - a receiver's
        """Done."""
        for timer in self.timers:
            timer.cancel()


def send_away(socket: MediaSocket, request: JoinRequest, loop: asyncio.AbstractEventLoop) -> None:
    """Have the client join anew; the socket is not started yet, and closes soon."""
    deaf = _Deaf()
    at_s = 0.0
    for step in rejoin_steps(request):
        at_s += step.after_s
        deaf.timers.append(loop.call_later(at_s, socket.send_bytes, step.data))
    deaf.timers.append(loop.call_later(at_s + LINGER_S, socket.close, NORMAL))
    socket.start(deaf)
