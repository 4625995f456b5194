"""API keys: who may use the REST interface.

Keys are compared as digests, each with each, so that the time taken says nothing about them; an
unknown and a missing key get the same answer. Keys are never logged.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader
from pydantic import SecretStr

from bridge.api.refusal import detail
from bridge.errors import ConfigError

_KEY: Final = APIKeyHeader(name="X-API-Key", scheme_name="apiKeyAuth", auto_error=False)
# For demos in browsers; the vendor's API takes it too.
_UNSAFE_KEY: Final = APIKeyHeader(
    name="X-Unsafe-API-Key", scheme_name="unsafeApiKeyAuth", auto_error=False
)


class KeyRing:
    """The keys that open the API; none at all leaves it open."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        """Raises: ConfigError for an empty key, which would let in whoever sends an empty one."""
        if not all(key.get_secret_value() for key in keys):
            raise ConfigError("an API key is empty")
        self._digests = [_digest(key.get_secret_value().encode()) for key in keys]

    def opens(self, given: Sequence[str]) -> bool:
        """Whether one of the given header values is a key."""
        found = not self._digests
        for value in given:
            # Headers are bytes; the web framework hands them over as Latin-1.
            digest = _digest(value.encode("latin-1"))
            for each in self._digests:
                found |= hmac.compare_digest(digest, each)
        return found


async def require_key(
    request: Request,
    key: Annotated[str | None, Depends(_KEY)],
    unsafe_key: Annotated[str | None, Depends(_UNSAFE_KEY)],
) -> None:
    """Let the request pass, or answer 401."""
    ring: KeyRing = request.app.state.keys
    if not ring.opens([value for value in (key, unsafe_key) if value is not None]):
        raise detail(
            401, "A valid API key is needed in the X-API-Key header", {"WWW-Authenticate": "ApiKey"}
        )


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
