import base64
import random
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.signatures.request import MAX_BODY_BYTES, SignedRequest
from bridge.wire.signatures.telnyx import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOKEN_HEADER,
    check_upgrade,
    check_webhook,
    public_key,
    sign_upgrade,
    sign_webhook,
)

# RFC 8032 section 7.1, test 1: seed and public key.
SEED = base64.b64encode(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
).decode()
PUBLIC = base64.b64encode(
    bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
).decode()
NOW_S = 1_800_000_000.5
BODY = b'{"data":{"event_type":"call.initiated","payload":{"from":"+14155550100"}}}'
HEADERS = sign_webhook(SEED, BODY, NOW_S)
GOOD = SignedRequest("POST", "/carriers/telnyx/answer", HEADERS, BODY)
TOKEN = "CANARY-streaming-token"


def check(request: SignedRequest, key: str = PUBLIC, now_s: float = NOW_S) -> str | None:
    return check_webhook(key, request, now_s)


def test_the_public_key_of_the_published_vector_is_found() -> None:
    assert public_key(SEED) == PUBLIC


def test_the_signature_is_over_time_and_body_and_always_the_same() -> None:
    timestamp = "1800000000"
    assert HEADERS[TIMESTAMP_HEADER] == timestamp
    assert sign_webhook(SEED, BODY, NOW_S) == HEADERS
    assert check(GOOD) is None


@pytest.mark.parametrize("off_s", [-300.5, -299, 0, 299, 300, 301, 1e6, -302])
def test_a_signature_is_good_for_300_s_to_both_sides(off_s: float) -> None:
    now_s = 1_800_000_000 + off_s

    assert (check(GOOD, now_s=now_s) is None) == (abs(off_s) <= 300)


TAMPERED = {
    "no headers": replace(GOOD, headers={}),
    "no signature": replace(GOOD, headers={TIMESTAMP_HEADER: HEADERS[TIMESTAMP_HEADER]}),
    "no time": replace(GOOD, headers={SIGNATURE_HEADER: HEADERS[SIGNATURE_HEADER]}),
    "a time that is none": replace(GOOD, headers={**HEADERS, TIMESTAMP_HEADER: "soon"}),
    "another time": replace(GOOD, headers={**HEADERS, TIMESTAMP_HEADER: "1800000001"}),
    "a time with a sign": replace(GOOD, headers={**HEADERS, TIMESTAMP_HEADER: "+1800000000"}),
    "digits of another script": replace(GOOD, headers={**HEADERS, TIMESTAMP_HEADER: "\u0661" * 10}),
    "an endless time": replace(GOOD, headers={**HEADERS, TIMESTAMP_HEADER: "9" * 5_000}),
    "no base64": replace(GOOD, headers={**HEADERS, SIGNATURE_HEADER: "\xe9\ud800"}),
    "63 bytes": replace(
        GOOD, headers={**HEADERS, SIGNATURE_HEADER: base64.b64encode(bytes(63)).decode()}
    ),
    "zeros": replace(
        GOOD, headers={**HEADERS, SIGNATURE_HEADER: base64.b64encode(bytes(64)).decode()}
    ),
    "another's signature": replace(
        GOOD, headers=sign_webhook(base64.b64encode(bytes(32)).decode(), BODY, NOW_S)
    ),
    "another body": replace(GOOD, body=BODY + b" "),
    "no body": replace(GOOD, body=b""),
    "a huge body": replace(GOOD, body=bytes(MAX_BODY_BYTES + 1)),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_request_with_one_thing_changed_is_refused(what: str) -> None:
    sentence = check(TAMPERED[what])

    assert sentence is not None
    assert sentence.isprintable()
    assert "415555" not in sentence
    assert len(sentence) < 100


def test_one_bit_changed_anywhere_in_the_signature_is_refused() -> None:
    raw = base64.b64decode(HEADERS[SIGNATURE_HEADER])
    for i in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[i // 8] ^= 1 << (i % 8)
        headers = {**HEADERS, SIGNATURE_HEADER: base64.b64encode(changed).decode()}
        assert check(replace(GOOD, headers=headers)) is not None


@pytest.mark.parametrize("key", ["", "x", "é", base64.b64encode(bytes(31)).decode(), "A" * 44])
def test_a_configured_key_that_is_none_is_told(key: str) -> None:
    assert check(GOOD, key) == "the configured public key of Telnyx is no Ed25519 key"


@given(
    headers=st.dictionaries(st.sampled_from([SIGNATURE_HEADER, TIMESTAMP_HEADER]), st.text()),
    body=st.binary(max_size=100),
)
def test_whatever_is_sent_the_answer_is_a_sentence(headers: dict[str, str], body: bytes) -> None:
    assert isinstance(check(SignedRequest("POST", "/", headers, body)), str)


def test_1000_random_webhooks_are_judged_as_the_vendor_judges_them() -> None:
    from telnyx.lib.webhook_verification import (
        WebhookVerificationError,
        verify_webhook_signature,
    )

    chance = random.Random(3)
    now_s = time.time()
    for _ in range(1_000):
        seed = base64.b64encode(chance.randbytes(32)).decode()
        public = public_key(seed)
        body = "".join(chance.choice('{}":,aé漢0\r\n ') for _ in range(60)).encode()
        headers = sign_webhook(seed, body, now_s)
        verify_webhook_signature(body, headers, public)
        assert check_webhook(public, SignedRequest("POST", "/", headers, body), now_s) is None
        wrong = body + b"!"
        with pytest.raises(WebhookVerificationError, match="does not match"):
            verify_webhook_signature(wrong, headers, public)
        assert check_webhook(public, SignedRequest("POST", "/", headers, wrong), now_s) is not None


def test_a_socket_with_the_right_token_is_right() -> None:
    assert check_upgrade(TOKEN, SignedRequest("GET", "/m", sign_upgrade(TOKEN))) is None


@pytest.mark.parametrize("given_token", ["", "x", TOKEN + "x", TOKEN[:-1], TOKEN.lower(), "é"])
def test_a_socket_with_no_or_another_token_is_refused(given_token: str) -> None:
    sentence = check_upgrade(TOKEN, SignedRequest("GET", "/m", {TOKEN_HEADER: given_token}))

    assert sentence is not None
    assert "CANARY" not in sentence


def test_without_a_token_of_ours_no_token_is_right() -> None:
    assert check_upgrade("", SignedRequest("GET", "/m", {TOKEN_HEADER: "x"})) is not None
    assert check_upgrade("", SignedRequest("GET", "/m", {TOKEN_HEADER: ""})) is not None
