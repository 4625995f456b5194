"""What a client adds to a join URL: who it is, as the vendor's SDKs do (reference ultravox 2.2, 3.1)."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

API_VERSION: Final = "1"
PACKAGE: Final = "tipring"


def announced(join_url: str) -> str:
    """The URL with ``clientVersion`` and ``apiVersion`` in its query; what is there already stays as it is."""
    try:
        parts = urlsplit(join_url)
    except ValueError:  # who opens it will say what is wrong
        return join_url
    known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    ours = {"clientVersion": _client(), "apiVersion": API_VERSION}
    added = [f"{name}={quote(value)}" for name, value in ours.items() if name not in known]
    query = "&".join(filter(None, (parts.query, *added)))
    return urlunsplit(parts._replace(query=query))


@cache
def _client() -> str:
    try:
        return f"{PACKAGE}_{version(PACKAGE)}"
    except PackageNotFoundError:
        return PACKAGE
