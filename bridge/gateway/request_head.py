"""Reads the head of an HTTP/1.1 request, strictly and within limits, without a socket.

Rules: RFC 9112 sections 2 to 6 and RFC 9110 section 5; what these leave to the server is refused, so that no
proxy in front can read a request otherwise than we do: bare line feeds, folded lines, blanks before a colon,
two lengths, a length beside a transfer encoding, targets that are no path.
"""

import re
from dataclasses import dataclass
from typing import Final

from bridge.errors import RemoteWireError

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE: Final = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])" % _TOKEN)
_HEADER: Final = re.compile(rb"(%b):[ \t]*([\t\x20-\x7e\x80-\xff]*)" % _TOKEN)


class HeadRefused(RemoteWireError):  # noqa: N818 - reads as what happened
    """The request cannot be served; the sentence goes to the client with the status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How large a request head may be."""

    max_line_bytes: int = 8 * 1024
    max_headers: int = 100
    max_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request without its body. Header names are in lower case; values are Latin-1."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The target without its query, as it was sent."""
        return self.target.partition("?")[0]

    def get(self, name: str) -> str | None:
        """The values of a header, joined by a comma; None if there is none."""
        values = [value for header, value in self.headers if header == name]
        return ", ".join(values) if values else None

    def tokens(self, name: str) -> set[str]:
        """The comma-separated words of a header, in lower case."""
        return {word.strip().lower() for word in (self.get(name) or "").split(",")}

    @property
    def wants_websocket(self) -> bool:
        """Whether this asks for an upgrade to a WebSocket (RFC 6455 section 4.2.1)."""
        return (
            self.method == "GET"
            and self.version == "1.1"
            and "websocket" in self.tokens("upgrade")
            and "upgrade" in self.tokens("connection")
        )


class HeadReader:
    """Takes bytes until a request head is complete."""

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._line_start = 0
        self._scanned = 0
        self._lines: list[bytes] = []

    @property
    def received(self) -> bytes:
        """All bytes so far, what came behind the head included."""
        return bytes(self._buffer)

    @property
    def early(self) -> bytes:
        """What came behind the head, once that is complete."""
        return bytes(self._buffer[self._line_start :])

    def feed(self, data: bytes) -> RequestHead | None:
        """Take bytes; the head once its last line is there, until then None.

        Raises: HeadRefused with 400, 431 or 505.
        """
        self._buffer += data
        while (end := self._buffer.find(b"\n", self._scanned)) >= 0:
            line = bytes(self._buffer[self._line_start : end + 1])
            self._line_start = self._scanned = end + 1
            if self._take_line(line):
                return parse_lines(self._lines)
        self._scanned = len(self._buffer)
        self._check_size(len(self._buffer) - self._line_start)
        return None

    def _take_line(self, line: bytes) -> bool:
        """Keep a line; whether it is the empty one that ends the head."""
        self._check_size(len(line) - 2)
        if not line.endswith(b"\r\n"):
            raise HeadRefused(400, "A line of the request does not end in CR LF.")
        if line == b"\r\n":
            return True
        self._lines.append(line[:-2])
        if len(self._lines) > self._limits.max_headers + 1:
            raise HeadRefused(431, f"The request has more than {self._limits.max_headers} headers.")
        return False

    def _check_size(self, line_bytes: int) -> None:
        if line_bytes > self._limits.max_line_bytes:
            raise HeadRefused(431, "A line of the request is too long.")
        if self._scanned > self._limits.max_bytes:
            raise HeadRefused(431, "The head of the request is too long.")


def parse_lines(lines: list[bytes]) -> RequestHead:
    """The head made of these lines, which have no line ends.

    Raises: HeadRefused with 400 or 505.
    """
    match = _REQUEST_LINE.fullmatch(lines[0]) if lines else None
    if match is None:
        raise HeadRefused(400, "The request line is not HTTP.")
    method, target, major, minor = (group.decode("ascii") for group in match.groups())
    if major != "1":
        raise HeadRefused(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    headers = tuple(_parse_header(line) for line in lines[1:])
    head = RequestHead(method, target, "1.0" if minor == "0" else "1.1", headers)
    if fault := _fault(head):
        raise HeadRefused(400, fault)
    return head


def framing_fault(lengths: list[str], encodings: list[str]) -> str | None:
    """What is wrong with the Content-Length and Transfer-Encoding headers of a request, if anything.

    RFC 9112 section 6.3 lets a server repair some of these; proxies repair them otherwise, which is how one
    request is smuggled inside another.
    """
    if lengths and encodings:
        return "The request has both a Content-Length and a Transfer-Encoding."
    if len(lengths) > 1 or len(encodings) > 1:
        return "The request has more than one length."
    if lengths and not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
        return "The Content-Length is no number."
    if encodings and encodings[0].lower() != "chunked":
        return "The only Transfer-Encoding understood here is chunked."
    return None


def _parse_header(line: bytes) -> tuple[str, str]:
    match = _HEADER.fullmatch(line)
    if match is None:
        raise HeadRefused(400, "A header of the request is malformed.")
    return match[1].decode("ascii").lower(), match[2].decode("latin-1").strip(" \t")


def _fault(head: RequestHead) -> str | None:
    hosts = [value for name, value in head.headers if name == "host"]
    lengths = [value for name, value in head.headers if name == "content-length"]
    encodings = [value for name, value in head.headers if name == "transfer-encoding"]
    if len(hosts) > 1 or (not hosts and head.version == "1.1"):
        return "The request needs exactly one Host header."
    if not head.target.startswith("/") and (head.method, head.target) != ("OPTIONS", "*"):
        return "The request target is no path."
    if encodings and head.version == "1.0":
        return "HTTP/1.0 knows no Transfer-Encoding."
    if head.wants_websocket and (encodings or lengths not in ([], ["0"])):
        return "An upgrade request has no body."
    return framing_fault(lengths, encodings)
