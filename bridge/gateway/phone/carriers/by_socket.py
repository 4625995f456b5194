"""Carriers that bring a call up by opening their media socket: a telephone exchange of one's own, mostly.

jambonz, Asterisk's chan_websocket, FreeSWITCH's mod_audio_fork and mod_audio_stream. They sign nothing; the address
that is configured there ends with a secret, or has a user and a password, or both (reliability reference T4).
"""

import hmac
from dataclasses import dataclass

from bridge.gateway.phone.carriers.base import Came, Carrier
from bridge.wire.carriers.base import CarrierName
from bridge.wire.carriers.make import WireOptions
from bridge.wire.signatures.basic import check_basic
from bridge.wire.signatures.request import SignedRequest


@dataclass(frozen=True, slots=True)
class Locked:
    """What opens a media socket; what is None is not asked for, and both None opens nothing."""

    secret: str | None = None
    """At the end of the address."""
    user: str | None = None
    password: str | None = None

    def check(self, request: SignedRequest, token: str) -> str | None:
        """None if a socket may be opened, else a sentence why not."""
        if self.secret is None and self.user is None:
            return "neither a secret nor a user is configured to check with"
        if self.secret is not None and not hmac.compare_digest(
            token.encode(errors="replace"), self.secret.encode()
        ):
            return "its address does not end with the configured secret"
        return None if self.user is None else self.check_credentials(request)

    def check_credentials(self, request: SignedRequest) -> str | None:
        """None if a request has the user and the password, else a sentence why not."""
        if self.user is None or self.password is None:
            return "no user and password are configured to check with"
        return check_basic(self.user, self.password, request)


class SocketFirst(Carrier):
    """A carrier whose socket is the first that is heard of a call.

    Args:
        lock: of the media socket.
        options: of its protocol.
    """

    needs_token = False

    def __init__(self, lock: Locked, *, options: WireOptions | None = None) -> None:
        super().__init__()
        self.lock = lock
        self.wire_options = options or WireOptions()

    def check_unannounced(self, came: Came) -> str | None:
        """See Carrier."""
        return self.lock.check(came.request, came.token)


class Exchange(SocketFirst):
    """A telephone exchange; it has no API that we know."""

    def __init__(
        self,
        name: CarrierName,
        lock: Locked,
        *,
        subprotocol: str | None = None,
        options: WireOptions | None = None,
    ) -> None:
        super().__init__(lock, options=options)
        self.name = name
        self.subprotocol = subprotocol
