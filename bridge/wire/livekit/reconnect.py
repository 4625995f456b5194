"""What a client that wants to resume a lost session is told, so that it joins anew instead.

Our peer connections cannot restart ICE, so no session can be resumed; all clients join anew by themselves when they
are told so in the way their version understands (reference webrtc 2.6, measured with three clients).
"""

from dataclasses import dataclass
from typing import Final

from bridge.wire.livekit import server_frames as frames
from bridge.wire.livekit.join_request import JoinRequest

LEAVES_AT_ONCE: Final = 16
"""Clients of this protocol and above, and all on v1, take a leave as the first message."""
WAIT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes to send, so many seconds after what came before."""

    after_s: float
    data: bytes


def rejoin_steps(request: JoinRequest) -> tuple[Step, ...]:
    """What to send to a client whose request says `reconnect`; the socket is closed by the client."""
    leave = frames.leave("state_mismatch", "reconnect")
    if request.version == "v1" or request.protocol >= LEAVES_AT_ONCE:
        return (Step(0.0, leave),)
    # It repeats its resume up to ten times if it does not hear that this one was taken.
    return (Step(0.0, frames.reconnect()), Step(WAIT_S, leave))
