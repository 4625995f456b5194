"""Which Host and Origin are served."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway.host_policy import HostPolicy

LOOPBACK = HostPolicy(loopback_only=True)

SERVED = [
    ("localhost", None),
    ("localhost:8080", None),
    ("LocalHost:8080", None),
    ("127.0.0.1", None),
    ("127.0.0.1:1", None),
    ("127.0.0.1:65535", None),
    ("[::1]", None),
    ("[::1]:8080", None),
    ("localhost:8080", "http://localhost:8080"),
    ("localhost:8080", "HTTP://LOCALHOST:8080"),
    ("localhost", "http://localhost"),
    ("localhost", "http://localhost:80"),
    ("localhost:80", "http://localhost"),
    ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("[::1]:8080", "http://[::1]:8080"),
]

REFUSED = [
    (None, None),
    ("", None),
    ("evil.example", None),
    ("evil.example:8080", None),
    ("localhost.evil.example", None),
    ("evil.example.localhost", None),
    ("localhost.", None),
    ("localhost:8080.evil.example", None),
    ("localhost:", None),
    ("localhost:0", None),
    ("localhost:65536", None),
    ("localhost:80:80", None),
    ("user@localhost", None),
    ("localhost/", None),
    ("localhost, evil.example", None),
    (" localhost", None),
    ("localhost\n", None),
    ("127.0.0.2", None),
    ("127.1", None),
    ("2130706433", None),
    ("0.0.0.0", None),
    ("::1", None),
    ("[::]", None),
    ("[::ffff:127.0.0.1]", None),
    ("192.168.1.2:8080", None),
    ("localhost:8080", "http://evil.example"),
    ("localhost:8080", "http://localhost:8081"),
    ("localhost:8080", "http://localhost"),
    ("localhost:8080", "https://localhost:8080"),
    ("localhost:8080", "http://127.0.0.1:8080"),
    ("localhost:8080", "http://localhost.evil.example:8080"),
    ("localhost:8080", "http://localhost:8080.evil.example"),
    ("localhost:8080", "http://evil.example@localhost:8080"),
    ("localhost:8080", "http://localhost:8080/"),
    ("localhost:8080", "http://localhost:8080, http://evil.example"),
    ("localhost:8080", "null"),
    ("localhost:8080", ""),
    ("localhost:8080", "file://"),
    ("localhost:8080", "localhost:8080"),
    ("localhost:8080", "ws://localhost:8080"),
    ("evil.example", "http://evil.example"),
]


@pytest.mark.parametrize(("host", "origin"), SERVED)
def test_loopback_names_and_their_own_origin_are_served(host: str, origin: str | None) -> None:
    assert LOOPBACK.refusal(host, origin) is None


@pytest.mark.parametrize(("host", "origin"), REFUSED)
def test_every_other_host_and_origin_is_refused(host: str | None, origin: str | None) -> None:
    assert LOOPBACK.refusal(host, origin) is not None


def test_at_least_forty_combinations_are_refused() -> None:
    assert len(set(REFUSED)) >= 40


@pytest.mark.parametrize(
    ("origin", "served"),
    [
        ("https://localhost:8080", True),
        ("http://localhost:8080", False),
        ("https://localhost", False),
    ],
)
def test_over_tls_the_same_origin_is_https(origin: str, served: bool) -> None:
    assert (LOOPBACK.refusal("localhost:8080", origin, secure=True) is None) is served


@given(host=st.text(max_size=30), origin=st.one_of(st.none(), st.text(max_size=30)))
def test_no_text_but_the_three_names_is_served(host: str, origin: str | None) -> None:
    name = host.lower().removesuffix(":80")

    if LOOPBACK.refusal(host, origin) is None:
        assert name.rsplit(":", 1)[0] in {"localhost", "127.0.0.1", "[::1]", "[:"}
        assert origin is None or name.split(":")[0] in origin.lower()


def test_without_restrictions_every_host_and_origin_is_served() -> None:
    policy = HostPolicy()

    assert policy.refusal("calls.example", "https://shop.example") is None
    assert policy.refusal("10.0.0.1:8080", "null") is None


def test_without_restrictions_a_host_that_is_none_is_still_refused() -> None:
    assert HostPolicy().refusal("a b", None) is not None


@pytest.mark.parametrize(
    ("host", "served"),
    [("calls.example", True), ("CALLS.example:8443", True), ("other.example", False)],
)
def test_allowed_hosts_are_the_only_ones(host: str, served: bool) -> None:
    policy = HostPolicy(allowed_hosts=frozenset({"calls.example"}))

    assert (policy.refusal(host, None) is None) is served


@pytest.mark.parametrize(
    ("origin", "served"),
    [
        (None, True),
        ("https://shop.example", True),
        ("http://calls.example", True),
        ("https://evil.example", False),
        ("https://shop.example:444", False),
    ],
)
def test_allowed_origins_and_the_same_one_are_the_only_ones(
    origin: str | None, served: bool
) -> None:
    policy = HostPolicy(allowed_origins=frozenset({"https://shop.example"}))

    assert (policy.refusal("calls.example", origin) is None) is served


def test_lists_of_names_do_not_open_a_loopback_server() -> None:
    policy = HostPolicy(
        loopback_only=True,
        allowed_hosts=frozenset({"evil.example"}),
        allowed_origins=frozenset({"http://evil.example"}),
    )

    assert policy.refusal("evil.example", None) is not None
    assert policy.refusal("localhost", "http://evil.example") is not None
