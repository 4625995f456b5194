import hashlib
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.signatures.jwt import decode_hs256, encode_hs256
from bridge.wire.signatures.request import MAX_BODY_BYTES, SignedRequest
from bridge.wire.signatures.vonage import HEADER, check_webhook, sign_webhook

SECRET = "CANARY-signature-secret-of-32-bytes"
NOW_S = 1_800_000_000.0
BODY = b'{"from":"14155550100","uuid":"u1","status":"answered"}'
QUERY = [("to", "442079460000"), ("from", "14155550100"), ("name", "O'Neill & S\u00f6hne")]
POSTED = SignedRequest("POST", "/carriers/vonage/status", {}, BODY)
ASKED = SignedRequest("GET", f"/carriers/vonage/answer?{urlencode(QUERY)}")


def signed(request: SignedRequest, now_s: float = NOW_S, **claims: object) -> SignedRequest:
    return replace(request, headers=sign_webhook(SECRET, request, now_s, claims))


def with_claims(request: SignedRequest, **claims: object) -> SignedRequest:
    return replace(request, headers={HEADER: f"Bearer {encode_hs256(claims, SECRET)}"})


def check(request: SignedRequest, now_s: float = NOW_S) -> str | None:
    return check_webhook(SECRET, request, now_s)


def test_what_vonage_signed_is_right_by_post_and_by_get() -> None:
    assert check(signed(POSTED, api_key="k", jti="j")) is None
    assert check(signed(ASKED)) is None


def test_the_token_says_what_the_vendors_page_says() -> None:
    token = signed(POSTED, api_key="k").headers[HEADER].removeprefix("Bearer ")

    assert decode_hs256(token, SECRET) == {
        "iat": 1_800_000_000,
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(BODY).hexdigest(),
        "api_key": "k",
    }


def test_the_hash_of_a_get_is_that_of_its_query_as_compact_json() -> None:
    text = json.dumps(dict(QUERY), separators=(",", ":"), ensure_ascii=False)
    payload_hash = hashlib.sha256(text.encode()).hexdigest()

    assert check(with_claims(ASKED, iat=NOW_S, payload_hash=payload_hash)) is None
    assert check(with_claims(ASKED, iat=NOW_S, payload_hash=payload_hash.upper())) is None


def test_only_without_a_body_may_the_hash_be_left_out() -> None:
    assert check(with_claims(ASKED, iat=NOW_S)) is None
    assert check(with_claims(POSTED, iat=NOW_S)) == "the token tells of no body"


@pytest.mark.parametrize("off_s", [-301, -300, 0, 300, 301])
def test_a_token_is_good_for_300_s_to_both_sides(off_s: float) -> None:
    assert (check(signed(POSTED), NOW_S + off_s) is None) == (abs(off_s) <= 300)


@pytest.mark.parametrize(("off_s", "good"), [(-1, False), (0, True), (1, True)])
def test_a_token_that_has_expired_is_refused(off_s: float, good: bool) -> None:
    assert (check(signed(POSTED, exp=NOW_S + off_s)) is None) == good


TAMPERED = {
    "no header": POSTED,
    "no token": replace(POSTED, headers={HEADER: "Bearer "}),
    "another scheme": replace(
        POSTED, headers={HEADER: signed(POSTED).headers[HEADER].replace("Bearer", "Basic")}
    ),
    "no JWT": replace(POSTED, headers={HEADER: "Bearer é"}),
    "another secret": replace(POSTED, headers=sign_webhook("other", POSTED, NOW_S)),
    "no time": with_claims(POSTED, payload_hash=hashlib.sha256(BODY).hexdigest()),
    "a time that is a text": signed(POSTED, iat="1800000000"),
    "a time that is a truth": signed(POSTED, iat=True),
    "an expiry that is a text": signed(POSTED, exp="later"),
    "an absurd time": signed(POSTED, iat=10**290),
    "a hash that is a number": signed(POSTED, payload_hash=1),
    "another hash": signed(POSTED, payload_hash="é"),
    "another body": replace(signed(POSTED), body=BODY + b" "),
    "no body": replace(signed(POSTED), body=b""),
    "another query": replace(signed(ASKED), target=ASKED.target + "&a=1"),
    "a query in another order": replace(signed(ASKED), target=f"/a?{urlencode(QUERY[::-1])}"),
    "too many fields": replace(signed(ASKED), target=f"/a?{'&'.join(['a=1'] * 300)}"),
    "a huge body": replace(signed(POSTED), body=bytes(MAX_BODY_BYTES + 1)),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_request_with_one_thing_changed_is_refused(what: str) -> None:
    sentence = check(TAMPERED[what])

    assert sentence is not None
    assert "CANARY" not in sentence
    assert "415555" not in sentence


@given(header=st.text(), body=st.binary(max_size=100), target=st.text())
def test_whatever_is_sent_the_answer_is_a_sentence(header: str, body: bytes, target: str) -> None:
    for method in ("GET", "POST"):
        request = SignedRequest(method, target, {HEADER: f"Bearer {header}"}, body)
        assert isinstance(check(request), str)
        sign_webhook(SECRET, request, NOW_S)
