import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.wire.signatures.jwt import (
    MAX_TOKEN,
    decode_hs256,
    encode_hs256,
    encode_rs256,
    load_rsa_key,
)
from tests.bridge.wire.signatures.samples import Chance

SECRET = "CANARY-signature-secret-of-32-bytes"
CLAIMS: dict[str, object] = {"iat": 1_800_000_000, "jti": "a", "name": "é"}
TOKEN = encode_hs256(CLAIMS, SECRET)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_the_example_that_jwt_io_shows_is_read() -> None:
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )

    assert decode_hs256(token, "your-256-bit-secret") == {
        "sub": "1234567890",
        "name": "John Doe",
        "iat": 1_516_239_022,
    }


def test_what_was_signed_is_read_back_by_its_secret_only() -> None:
    assert decode_hs256(TOKEN, SECRET) == CLAIMS
    assert decode_hs256(TOKEN, SECRET + "x") is None
    assert decode_hs256(TOKEN, "") is None
    assert decode_hs256(encode_hs256(CLAIMS, ""), "") is None


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {}, {"alg": ["HS256"]}, [], "x"]
)
def test_a_token_that_names_another_algorithm_is_refused(header: object) -> None:
    signed = f"{part(header)}.{part(CLAIMS)}"
    digest = hmac.digest(SECRET.encode(), signed.encode(), "sha256")
    right = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    assert decode_hs256(f"{signed}.{right}", SECRET) is None
    assert decode_hs256(f"{signed}.", SECRET) is None
    assert decode_hs256(signed, SECRET) is None


def test_no_token_with_one_character_changed_added_or_left_out_is_read() -> None:
    for i in range(len(TOKEN)):
        for other in "A_.= ":
            changed = TOKEN[:i] + other + TOKEN[i + 1 :]
            assert changed == TOKEN or decode_hs256(changed, SECRET) is None
        assert decode_hs256(TOKEN[:i] + TOKEN[i + 1 :], SECRET) is None
    assert decode_hs256(f"{TOKEN}=", SECRET) is None
    assert decode_hs256(f"{TOKEN}.", SECRET) is None


def test_claims_that_are_no_object_are_none() -> None:
    for claims in ([1], "x", 1, None):
        assert decode_hs256(encode_hs256(claims, SECRET), SECRET) is None  # type: ignore[arg-type]


def test_a_token_is_read_up_to_its_limit_only() -> None:
    pad = MAX_TOKEN * 3 // 4 - 100
    short, long = (encode_hs256({"a": "x" * n}, SECRET) for n in (pad, pad + 200))

    assert len(short) <= MAX_TOKEN < len(long)
    assert decode_hs256(short, SECRET) is not None
    assert decode_hs256(long, SECRET) is None


@given(st.text())
def test_whatever_is_no_token_is_none(text: str) -> None:
    assert decode_hs256(text, SECRET) is None


def test_1000_random_tokens_are_read_as_a_foreign_library_reads_them() -> None:
    import jwt

    chance = Chance(6)
    for _ in range(1_000):
        secret = chance.word(longest=40).ljust(32, "s")
        claims: dict[str, Any] = dict(chance.fields(8))
        ours = encode_hs256(claims, secret)
        loose = {"verify_iat": False, "verify_exp": False, "verify_sub": False, "verify_jti": False}
        assert jwt.decode(ours, secret, algorithms=["HS256"], options=loose) == claims  # type: ignore[arg-type]
        assert decode_hs256(jwt.encode(claims, secret, algorithm="HS256"), secret) == claims


def test_a_token_signed_by_a_private_key_is_read_by_a_foreign_library() -> None:
    import jwt

    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    token = encode_rs256({"application_id": "a", "jti": "j"}, load_rsa_key(pem))

    assert jwt.decode(token, public, algorithms=["RS256"]) == {"application_id": "a", "jti": "j"}
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT"}


def test_a_key_that_is_none_is_told_without_being_repeated() -> None:
    other = elliptic(SECP256R1())
    locked = generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    elliptic_pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in ("", "CANARY", "é", locked.decode(), elliptic_pem.decode()):
        with pytest.raises(ConfigError, match="RSA key") as caught:
            load_rsa_key(pem)
        assert "CANARY" not in str(caught.value)
