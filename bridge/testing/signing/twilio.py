"""X-Twilio-Signature (twilio.com/docs/usage/webhooks/webhooks-security; reference telephony section 1).

base64(HMAC-SHA1(auth token, URL and then each POST parameter, sorted by name, as name and value)). A socket's upgrade
has no parameters: the URL alone is signed, as it stands in the document, scheme ``wss`` included.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

HEADER = "X-Twilio-Signature"


def sign(auth_token: str, url: str, parameters: Mapping[str, str] | None = None) -> str:
    """The value of the header."""
    text = url + "".join(name + value for name, value in sorted((parameters or {}).items()))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
