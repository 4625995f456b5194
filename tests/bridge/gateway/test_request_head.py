"""The strict reading of request heads."""

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway.request_head import (
    HeadLimits,
    HeadReader,
    HeadRefused,
    RequestHead,
    framing_fault,
)

HEAD = b"GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-Y: 1, 2 \r\n\r\n"


def read(data: bytes, limits: HeadLimits | None = None) -> RequestHead | None:
    return HeadReader(limits or HeadLimits()).feed(data)


def status_of(data: bytes, limits: HeadLimits | None = None) -> int:
    with pytest.raises(HeadRefused) as caught:
        read(data, limits)
    return caught.value.status


def test_a_head_is_read_with_names_in_lower_case() -> None:
    head = read(HEAD)

    assert head == RequestHead("GET", "/a/b?c=d", "1.1", (("host", "x"), ("x-y", "1, 2")))
    assert head.path == "/a/b"
    assert head.tokens("x-y") == {"1", "2"}
    assert head.get("z") is None


@given(st.lists(st.integers(0, len(HEAD)), max_size=5))
def test_a_head_reads_the_same_however_it_is_cut(cuts: list[int]) -> None:
    reader = HeadReader(HeadLimits())
    edges = [0, *sorted(cuts), len(HEAD)]

    heads = [reader.feed(HEAD[a:b]) for a, b in pairwise(edges)]

    assert [head for head in heads if head is not None] == [read(HEAD)]
    assert reader.received == HEAD


def test_what_comes_behind_the_head_is_kept_apart() -> None:
    reader = HeadReader(HeadLimits())

    reader.feed(HEAD + b"\0\1")

    assert reader.early == b"\0\1"
    assert reader.received == HEAD + b"\0\1"


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nHost: x\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b" GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        b"GET /\x80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / http/1.1\r\nHost: x\r\n\r\n",
        b"GET /\r\nHost: x\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1" + b"0" * 18 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: a\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_a_malformed_or_ambiguous_head_is_refused_with_400(data: bytes) -> None:
    assert status_of(data) == 400


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.0"])
def test_another_version_is_refused_with_505(version: bytes) -> None:
    assert status_of(b"GET / %b\r\nHost: x\r\n\r\n" % version) == 505


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 00\r\n\r\n",
        b"GET / HTTP/1.1\r\nhOsT:\t x\t\r\nA: \xff\r\n\r\n",
    ],
)
def test_what_is_odd_but_clear_is_read(data: bytes) -> None:
    assert read(data) is not None


def test_limits_hold_on_both_sides() -> None:
    limits = HeadLimits(max_line_bytes=20, max_headers=2, max_bytes=60)
    line = b"GET /%b HTTP/1.1\r\n"
    assert len(line % (b"a" * 6)) == 22
    full = b"GET / HTTP/1.1\r\nHost: x\r\n"

    assert read(line % (b"a" * 6) + b"Host: x\r\n\r\n", limits) is not None
    assert status_of(line % (b"a" * 7) + b"Host: x\r\n\r\n", limits) == 431
    assert read(full + b"A: b\r\n\r\n", limits) is not None
    assert status_of(full + b"A: b\r\nB: c\r\n\r\n", limits) == 431
    assert read(full + b"A: " + b"b" * 17 + b"\r\n\r\n", limits) is not None
    assert status_of(full + b"A: " + b"b" * 18 + b"\r\n\r\n", limits) == 431


def test_the_whole_head_is_limited_on_both_sides() -> None:
    full = b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"

    assert read(full, HeadLimits(max_bytes=len(full))) is not None
    assert read(full + b"body" * 100, HeadLimits(max_bytes=len(full))) is not None
    assert status_of(full, HeadLimits(max_bytes=len(full) - 3)) == 431


def test_a_line_without_end_is_refused_before_it_ends() -> None:
    reader = HeadReader(HeadLimits(max_line_bytes=100))
    for _ in range(100):
        assert reader.feed(b"a") is None

    with pytest.raises(HeadRefused, match="too long"):
        reader.feed(b"a")


WEBSOCKET = {"connection": "keep-alive, Upgrade", "upgrade": "WebSocket", "host": "x"}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"connection": "close"}, False),
        ({"connection": "notupgrade"}, False),
        ({"upgrade": "h2c"}, False),
        ({"upgrade": "h2c, websocket"}, True),
    ],
)
def test_an_upgrade_is_asked_for_by_both_headers(changes: dict[str, str], wanted: bool) -> None:
    head = RequestHead("GET", "/", "1.1", tuple((WEBSOCKET | changes).items()))

    assert head.wants_websocket is wanted


@pytest.mark.parametrize(("method", "version"), [("POST", "1.1"), ("GET", "1.0")])
def test_only_get_and_http_1_1_upgrade(method: str, version: str) -> None:
    assert not RequestHead(method, "/", version, tuple(WEBSOCKET.items())).wants_websocket


def test_framing_without_lengths_is_sound() -> None:
    assert framing_fault([], []) is None


PARTS = st.sampled_from(
    [b"GET", b"POST", b" ", b"/", b"*", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b":", b"Host",
     b"Content-Length", b"Transfer-Encoding", b"chunked", b"5", b"\t", b"\0", b"\xff", b"x", b","]
)  # fmt: skip


@given(st.one_of(st.lists(PARTS, max_size=30).map(b"".join), st.binary(max_size=200)))
def test_whatever_comes_is_read_refused_or_awaited(data: bytes) -> None:
    statuses: list[int] = []
    try:
        read(data + b"\r\n\r\n")
    except HeadRefused as refused:
        statuses.append(refused.status)

    assert set(statuses) <= {400, 431, 505}


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"host", b"content-length", b"transfer-encoding", b"a", b"b ", b" c", b""]
        ),
        st.sampled_from([b"x", b"5", b"05", b"chunked", b"5, 5", b"a\0", b"\xe9", b"", b" y "]),
    ),
    max_size=5,
)


@given(
    st.sampled_from([b"GET", b"POST", b"OPTIONS"]),
    st.sampled_from([b"/", b"/a?b", b"*", b"a"]),
    HEADERS,
)
def test_what_is_read_here_is_read_the_same_by_h11(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    lines = b"".join(b"%b:%b\r\n" % header for header in headers)
    data = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, lines)
    try:
        head = read(data)
    except HeadRefused:
        return

    parser = h11.Connection(h11.SERVER)
    parser.receive_data(data)
    request = parser.next_event()

    assert head is not None
    assert isinstance(request, h11.Request)
    assert request.target.decode() == head.target
    assert [(name.decode(), value.decode("latin-1")) for name, value in request.headers] == list(
        head.headers
    )
