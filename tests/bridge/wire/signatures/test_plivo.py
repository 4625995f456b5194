from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.signatures.plivo import (
    HEADER,
    MAIN_HEADER,
    MAX_NONCE,
    MAX_SIGNATURES,
    NONCE_HEADER,
    check_upgrade,
    check_webhook,
    sign_upgrade,
    sign_webhook,
)
from bridge.wire.signatures.request import MAX_BODY_BYTES, SignedRequest
from tests.bridge.wire.signatures.samples import (
    FORM,
    PUBLIC_URL,
    Chance,
    form_request,
    get_request,
)

TOKEN = "CANARY-auth-token"
NONCE = "12345678901234567890"
TARGET = "/carriers/plivo/answer?z=1&b=2"
FIELDS = [("CallUUID", "x"), ("A", "y")]
HEADERS = sign_webhook(TOKEN, PUBLIC_URL + TARGET, NONCE, FIELDS)
GOOD = form_request(TARGET, FIELDS, HEADERS)


def check(request: SignedRequest, public_url: str = PUBLIC_URL) -> str | None:
    return check_webhook(TOKEN, request, public_url)


def with_headers(**headers: str) -> SignedRequest:
    """The good request with other signature headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(GOOD, headers={"content-type": FORM, **named})


@pytest.mark.parametrize(
    ("url", "fields", "base"),
    [
        ("https://h/a?z=1&b=2", FIELDS, "https://h/a?b=2&z=1.AyCallUUIDx"),
        ("https://h/a", FIELDS, "https://h/a?AyCallUUIDx"),
        ("https://h/a?z=1&b=2", [], "https://h/a?b=2&z=1"),
        ("https://h/a", [], "https://h/a"),
        ("https://h/a?b=%2B1+2&b=&a", [], "https://h/a?a=&b=&b=+1 2"),
    ],
)
def test_what_is_signed_is_the_url_with_its_query_in_order_and_then_the_fields(
    url: str, fields: list[tuple[str, str]], base: str
) -> None:
    from plivo.utils.signature_v3 import get_signature_v3

    theirs = get_signature_v3(TOKEN, base, NONCE).decode()

    assert sign_webhook(TOKEN, url, NONCE, fields) == {
        HEADER: theirs,
        MAIN_HEADER: theirs,
        NONCE_HEADER: NONCE,
    }


def test_a_form_and_a_get_that_plivo_signed_are_right() -> None:
    assert check(GOOD) is None
    assert check(get_request(TARGET, sign_webhook(TOKEN, PUBLIC_URL + TARGET, NONCE))) is None


def test_the_order_of_fields_and_of_the_query_does_not_matter() -> None:
    request = form_request("/carriers/plivo/answer?b=2&z=1", FIELDS[::-1], HEADERS)

    assert check(request) is None


@pytest.mark.parametrize("header", [HEADER, MAIN_HEADER])
def test_one_right_signature_in_either_list_is_enough(header: str) -> None:
    right = HEADERS[HEADER]
    for given_list in (right, f"other,{right}", f" {right} , other", f",,{right}"):
        headers = {header: given_list, NONCE_HEADER: NONCE}
        assert check(form_request(TARGET, FIELDS, headers)) is None


@pytest.mark.parametrize("before", [MAX_SIGNATURES - 1, MAX_SIGNATURES])
def test_of_a_list_only_the_first_few_are_looked_at(before: int) -> None:
    headers = {HEADER: before * "x," + HEADERS[HEADER], NONCE_HEADER: NONCE}

    assert (check(form_request(TARGET, FIELDS, headers)) is None) == (before < MAX_SIGNATURES)


TAMPERED = {
    "no headers": with_headers(),
    "no nonce": with_headers(x_plivo_signature_v3=HEADERS[HEADER]),
    "another nonce": with_headers(
        x_plivo_signature_v3=HEADERS[HEADER], x_plivo_signature_v3_nonce=NONCE + "1"
    ),
    "no signature": with_headers(x_plivo_signature_v3_nonce=NONCE),
    "an empty list": with_headers(x_plivo_signature_v3=", ,", x_plivo_signature_v3_nonce=NONCE),
    "a signature that is no base64": with_headers(
        x_plivo_signature_v3="\xe9\ud800", x_plivo_signature_v3_nonce=NONCE
    ),
    "another's signature": form_request(
        TARGET, FIELDS, sign_webhook("other", PUBLIC_URL + TARGET, NONCE, FIELDS)
    ),
    "another path": replace(GOOD, target="/carriers/plivo/answers?z=1&b=2"),
    "another query": replace(GOOD, target="/carriers/plivo/answer?z=1&b=3"),
    "a longer query": replace(GOOD, target=TARGET + "&c=1"),
    "a field less": replace(GOOD, body=b"CallUUID=x"),
    "a field more": replace(GOOD, body=GOOD.body + b"&B=1"),
    "a field twice": replace(GOOD, body=GOOD.body + b"&A=y"),
    "another value": replace(GOOD, body=b"CallUUID=x&A=z"),
    "no body": replace(GOOD, body=b""),
    "a body that is not UTF-8": replace(GOOD, body=b"\xff"),
    "a body that is no form": replace(GOOD, headers=HEADERS),
    "a huge body": replace(GOOD, body=bytes(MAX_BODY_BYTES + 1)),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_request_with_one_thing_changed_is_refused(what: str) -> None:
    sentence = check(TAMPERED[what])

    assert sentence is not None
    assert "public_url" not in sentence
    assert "CANARY" not in sentence


@pytest.mark.parametrize("n", [1, MAX_NONCE, MAX_NONCE + 1])
def test_a_nonce_has_a_bounded_length(n: int) -> None:
    headers = sign_webhook(TOKEN, PUBLIC_URL + TARGET, "1" * n, FIELDS)

    assert (check(form_request(TARGET, FIELDS, headers)) is None) == (n <= MAX_NONCE)


@pytest.mark.parametrize("scheme", ["wss", "https"])
def test_an_upgrade_may_be_signed_with_either_scheme(scheme: str) -> None:
    target = "/carriers/plivo/media/tok"
    headers = sign_upgrade(TOKEN, f"{scheme}://voice.example.com{target}", NONCE)

    assert check_upgrade(TOKEN, get_request(target, headers), PUBLIC_URL) is None
    assert check_upgrade("other", get_request(target, headers), PUBLIC_URL) is not None


def test_the_port_and_the_slash_may_be_spelled_in_each_way() -> None:
    for public_url in (PUBLIC_URL, f"{PUBLIC_URL}:443", f"{PUBLIC_URL}/", f"{PUBLIC_URL}:8443"):
        assert check(GOOD, public_url) is None


def test_a_signature_that_fits_another_address_says_which_public_url_would_be_right() -> None:
    request = replace(GOOD, headers={**GOOD.headers, "host": "voice.example.com"})

    sentence = check(request, "https://old.example")

    assert sentence == f"the signature fits {PUBLIC_URL}…: public_url is wrong"


@given(
    target=st.text(max_size=60),
    headers=st.dictionaries(
        st.sampled_from([HEADER, MAIN_HEADER, NONCE_HEADER, "host", "content-type"]),
        st.text(max_size=60),
    ),
    body=st.binary(max_size=200),
)
def test_whatever_is_sent_the_answer_is_a_sentence(
    target: str, headers: dict[str, str], body: bytes
) -> None:
    request = SignedRequest("POST", target, headers, body)

    assert isinstance(check(request), str)
    assert isinstance(check_upgrade(TOKEN, request, PUBLIC_URL), str)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_1000_random_webhooks_are_judged_as_the_vendor_judges_them(method: str) -> None:
    from plivo.utils import validate_v3_signature

    chance = Chance(4)
    for _ in range(1_000):
        token, host, target, nonce = chance.word(), chance.host(), chance.ascii_target(), "1234"
        fields = chance.fields() if method == "POST" else []
        url = f"https://{host}{target}"
        headers = sign_webhook(token, url, nonce, fields)
        assert validate_v3_signature(method, url, nonce, token, headers[HEADER], dict(fields))
        request = SignedRequest("GET", target, headers)
        if method == "POST":
            request = form_request(target, fields, headers)
        assert check_webhook(token, request, f"https://{host}") is None
        wrong = [*fields, ("X", "1")] if method == "POST" else []
        other = url if method == "POST" else f"{url}{'&' if '?' in url else '?'}X=1"
        assert not validate_v3_signature(method, other, nonce, token, headers[HEADER], dict(wrong))
        asked = other.removeprefix(f"https://{host}")
        tampered = form_request(asked, wrong, headers)
        assert check_webhook(token, tampered, f"https://{host}") is not None


def test_a_refused_request_is_read_once_however_many_addresses_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_read = 0

    def reads(query: str, *, keep_blank_values: bool) -> list[tuple[str, str]]:
        nonlocal n_read
        n_read += 1
        return parse_qsl(query, keep_blank_values=keep_blank_values)

    monkeypatch.setattr("bridge.wire.signatures.plivo.parse_qsl", reads)
    forged = replace(GOOD, headers={**GOOD.headers, HEADER: "AAAA", MAIN_HEADER: "AAAA"})

    assert check(forged) is not None
    assert n_read == 1
