"""How a media socket ends: WebSocket close codes, and HTTP answers that refuse the upgrade.

RFC 6455 section 7.4.1 and the IANA registry own the numbers. Which of them a call server uses is
documented by no vendor; seen in live traffic is 1000 for every orderly end, and clients treat 1000
and 1001 as harmless. Ours: 1000 for every end of a call, 1008 and 1009 for peers that break rules,
1011 for our own failure, 1001 when the process goes away; 404, 409 and 410 before the upgrade.
"""

from dataclasses import dataclass
from typing import Final

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
NOTHING_SAID: Final = 1005  # a close frame without a code; never sent
BROKE_OFF: Final = 1006  # the connection ended without a close frame; never sent
POLICY: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011

UNKNOWN_CALL: Final = 404
ALREADY_JOINED: Final = 409
CALL_OVER: Final = 410

UPGRADE_REFUSALS: Final[dict[int, str]] = {
    UNKNOWN_CALL: "no call waits at this join URL",
    ALREADY_JOINED: "somebody else has joined this call; a join URL serves one client",
    CALL_OVER: "this call has ended or was not joined in time",
}

_SENTENCES: Final[dict[int, str]] = {
    NORMAL: "the call ended in order",
    GOING_AWAY: "the far end is going away",
    1002: "the far end saw a WebSocket protocol error",
    1003: "the far end does not take this kind of data",
    NOTHING_SAID: "the far end closed without saying why",
    BROKE_OFF: "the connection broke without a close frame",
    1007: "the far end got text that is not valid UTF-8",
    POLICY: "the far end refused what was sent: it broke a rule",
    TOO_BIG: "the far end refused a message that is too big",
    INTERNAL_ERROR: "the far end failed inside",
    1012: "the far end restarts",
    1013: "the far end is overloaded: try again later",
    1014: "a gateway before the far end got no valid answer",
    1015: "the TLS handshake failed",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What a close code means: `orderly` when the far end simply was done."""

    code: int
    orderly: bool
    sentence: str


def ending(code: int | None) -> Ending:
    """What the code of a received close says; None is a connection that broke without one."""
    code = BROKE_OFF if code is None else code
    orderly = code in (NORMAL, GOING_AWAY, NOTHING_SAID)
    return Ending(code, orderly, _SENTENCES.get(code, f"the far end closed with code {code}"))
