"""A request as it came, and the addresses under which its sender may know it.

Carriers sign the URL that they were given. What reaches us behind a proxy is another host, another port or another
scheme, so the address is taken from the configured public one (reference telephony section 1, signature).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

MAX_BODY_BYTES: Final = 64 * 1024
"""Of a body that is checked: carriers' webhooks have a few KB, and every guess hashes all of it."""
MAX_FIELDS: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"
_HOST: Final = re.compile(
    r"[A-Za-z0-9.\-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?"
)
_SOCKET_SCHEMES: Final = {"https": "wss", "http": "ws", "wss": "wss", "ws": "ws"}
_WEB_SCHEMES: Final = {"https": "https", "http": "http", "wss": "https", "ws": "http"}
_DEFAULT_PORTS: Final = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_PORT: Final = re.compile(r":\d+$")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a carrier asked: a webhook, or the upgrade to a media socket."""

    method: str
    target: str
    """Path and query, exactly as they came."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    @property
    def is_form(self) -> bool:
        """Whether the body is a form."""
        kind = self.headers.get("content-type", "").partition(";")[0]
        return kind.strip().lower() == _FORM

    def form(self) -> list[tuple[str, str]] | None:
        """The form's fields in the order they came; None where it cannot be read as one."""
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:  # not UTF-8, or too many
            return None


def signed_urls(public_url: str, target: str, *, socket: bool) -> list[str]:
    """What the carrier may have signed, likeliest first.

    Vendors are not consistent about the default port and a trailing slash, so both are tried both ways.

    Args:
        public_url: under which carriers reach us: scheme, host, a port and a path where there is one.
        target: path and query of the request.
        socket: whether it is a media socket: its scheme is wss, or ws where the public one is http.
    """
    scheme, host, prefix = _parts(public_url, socket=socket)
    return list(_spellings(scheme, host, prefix + target))


def authorities(public_url: str, target: str) -> list[tuple[str, str]]:
    """Under which host and targets the sender may have asked: the configured host alone, with and without its path.

    A host is in lower case, without the port that its scheme has by default.
    """
    scheme, host, prefix = _parts(public_url, socket=True)
    return [(_authority(scheme, host), path + target) for path in dict.fromkeys((prefix, ""))]


def other_authorities(request: SignedRequest, public_url: str) -> Iterator[tuple[str, str]]:
    """Hosts that the request itself names, and targets. Nobody is let in by them: they tell a wrong public_url."""
    scheme, configured, prefix = _parts(public_url, socket=True)
    named = dict.fromkeys(_authority(scheme, host) for host in _named_hosts(request.headers))
    for host in named:
        if host != _authority(scheme, configured):
            for path in dict.fromkeys((prefix, "")):
                yield host, path + request.target


def diagnosis(
    request: SignedRequest, public_url: str, fits: Callable[[str], bool], *, socket: bool
) -> str:
    """Why no signed URL fits: says so where another address than the configured one does."""
    schemes = _SOCKET_SCHEMES if socket else _WEB_SCHEMES
    _, configured, prefix = _parts(public_url, socket=socket)
    hosts = (configured, *_named_hosts(request.headers))
    for host in dict.fromkeys(hosts):
        for scheme in dict.fromkeys(schemes.values()):
            for path in dict.fromkeys((prefix, "")):
                if any(map(fits, _spellings(scheme, host, path + request.target))):
                    return f"the signature fits {scheme}://{host}{path}…: public_url is wrong"
    return "the signature does not fit: made with another secret, or of another request"


def _authority(scheme: str, host: str) -> str:
    return host.lower().removesuffix(f":{_DEFAULT_PORTS.get(scheme, 443)}")


def _parts(public_url: str, *, socket: bool) -> tuple[str, str, str]:
    """Scheme, host with its port, and the path before every target."""
    url = urlsplit(public_url)
    schemes = _SOCKET_SCHEMES if socket else _WEB_SCHEMES
    return schemes.get(url.scheme, url.scheme), url.netloc, url.path.rstrip("/")


def _spellings(scheme: str, host: str, target: str) -> Iterator[str]:
    bare = _PORT.sub("", host)
    hosts = dict.fromkeys((host, bare, f"{bare}:{_DEFAULT_PORTS.get(scheme, 443)}"))
    path, mark, query = target.partition("?")
    other = path[:-1] if path.endswith("/") else f"{path}/"
    for spelled in (path, other):
        for name in hosts:
            yield f"{scheme}://{name}{spelled}{mark}{query}"


def _named_hosts(headers: Mapping[str, str]) -> Iterator[str]:
    """Hosts that the request itself names."""
    for name in ("host", "x-forwarded-host"):
        for host in headers.get(name, "").split(",")[:2]:
            if _HOST.fullmatch(host.strip()):
                yield host.strip()
