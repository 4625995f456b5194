import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.signatures.request import MAX_BODY_BYTES, MAX_FIELDS, SignedRequest
from bridge.wire.signatures.twilio import (
    HEADER,
    SETTINGS_HEADER,
    check_upgrade,
    check_webhook,
    sign_upgrade,
    sign_webhook,
    with_body_hash,
)
from tests.bridge.wire.signatures.samples import (
    FORM,
    PUBLIC_URL,
    Chance,
    Fields,
    form_request,
    get_request,
)

TOKEN = "CANARY-auth-token"
FIELDS = [("CallSid", "CA1"), ("From", "+14158675309"), ("Digits", "")]
TARGET = "/carriers/twilio/answer?route=1"


def webhook(url: str = PUBLIC_URL, target: str = TARGET, sent: Fields = FIELDS) -> SignedRequest:
    """A form that is signed for the URL."""
    return form_request(target, sent, sign_webhook(TOKEN, url + target, sent))


def check(request: SignedRequest, public_url: str = PUBLIC_URL) -> str | None:
    return check_webhook(TOKEN, request, public_url)


@pytest.mark.parametrize(
    ("number", "signature"),
    [
        ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("+14158675310", "GvWf1cFY/Q7PnoempGyD5oXAezc="),
    ],
)
def test_the_published_examples_have_the_published_signatures(number: str, signature: str) -> None:
    fields = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", number),
        ("Digits", "1234"),
        ("From", number),
        ("To", "+18005551212"),
    ]

    headers = sign_webhook("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", fields)

    assert headers == {HEADER: signature}


def test_a_form_that_twilio_signed_is_right() -> None:
    assert check(webhook()) is None


def test_a_webhook_by_get_is_signed_by_its_url_alone() -> None:
    target = "/carriers/twilio/status?CallSid=CA1&From=%2B14158675309"

    assert check(get_request(target, sign_webhook(TOKEN, PUBLIC_URL + target))) is None


def test_a_field_twice_with_one_value_counts_once_and_with_two_values_twice() -> None:
    assert check(webhook(sent=[("A", "1"), ("A", "2"), ("A", "1")])) is None


def test_a_body_that_is_no_form_is_signed_by_its_hash() -> None:
    body = json.dumps({"CallSid": "CA1"}).encode()
    url = with_body_hash(PUBLIC_URL + TARGET, body)
    headers = {"content-type": "application/json", **sign_webhook(TOKEN, url)}
    request = SignedRequest("POST", url.removeprefix(PUBLIC_URL), headers, body)

    assert check(request) is None
    tampered = SignedRequest("POST", request.target, headers, body + b" ")
    assert check(tampered) == "the body is not the one that bodySHA256 tells of"


def test_a_body_that_is_no_form_and_that_no_hash_tells_of_is_refused() -> None:
    request = SignedRequest("POST", TARGET, sign_webhook(TOKEN, PUBLIC_URL + TARGET), b"{}")

    assert check(request) == "the body is no form, and the URL has no bodySHA256"


def test_the_hash_may_be_sha_256_where_the_settings_say_so_and_none_that_is_not_known() -> None:
    headers = sign_webhook(TOKEN, PUBLIC_URL + TARGET, FIELDS, "HMAC_SHA256")

    assert check(form_request(TARGET, FIELDS, headers)) is None
    del headers[SETTINGS_HEADER]
    assert check(form_request(TARGET, FIELDS, headers)) is not None
    headers[SETTINGS_HEADER] = "key=k,algorithm=HMAC_MD5"
    assert "not known here" in str(check(form_request(TARGET, FIELDS, headers)))


