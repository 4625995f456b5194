"""Two agent sockets with a perfect wire between them: every send is checked at the far end."""

import numpy as np

from bridge.wire.agent_socket import (
    AgentSocket,
    AudioReceived,
    ClearBuffer,
    Ignored,
    Message,
    MessageReceived,
    Rates,
    Role,
    SocketEvent,
)
from bridge.wire.messages import PlaybackClearBuffer
from bridge_codecs.pcm import Int16

RATES = Rates(input_hz=8_000, output_hz=16_000)


class JoinedAgentSockets:
    """A client and a server on one connection; `now_s` moves only when a test moves it."""

    def __init__(self) -> None:
        self.ends: dict[Role, AgentSocket] = {
            "client": AgentSocket("client", RATES),
            "server": AgentSocket("server", RATES),
        }
        self.now_s = 0.0

    def say(self, role: Role, message: Message) -> SocketEvent:
        """Send a message; the far end must have understood exactly this, or have ignored it."""
        text = self.ends[role].text(message)
        [event] = self.far(role).receive_text(text, self.now_s)
        if isinstance(message, PlaybackClearBuffer):
            assert event == ClearBuffer()
        elif not isinstance(event, Ignored):
            assert event == MessageReceived(message)
        return event

    def play(self, role: Role, samples: Int16) -> SocketEvent:
        """Send a frame; the far end must have heard exactly these samples, or ignored them."""
        data = self.ends[role].audio(samples)
        [event] = self.far(role).receive_bytes(data, self.now_s)
        if isinstance(event, AudioReceived):
            np.testing.assert_array_equal(event.samples, samples)
        return event

    def far(self, role: Role) -> AgentSocket:
        """The end that receives what this role sends."""
        return self.ends["server" if role == "client" else "client"]
