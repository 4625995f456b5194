"""Our signalling connection to a room: a media socket around the client's session, with pings and a deadline.

The socket's frames become the session's events; what breaks the protocol or goes silent ends the connection. Nothing
here waits, but for the events that joining needs.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.errors import RemoteWireError
from bridge.legs.media_socket import MediaSocket
from bridge.wire.close_codes import NORMAL, POLICY
from bridge.wire.livekit.client_session import ClientSession
from bridge.wire.livekit.events import ClientEvent, Joined, Left, PongReceived

SILENT_S: Final = 15.0
"""A server that says nothing for so long is gone, unless it names another time."""
LONGEST_SILENCE_S: Final = 120.0
PINGS: Final = 3
"""So many must go unanswered before a server is gone."""


class SignalLink:
    """A `SocketReceiver` that keeps the session alive.

    Args:
        session: the protocol's machine.
        socket: connected to the room, not started.
        take: gets each event, in order.
        over: called once, with a sentence, when the connection is gone or must not go on; not after `close`.
    """

    def __init__(
        self,
        session: ClientSession,
        socket: MediaSocket,
        take: Callable[[ClientEvent], None],
        over: Callable[[str], None],
    ) -> None:
        self._session = session
        self._socket = socket
        self._take = take
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._ping_s = 0.0
        self._silent_s = SILENT_S
        self._rtt_ms = 0
        self._done = False
        self._pinging: asyncio.TimerHandle | None = None
        self.heard_s = self._loop.time()
        """When anything last came, loop time."""
        self._watch = self._loop.call_later(SILENT_S, self._look)
        socket.start(self)

    def send(self, frame: bytes) -> None:
        """Send one of the session's frames; ignored once the connection is over."""
        if not self._done:
            self._socket.send_bytes(frame)

    def close(self) -> None:
        """Say that we leave, and close; may be called again."""
        if not self._done:
            self._socket.send_bytes(self._session.leave())
            self._finish()
        self._socket.close(NORMAL)

    # A SocketReceiver

    def on_bytes(self, data: bytes) -> None:
        """A frame of the server."""
        self.heard_s = self._loop.time()
        try:
            events = self._session.receive(data, self.heard_s)
        except RemoteWireError as exc:
            self._refuse(exc)
            return
        for event in events:
            if self._done:
                return
            match event:
                case Joined():
                    self._keep_alive(event)
                case PongReceived(last_ping_ms=sent_ms):
                    took_ms = self._now_ms() - sent_ms
                    self._rtt_ms = max(0, min(took_ms, int(LONGEST_SILENCE_S * 1000)))
                case Left():  # that the socket closes after this is no news
                    self._finish()
                case _:
                    pass
            self._take(event)

    def on_text(self, _text: str) -> None:
        """The protocol has no text."""
        try:
            events = self._session.receive_text(self._loop.time())
        except RemoteWireError as exc:
            self._refuse(exc)
        else:
            for event in events:
                self._take(event)

    def on_close(self, code: int, _reason: str, *, ours: bool = False) -> None:
        """The socket is over."""
        if not self._done:
            who = "was closed by us" if ours else "closed"
            self._finish()
            self._over(f"the signalling connection {who} with code {code}")

    # Signs of life

    def _keep_alive(self, joined: Joined) -> None:
        self._silent_s = min(joined.ping_timeout_s or SILENT_S, LONGEST_SILENCE_S)
        self._ping_s = min(joined.ping_interval_s, self._silent_s / PINGS)
        if self._ping_s:
            self._ping()

    def _ping(self) -> None:
        self.send(self._session.ping(self._now_ms(), self._rtt_ms))
        self._pinging = self._loop.call_later(self._ping_s, self._ping)

    def _look(self) -> None:
        left_s = self.heard_s + self._silent_s - self._loop.time()
        if left_s > 0 or (not self._ping_s and self._session.joined):
            # Without pings a server has nothing to say.
            self._watch = self._loop.call_later(max(left_s, 1.0), self._look)
            return
        self._fail(f"the room said nothing for {self._silent_s:g} s")

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)

    # Ending

    def _refuse(self, exc: RemoteWireError) -> None:
        self._socket.close(exc.close_code or POLICY, "protocol error")
        self._finish()
        self._over(f"the room broke the protocol: {exc}")

    def _fail(self, why: str) -> None:
        self._socket.close(NORMAL)
        self._finish()
        self._over(why)

    def _finish(self) -> None:
        self._done = True
        self._watch.cancel()
        if self._pinging is not None:
            self._pinging.cancel()
