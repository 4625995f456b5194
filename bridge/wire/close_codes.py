"""How a media socket ends: WebSocket close codes, and what they say.

RFC 6455 section 7.4.1 and the IANA registry own the numbers. Which of them a call server uses is
documented by no vendor; seen in live traffic is 1000 for every orderly end, and clients treat 1000
and 1001 as harmless. Ours: 1000 for every end of a call, 1008 and 1009 for peers that break rules,
1011 for our own failure, 1001 when the process goes away.
"""

from dataclasses import dataclass
from typing import Final

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NOTHING_SAID: Final = 1005  # a close frame without a code; never sent
BROKE_OFF: Final = 1006  # the connection ended without a close frame; never sent
BAD_TEXT: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
TRY_LATER: Final = 1013

_SENTENCES: Final[dict[int, str]] = {
    NORMAL: "the call ended in order",
    GOING_AWAY: "the far end is going away",
    PROTOCOL_ERROR: "the far end saw a WebSocket protocol error",
    1003: "the far end does not take this kind of data",
    NOTHING_SAID: "the far end closed without saying why",
    BROKE_OFF: "the connection broke without a close frame",
    BAD_TEXT: "the far end got text that is not valid UTF-8",
    POLICY: "the far end refused what was sent: it broke a rule",
    TOO_BIG: "the far end refused a message that is too big",
    INTERNAL_ERROR: "the far end failed inside",
    1012: "the far end restarts",
    TRY_LATER: "the far end is overloaded: try again later",
    1014: "a gateway before the far end got no valid answer",
    1015: "the TLS handshake failed",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What a close code means: `orderly` when the far end simply was done."""

    code: int
    orderly: bool
    sentence: str


def ending(code: int | None, reason: str = "", *, ours: bool = False) -> Ending:
    """What the code of a close says, and the reason beside it; None is a connection that broke without one.

    The far end's reason is foreign text: escaped, so that it cannot speak to a terminal. That of our own close
    (`ours`), or of a connection that broke, is a sentence of this end.
    """
    code = BROKE_OFF if code is None else code
    orderly = code in (NORMAL, GOING_AWAY, NOTHING_SAID)
    if ours:
        sentence = f"this end closed the connection with code {code}"
    else:
        sentence = _SENTENCES.get(code, f"the far end closed with code {code}")
    if reason:
        own = (ours or code == BROKE_OFF) and reason.isprintable()
        sentence += f": {reason}" if own else f", saying {reason!a}"
    return Ending(code, orderly, sentence)
