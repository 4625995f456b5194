import pytest

from bridge.wire.signatures.request import (
    MAX_FIELDS,
    SignedRequest,
    authorities,
    diagnosis,
    other_authorities,
    signed_urls,
)
from tests.bridge.wire.signatures.samples import FORM


def form(body: bytes, content_type: str = FORM) -> SignedRequest:
    return SignedRequest("POST", "/", {"content-type": content_type}, body)


def test_the_url_as_configured_is_tried_first_and_then_its_other_spellings() -> None:
    assert signed_urls("https://h", "/a?b=1", socket=False) == [
        "https://h/a?b=1",
        "https://h:443/a?b=1",
        "https://h/a/?b=1",
        "https://h:443/a/?b=1",
    ]


def test_a_port_of_its_own_is_tried_with_without_and_as_the_default_one() -> None:
    assert signed_urls("http://h:8080/sub/", "/a/", socket=True) == [
        "ws://h:8080/sub/a/",
        "ws://h/sub/a/",
        "ws://h:80/sub/a/",
        "ws://h:8080/sub/a",
        "ws://h/sub/a",
        "ws://h:80/sub/a",
    ]


@pytest.mark.parametrize(
    ("public_url", "socket", "scheme"),
    [
        ("https://h", True, "wss"),
        ("wss://h", False, "https"),
        ("ws://h", False, "http"),
        ("http://h", True, "ws"),
    ],
)
def test_the_scheme_is_that_of_what_is_asked(public_url: str, socket: bool, scheme: str) -> None:
    assert signed_urls(public_url, "/a", socket=socket)[0] == f"{scheme}://h/a"


@pytest.mark.parametrize(
    "content_type", [FORM, f"{FORM}; charset=UTF-8", FORM.upper(), f" {FORM} "]
)
def test_a_form_is_told_by_its_content_type(content_type: str) -> None:
    assert form(b"", content_type).is_form


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", f"x{FORM}"])
def test_other_content_is_no_form(content_type: str) -> None:
    assert not form(b"a=1", content_type).is_form
    assert not SignedRequest("POST", "/", {}, b"a=1").is_form


def test_a_form_is_read_in_order_with_its_empty_and_repeated_fields() -> None:
    assert form(b"b=1&a=&b=2&c=%2B+%C3%A9").form() == [
        ("b", "1"),
        ("a", ""),
        ("b", "2"),
        ("c", "+ é"),
    ]


@pytest.mark.parametrize("body", [b"\xff", b"&".join([b"a=1"] * (MAX_FIELDS + 1))])
def test_what_cannot_be_read_as_a_form_is_none(body: bytes) -> None:
    assert form(body).form() is None


def test_the_only_authority_is_the_configured_host() -> None:
    assert authorities("https://Public:443/sub", "/a") == [("public", "/sub/a"), ("public", "/a")]
    assert authorities("http://Public:443", "/a") == [("public:443", "/a")]


def test_other_authorities_are_the_hosts_that_the_request_names() -> None:
    headers = {"host": "Inner:443", "x-forwarded-host": "Public, q, r"}
    request = SignedRequest("GET", "/a", headers)

    assert list(other_authorities(request, "https://Public:443/sub")) == [
        (host, path) for host in ("inner", "q") for path in ("/sub/a", "/a")
    ]


def test_the_diagnosis_tries_hosts_schemes_and_paths_and_names_the_first_that_fits() -> None:
    tried: list[str] = []

    def never(url: str) -> bool:
        tried.append(url)
        return False

    request = SignedRequest("GET", "/a", {"host": "inner:8080"})
    sentence = diagnosis(request, "https://public/sub", never, socket=True)

    assert "another secret" in sentence
    assert {"wss://public/sub/a", "ws://public/a", "ws://inner:8080/sub/a"} <= set(tried)
    assert len(tried) <= 2 * 2 * 2 * 6
    fits = "ws://inner:8080/a".__eq__
    assert diagnosis(request, "https://public/sub", fits, socket=True) == (
        "the signature fits ws://inner:8080…: public_url is wrong"
    )
