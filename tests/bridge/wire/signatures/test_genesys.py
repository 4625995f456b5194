import base64
from dataclasses import replace

import pytest

from bridge.wire.signatures.genesys import (
    MIN_NONCE,
    REQUIRED,
    check_upgrade,
    nonce_of,
    sign_upgrade,
)
from bridge.wire.signatures.message_signature import INPUT_HEADER, SIGNATURE_HEADER, write
from bridge.wire.signatures.request import SignedRequest
from tests.bridge.wire.signatures.samples import PUBLIC_URL, Chance

KEY = "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh"
SECRET = "TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU="
NONCE = "VGhpc0lzQVVuaXF1ZU5vbmNl"
NOW_S = 1_800_000_000.0
TARGET = "/carriers/genesys/media?a=1"
IDS = {
    "audiohook-organization-id": "d7934305-0972-4844-938e-9060eef73d05",
    "audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
    "audiohook-correlation-id": "e160e428-53e2-487c-977d-96989bf5c99d",
}
UNSIGNED = SignedRequest("GET", TARGET, IDS)


def signed(
    request: SignedRequest = UNSIGNED,
    authority: str = "voice.example.com",
    *,
    nonce: str = NONCE,
    secret: str = SECRET,
    key: str = KEY,
) -> SignedRequest:
    headers = sign_upgrade(key, secret, request, authority=authority, now_s=NOW_S, nonce=nonce)
    return replace(request, headers=headers)


GOOD = signed()


def check(request: SignedRequest, public_url: str = PUBLIC_URL, now_s: float = NOW_S) -> str | None:
    return check_upgrade(KEY, SECRET, request, public_url, now_s)


def signed_with(names: tuple[str, ...] = REQUIRED, **parameters: str | int) -> SignedRequest:
    """Rightly signed, but over these components and with these parameters."""
    values = {
        **IDS,
        "x-api-key": KEY,
        "@request-target": TARGET,
        "@authority": "voice.example.com",
        "@method": "GET",
    }
    terms: dict[str, str | int] = {"keyid": KEY, "nonce": NONCE, "created": int(NOW_S)}
    told = {**terms, **parameters}
    told = {name: value for name, value in told.items() if value != ""}
    headers = write(base64.b64decode(SECRET), names, values, told)
    return SignedRequest("GET", TARGET, {**IDS, "x-api-key": KEY, **headers})


def test_the_vendors_own_example_is_right() -> None:
    request = SignedRequest(
        "GET",
        "/api/v1/voicebiometrics/ws",
        {
            **IDS,
            "host": "audiohook.example.com",
            "x-api-key": KEY,
            "signature": "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:",
            "signature-input": 'sig1=("@request-target" "@authority" "audiohook-organization-id" '
            '"audiohook-session-id" "audiohook-correlation-id" "x-api-key")'
            ';keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl"'
            ';alg="hmac-sha256";created=1641013200;expires=3282026430',
        },
    )

    assert check(request, "https://audiohook.example.com", 1_641_013_200) is None
    assert check(request, "https://audiohook.example.com", 1_641_013_211) is not None


def test_what_genesys_signed_is_right() -> None:
    assert check(GOOD) is None
    assert nonce_of(GOOD) == NONCE
    assert check(signed_with()) is None
    assert check(signed_with(alg="hmac-sha256")) is None


@pytest.mark.parametrize(
    ("public_url", "authority"),
    [
        ("https://v.example:443", "v.example"),
        ("https://V.Example", "v.example"),
        ("wss://v.example:8443", "v.example:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://127.0.0.1:80", "127.0.0.1"),
    ],
)
def test_the_host_is_in_lower_case_and_without_a_default_port(
    public_url: str, authority: str
) -> None:
    assert check(signed(authority=authority), public_url) is None


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_another_host_that_the_request_names_tells_a_wrong_public_url_and_lets_nobody_in(
    header: str,
) -> None:
    named = replace(UNSIGNED, headers={**IDS, header: "other.example"})

    why = check(signed(named, authority="other.example"))
    assert why == "the signature fits the host other.example: public_url is wrong"
    assert check(signed(named, authority="other.example"), "https://other.example") is None
    assert "another URL" in str(check(signed(named, authority="third.example")))


