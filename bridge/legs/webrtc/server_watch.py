"""What STUN and TURN servers do for us, in the log: one line when one begins to fail, one when it is of use again.

A connection does without them where it can, and calls go on; so nobody would notice. Servers come from the
configuration, or from somebody else's room that we have joined, which may name new ones each time: some are remembered.
"""

import logging
from typing import Final

from aioice.stun import TransactionFailed

log = logging.getLogger(__name__)

MAX_FAILING: Final = 64
"""Servers that are known to fail; those of which nothing was heard for longest are forgotten."""

_REFUSED: Final = (401, 403, 431, 437, 438, 441)
"""What a server says to a user whom it does not know, or who has no right (RFC 8489, RFC 8656)."""


class ServerWatch:
    """The servers that this process asks, and which of them fail."""

    def __init__(self) -> None:
        self._failing: dict[tuple[str, object, bool], str] = {}

    def asked(
        self, kind: str, server: object, outcome: BaseException | None, *, of_room: bool = False
    ) -> None:
        """A server was asked: `outcome` is what went wrong, TimeoutError if it took too long, None if it answered.

        `kind` is ``STUN`` or ``TURN``, `server` anything that tells one from the other; `of_room`: a room that we have
        joined has named it, not the configuration.
        """
        whose = "a room that was joined" if of_room else "WebRTC calls"
        trouble = None if outcome is None else _trouble(outcome, of_room=of_room)
        key = (kind, server, of_room)
        before = self._failing.pop(key, None)
        if trouble is None:
            if before is not None:
                log.info("= the %s server of %s is of use again", kind, whose)
            return
        self._failing[key] = trouble
        if len(self._failing) > MAX_FAILING:
            del self._failing[next(iter(self._failing))]
        if trouble != before:
            log.warning("! the %s server of %s %s; calls do without it", kind, whose, trouble)


def _trouble(outcome: BaseException, *, of_room: bool) -> str:
    if isinstance(outcome, TransactionFailed):
        code = outcome.response.error_code
        if code in _REFUSED:
            given = "that the room gave" if of_room else "of ice_servers"
            return f"refuses the username or the credential {given}"
        return f"refuses with error {code}"
    if isinstance(outcome, TimeoutError):
        look = "the firewall" if of_room else "its address and at the firewall"
        return f"does not answer in time: look at {look}"
    return "cannot be reached" if of_room else "cannot be reached: look at its address"


watch: Final = ServerWatch()
"""Of this process."""
