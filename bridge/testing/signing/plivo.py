"""X-Plivo-Signature-V3 (plivo.com/docs, validating requests; reference telephony section 3).

base64(HMAC-SHA256(auth token, base)), where base is the URL without its query, ``?`` and the query sorted by name as
``k=v&…``, for a POST a ``.`` and its parameters sorted as ``kv…``, and at last ``.`` and the nonce. With parameters and
no query the ``?`` is there and the first ``.`` is not, as Plivo's own library has it.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

SIGNATURE = "X-Plivo-Signature-V3"
MASTER = "X-Plivo-Signature-Ma-V3"
NONCE = "X-Plivo-Signature-V3-Nonce"


def sign(
    auth_token: str, url: str, nonce: str, parameters: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers; `parameters` are those of a POST, None for a GET."""
    base = f"{_base(url, parameters)}.{nonce}"
    digest = hmac.new(auth_token.encode(), base.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {SIGNATURE: signature, MASTER: signature, NONCE: nonce}


def _base(url: str, parameters: Mapping[str, str] | None) -> str:
    parts = urlsplit(url)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    if query or parameters:
        bare += "?" + "&".join(f"{name}={value}" for name, value in query)
    if parameters:
        bare += "." if query else ""
        bare += "".join(f"{name}{value}" for name, value in sorted(parameters.items()))
    return bare