def test_a_path_before_the_target_is_signed_with_it() -> None:
    outside = signed(replace(UNSIGNED, target=f"/sub{TARGET}"))

    assert check(replace(outside, target=TARGET), f"{PUBLIC_URL}/sub") is None


@pytest.mark.parametrize("age_s", [-4, -3, 0, 10, 10.5, 11, 300])
def test_a_signature_is_good_for_ten_seconds(age_s: float) -> None:
    assert (check(GOOD, now_s=NOW_S + age_s) is None) == (-3 <= age_s <= 10)


@pytest.mark.parametrize("expires_s", [-1, 0, 1])
def test_a_signature_that_has_expired_is_refused(expires_s: int) -> None:
    request = signed_with(expires=int(NOW_S) + expires_s)

    assert (check(request) is None) == (expires_s >= 0)


@pytest.mark.parametrize("missing", REQUIRED)
def test_each_required_component_must_be_covered(missing: str) -> None:
    names = tuple(name for name in REQUIRED if name != missing)

    assert check(signed_with(names)) == "the signature does not cover all that it must"


@pytest.mark.parametrize(
    "name",
    ["audiohook-organization-id", "audiohook-session-id", "audiohook-correlation-id"],
)
def test_a_covered_header_that_is_changed_or_left_out_is_refused(name: str) -> None:
    assert check(replace(GOOD, headers={**GOOD.headers, name: "x"})) is not None
    left = {key: value for key, value in GOOD.headers.items() if key != name}
    assert check(replace(GOOD, headers=left)) is not None


TAMPERED = {
    "no headers": UNSIGNED,
    "no key": replace(GOOD, headers={k: v for k, v in GOOD.headers.items() if k != "x-api-key"}),
    "another key": signed(key="other"),
    "another secret": signed(secret="AAAA"),
    "no signature": replace(GOOD, headers={**IDS, "x-api-key": KEY}),
    "an empty signature": replace(GOOD, headers={**GOOD.headers, SIGNATURE_HEADER: ""}),
    "no input": replace(GOOD, headers={**GOOD.headers, INPUT_HEADER: ""}),
    "another target": replace(GOOD, target="/carriers/genesys/media?a=2"),
    "another host": signed(authority="evil.example"),
    "another key id": signed_with(keyid="other"),
    "no key id": signed_with(keyid=""),
    "no nonce": signed_with(nonce=""),
    "a short nonce": signed_with(nonce="x" * (MIN_NONCE - 1)),
    "no time": signed_with(created=""),
    "a time that is a text": signed_with(created="1800000000"),
    "another algorithm": signed_with(alg="hmac-sha1"),
    "a component that nobody knows": signed_with((*REQUIRED, "@method")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_request_with_one_thing_changed_is_refused(what: str) -> None:
    sentence = check(TAMPERED[what])

    assert sentence is not None
    for secret in (KEY, SECRET, NONCE, IDS["audiohook-session-id"]):
        assert secret not in sentence


def test_without_a_client_secret_the_key_alone_is_checked() -> None:
    unsigned = signed(secret="")

    assert INPUT_HEADER not in unsigned.headers
    assert check_upgrade(KEY, "", unsigned, PUBLIC_URL, NOW_S) is None
    assert check_upgrade("other", "", unsigned, PUBLIC_URL, NOW_S) is not None
    assert check_upgrade("", "", SignedRequest("GET", "/", {"x-api-key": ""}), PUBLIC_URL, 0)
    assert check(unsigned) is not None
    assert nonce_of(unsigned) == ""


def test_a_configured_secret_that_is_none_is_told() -> None:
    assert check_upgrade(KEY, "!", GOOD, PUBLIC_URL, NOW_S) == (
        "the configured client secret of Genesys is no base64"
    )


def test_1000_random_upgrades_are_right_and_with_one_character_changed_are_not() -> None:
    chance = Chance(7)
    for _ in range(1_000):
        host, target = chance.host().removesuffix(":443"), chance.target()
        request = signed(replace(UNSIGNED, target=target), host, nonce=chance.word().ljust(22, "n"))
        public_url = f"https://{host}"
        assert check(request, public_url) is None
        assert check(replace(request, target=target + "x"), public_url) is not None
