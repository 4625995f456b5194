"""Genesys Audio Connector: the socket is signed, and is the first that is heard of a call.

Source: the vendor's AudioHook reference implementation.
"""

from bridge.gateway.phone.carriers.base import Came, Carrier
from bridge.wire.signatures import genesys as signatures
from bridge.wire.signatures.request import SignedRequest


class Genesys(Carrier):
    """Genesys with one integration; without both keys nothing can be checked."""

    name = "genesys"
    needs_token = False

    def __init__(self, api_key: str | None, client_secret: str | None) -> None:
        super().__init__()
        self._api_key = api_key
        self._client_secret = client_secret

    def check_unannounced(self, came: Came) -> str | None:
        """See Carrier."""
        if self._api_key is None or self._client_secret is None:
            return "carriers.genesys has no api_key and client_secret to check with"
        return signatures.check_upgrade(
            self._api_key, self._client_secret, came.request, came.public_url, came.now_s
        )

    def once_key(self, request: SignedRequest) -> str:
        """See Carrier."""
        return signatures.nonce_of(request)
