"""How a call ended, in words."""

from typing import Final

from bridge.legs.base import Ended, EndReason
from bridge.wire.close_codes import NORMAL, ending

_WORDS: Final[dict[EndReason, str]] = {
    "hangup": "you hung up",
    "agent_hangup": "the agent hung up",
    "timeout": "the call ran out of time",
    "connection_error": "the connection failed",
    "system_error": "something failed inside",
}
_IN_ORDER: Final = ending(NORMAL).sentence
"""Says nothing that the words do not."""
WELL_ENDED: Final[frozenset[EndReason]] = frozenset({"hangup", "agent_hangup", "timeout"})


def words_of(ended: Ended) -> str:
    """One clause about the end of a call, with the far side's or the system's own words where there are any."""
    words = _WORDS[ended.reason]
    told = ended.detail and ended.detail != _IN_ORDER
    return f"{words} ({ended.detail})" if told else words


def clock_words(at_s: float) -> str:
    """Minutes and seconds; hours where there are some."""
    minutes, seconds = divmod(max(0, int(at_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