@pytest.mark.parametrize(
    ("public_url", "signed"),
    [
        ("https://v.example", "https://v.example"),
        ("https://v.example", "https://v.example:443"),
        ("https://v.example:443", "https://v.example"),
        ("https://v.example:8443", "https://v.example"),
        ("https://v.example/", "https://v.example"),
        ("https://v.example/sub/", "https://v.example/sub"),
        ("wss://v.example", "https://v.example"),
        ("http://v.example:80", "http://v.example"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_the_port_and_the_slash_of_the_public_url_may_be_spelled_in_each_way(
    public_url: str, signed: str
) -> None:
    assert check(webhook(signed), public_url) is None


@pytest.mark.parametrize("target", ["/a?x=1", "/a/?x=1", "/a", "/a/"])
def test_a_slash_at_the_end_of_the_path_may_be_signed_or_not(target: str) -> None:
    path, mark, query = target.partition("?")
    other = (path.rstrip("/") if path.endswith("/") else f"{path}/") + mark + query

    request = form_request(target, FIELDS, sign_webhook(TOKEN, PUBLIC_URL + other, FIELDS))

    assert check(request) is None


@pytest.mark.parametrize(
    ("public_url", "signed"),
    [
        ("https://v.example", "wss://v.example"),
        ("https://v.example", "wss://v.example:443"),
        ("https://v.example:443", "wss://v.example"),
        ("wss://v.example/sub", "wss://v.example/sub"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
    ],
)
def test_an_upgrade_is_signed_with_the_scheme_of_a_socket(public_url: str, signed: str) -> None:
    target = "/carriers/twilio/media/tok"

    request = get_request(target, sign_upgrade(TOKEN, signed + target))

    assert check_upgrade(TOKEN, request, public_url) is None


def test_an_upgrade_signed_as_a_webhook_is_refused() -> None:
    request = get_request(TARGET, sign_webhook(TOKEN, PUBLIC_URL + TARGET))

    assert check_upgrade(TOKEN, request, PUBLIC_URL) is not None


GOOD = webhook()
TAMPERED = {
    "no signature": replace(GOOD, headers={"content-type": FORM}),
    "an empty signature": replace(GOOD, headers={"content-type": FORM, HEADER: ""}),
    "a signature that is no base64": replace(GOOD, headers={"content-type": FORM, HEADER: "\xe9"}),
    "another's signature": form_request(
        TARGET, FIELDS, sign_webhook("other", PUBLIC_URL + TARGET, FIELDS)
    ),
    "another path": replace(GOOD, target="/carriers/twilio/answers?route=1"),
    "another query": replace(GOOD, target="/carriers/twilio/answer?route=2"),
    "a longer query": replace(GOOD, target=TARGET + "&x=1"),
    "a field less": replace(GOOD, body=b"CallSid=CA1&Digits="),
    "a field more": replace(GOOD, body=GOOD.body + b"&X=1"),
    "another value": replace(GOOD, body=GOOD.body.replace(b"CA1", b"CA2")),
    "a body that is not UTF-8": replace(GOOD, body=b"\xff"),
    "no body": replace(GOOD, body=b""),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_request_with_one_thing_changed_is_refused(what: str) -> None:
    sentence = check(TAMPERED[what])

    assert sentence is not None
    assert "public_url" not in sentence
    for secret in ("CANARY", "415867", "CA1", "route"):
        assert secret not in sentence


@pytest.mark.parametrize("n", [MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
def test_a_body_is_hashed_up_to_its_limit_only(n: int) -> None:
    request = webhook(sent=[("a", "x" * (n - 2))])

    assert len(request.body) == n
    assert (check(request) is None) == (n == MAX_BODY_BYTES)


@pytest.mark.parametrize("n", [MAX_FIELDS, MAX_FIELDS + 1])
def test_a_form_is_read_up_to_its_limit_of_fields_only(n: int) -> None:
    assert (check(webhook(sent=[(f"n{i}", "") for i in range(n)])) is None) == (n == MAX_FIELDS)


@pytest.mark.parametrize(
    ("public_url", "signed", "headers", "named"),
    [
        ("http://voice.example.com", PUBLIC_URL, {}, "https://voice.example.com…"),
        ("https://old.example", PUBLIC_URL, {"host": "voice.example.com"}, f"{PUBLIC_URL}…"),
        ("https://v.example/sub", "https://v.example", {}, "https://v.example…"),
        (
            "http://10.0.0.1:8080",
            PUBLIC_URL,
            {"host": "10.0.0.1:8080", "x-forwarded-host": "voice.example.com, proxy"},
            f"{PUBLIC_URL}…",
        ),
        ("https://old.example", "https://n.example:8443", {"host": "n.example:8443"}, ":8443…"),
    ],
)
def test_a_signature_that_fits_another_address_says_which_public_url_would_be_right(
    public_url: str, signed: str, headers: dict[str, str], named: str
) -> None:
    good = webhook(signed)
    request = SignedRequest("POST", good.target, {**good.headers, **headers}, good.body)

    sentence = check(request, public_url)

    assert sentence is not None
    assert sentence.startswith("the signature fits ")
    assert sentence.endswith(f"{named}: public_url is wrong")
    assert "route" not in sentence
    assert TOKEN not in sentence


def test_the_diagnosis_of_an_upgrade_names_the_scheme_of_a_socket() -> None:
    headers = {"host": "new.example", **sign_upgrade(TOKEN, "wss://new.example/media/SECRET")}

    sentence = check_upgrade(TOKEN, get_request("/media/SECRET", headers), PUBLIC_URL)

    assert sentence == "the signature fits wss://new.example…: public_url is wrong"


@pytest.mark.parametrize("host", ["a b", "a\r\nb", "x" * 300, "", "é", "a/b", "a:99999999"])
def test_a_host_header_that_names_no_host_is_not_repeated(host: str) -> None:
    headers = {"host": host, **sign_webhook("other", PUBLIC_URL + TARGET)}

    assert host == "" or host not in str(check(get_request(TARGET, headers)))


@given(
    target=st.text(max_size=60),
    headers=st.dictionaries(
        st.sampled_from([HEADER, SETTINGS_HEADER, "host", "content-type", "x-forwarded-host"]),
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


def test_1000_random_webhooks_are_judged_as_the_vendor_judges_them() -> None:
    from twilio.request_validator import RequestValidator

    chance = Chance(1)
    for _ in range(1_000):
        token, host, target = chance.word(), chance.host(), chance.target()
        fields = chance.fields()
        theirs = RequestValidator(token)
        url = f"https://{host}{target}"
        signature = theirs.compute_signature(url, dict(fields))
        ours = sign_webhook(token, url, fields)[HEADER]
        assert ours == signature
        assert theirs.validate(url, dict(fields), ours)
        request = form_request(target, fields, {HEADER: signature})
        assert check_webhook(token, request, f"https://{host}") is None
        wrong = form_request(target, [*fields, ("X", chance.text())], {HEADER: signature})
        assert not theirs.validate(url, dict([*fields, ("X", "1")]), signature)
        assert check_webhook(token, wrong, f"https://{host}") is not None


def test_1000_random_bodies_and_upgrades_are_judged_as_the_vendor_judges_them() -> None:
    from twilio.request_validator import RequestValidator

    chance = Chance(2)
    for _ in range(1_000):
        token, host, target, body = chance.word(), chance.host(), chance.target(), chance.text()
        theirs = RequestValidator(token)
        url = with_body_hash(f"https://{host}{target}", body.encode())
        headers = sign_webhook(token, url)
        assert theirs.validate(url, body, headers[HEADER])
        asked = url.removeprefix(f"https://{host}")
        request = SignedRequest("POST", asked, headers, body.encode())
        assert check_webhook(token, request, f"https://{host}") is None
        socket = f"wss://{host}{target}"
        signature = theirs.compute_signature(socket, {})
        assert sign_upgrade(token, socket)[HEADER] == signature
        upgrade = get_request(target, {HEADER: signature})
        assert check_upgrade(token, upgrade, f"https://{host}") is None
