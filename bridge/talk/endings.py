"""How a call ended, in words."""

from typing import Final

from bridge.legs.base import EndReason
from bridge.talk.events import CallEnded

_WORDS: Final[dict[EndReason, str]] = {
    "hangup": "you hung up",
    "agent_hangup": "the agent hung up",
    "timeout": "the call ran out of time",
    "connection_error": "the connection broke",
    "system_error": "something failed inside",
}
WELL_ENDED: Final[frozenset[EndReason]] = frozenset({"hangup", "agent_hangup", "timeout"})


def ending(event: CallEnded) -> str:
    """One clause about the end of a call, with the far side's or the system's own words where there are any."""
    words = _WORDS[event.reason]
    return f"{words} ({event.detail})" if event.detail else words
