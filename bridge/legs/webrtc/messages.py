"""The data messages of one client over WebRTC, both ways, whatever connection or socket they come and go by.

One machine for all of them (`bridge.wire.agent_socket`), so that order, rates and limits hold for the call, not for
each connection. What is for the client waits until it is there (`mailbox`).
"""

import asyncio
from collections.abc import Callable

from bridge.errors import RemoteWireError
from bridge.legs.base import LegEvent, MessageEvent, Warned
from bridge.legs.webrtc.mailbox import Mailbox
from bridge.wire.agent_socket import (
    AgentSocket,
    Closed,
    Ignored,
    Message,
    MessageReceived,
    Rates,
)
from bridge.wire.messages import EnabledDataMessages


class Messages:
    """See above.

    Args:
        rates: of the call.
        enabled: which messages the client wants.
        tell: gets what the client says, and warnings.
        refuse: the client broke the protocol.
    """

    def __init__(
        self,
        rates: Rates,
        enabled: EnabledDataMessages,
        tell: Callable[[LegEvent], None],
        refuse: Callable[[RemoteWireError], None],
    ) -> None:
        self._wire = AgentSocket("server", rates, call_started=enabled.enabled("call_started"))
        self._enabled = enabled
        self._tell = tell
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._mail = Mailbox(self._loop.time)

    def read(self, payload: bytes | str) -> None:
        """Take a message of the client, as it came."""
        text = payload if isinstance(payload, str) else payload.decode(errors="replace")
        try:
            events = self._wire.receive_text(text, self._loop.time())
        except RemoteWireError as exc:
            self._refuse(exc)
            return
        for event in events:
            if isinstance(event, MessageReceived):
                self._tell(MessageEvent(event.message))
            elif isinstance(event, Ignored):
                self._tell(Warned(f"ignored: {event.reason}", event.detail))

    def bad(self, sentence: str) -> None:
        """What came is no message; too many of them are a breach of the protocol."""
        self._tell(Warned("ignored: bad message", sentence))
        self.read("")  # counts as one that is none

    def closed(self, code: int, reason: str, *, ours: bool) -> Closed:
        """What the end of the join socket means."""
        [closed] = self._wire.receive_close(code, reason, ours=ours)
        assert isinstance(closed, Closed)
        return closed

    def send(self, message: Message) -> None:
        """Send a message as soon as the client is there, unless it does not want it, or not now.

        Raises: LocalWireError for one that the client could not take.
        """
        if self._enabled.enabled(message.type) and self._wire.may_send(message):
            self._mail.post(self._wire.text(message))

    def open(self, send: Callable[[str], None]) -> None:
        """The client is there: what waits goes out."""
        self._mail.open(send)
        if n_dropped := self._mail.take_dropped():
            sentence = f"{n_dropped} messages for a client that was away were too many"
            self._tell(Warned("message_not_sent", sentence))

    def shut(self, heard_s: float) -> None:
        """The client is not to be relied on; `heard_s`: when it was last heard of, loop time."""
        self._mail.shut(heard_s)
