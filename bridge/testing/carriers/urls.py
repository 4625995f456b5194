"""URLs of media sockets."""

import base64
from urllib.parse import unquote, urlsplit, urlunsplit


def without_credentials(url: str) -> tuple[str, dict[str, str]]:
    """A URL without its user and password, and the header that they become."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, {}
    given = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    netloc = parts.netloc.rpartition("@")[2]
    header = "Basic " + base64.b64encode(given.encode()).decode()
    return urlunsplit(parts._replace(netloc=netloc)), {"Authorization": header}
