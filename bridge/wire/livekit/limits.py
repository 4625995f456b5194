"""What one LiveKit client may send before its session ends, and what of it is kept.

A limit's sentence is what the call's record says. Sizes are bytes; time is an argument, seconds of a monotonic clock.
"""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Of one signalling connection."""

    message_bytes: int = 96 * KIB
    """A larger message ends the session with 1009. A browser's offer has 18 KiB."""
    sdp_bytes: int = 64 * KIB
    """A longer session description ends the session with 1009."""
    offers_per_s: float = 2.0
    offers_burst: float = 20.0
    """More offers end the session: each costs a negotiation."""
    messages_per_s: float = 50.0
    messages_burst: float = 500.0
    """More messages end the session."""
    candidates: int = 50
    """Candidates taken per peer connection, those kept for a description that has not come included."""
    candidate_bytes: int = 2 * KIB
    tracks: int = 16
    """Tracks announced in one session."""
    name_bytes: int = 256
    """Names and ids of the peer's that are kept."""
    bad_messages: int = 10
    bad_window_s: float = 10.0
    """More messages that cannot be used within this time end the session."""


FROM_PEER: Final = SessionLimits()
