"""What STUN and TURN servers do for us, in the log: one line when one begins to fail, one when it is of use again.

A connection does without them where it can, and calls go on; so nobody would notice.
"""

import logging
from typing import Final

from aioice.stun import TransactionFailed

log = logging.getLogger(__name__)

_REFUSED: Final = (401, 403, 431, 437, 438, 441)
"""What a server says to a user whom it does not know, or who has no right (RFC 8489, RFC 8656)."""


class ServerWatch:
    """The servers that this process asks, and which of them fail."""

    def __init__(self) -> None:
        self._failing: dict[tuple[str, object], str] = {}

    def asked(self, kind: str, server: object, outcome: BaseException | None) -> None:
        """A server was asked: `outcome` is what went wrong, TimeoutError if it took too long, None if it answered.

        `kind` is ``STUN`` or ``TURN``, `server` anything that tells one from the other.
        """
        trouble = None if outcome is None else _trouble(outcome)
        before = self._failing.get((kind, server))
        if trouble is None:
            if self._failing.pop((kind, server), None) is not None:
                log.info("= the %s server of WebRTC calls is of use again", kind)
        elif trouble != before:
            self._failing[(kind, server)] = trouble
            log.warning("! the %s server of WebRTC calls %s; calls do without it", kind, trouble)


def _trouble(outcome: BaseException) -> str:
    if isinstance(outcome, TransactionFailed):
        code = outcome.response.error_code
        if code in _REFUSED:
            return "refuses the username or the credential of ice_servers"
        return f"refuses with error {code}"
    if isinstance(outcome, TimeoutError):
        return "does not answer in time: look at its address and at the firewall"
    return "cannot be reached: look at its address"


watch: Final = ServerWatch()
"""Of this process."""
