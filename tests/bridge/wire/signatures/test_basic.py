import base64

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.signatures.basic import HEADER, check_basic, sign_basic
from bridge.wire.signatures.request import SignedRequest

USER = "Aladdin"
PASSWORD = "CANARY open sesame: é"


def check(header: str, user: str = USER, password: str = PASSWORD) -> str | None:
    return check_basic(user, password, SignedRequest("GET", "/m", {HEADER: header}))


def test_the_published_example_is_made() -> None:
    assert sign_basic("Aladdin", "open sesame") == {HEADER: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}


def test_credentials_are_taken_as_http_clients_send_them() -> None:
    right = sign_basic(USER, PASSWORD)[HEADER]

    assert check(right) is None
    assert check(right.replace("Basic", "bAsIc")) is None
    assert check(str(httpx.BasicAuth(USER, PASSWORD)._auth_header)) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic é",
        sign_basic(USER, "")[HEADER],
        sign_basic("", PASSWORD)[HEADER],
        sign_basic(USER, PASSWORD + " ")[HEADER],
        sign_basic(USER.lower(), PASSWORD)[HEADER],
        sign_basic(f"{USER}:{PASSWORD}", "")[HEADER],
        sign_basic(USER, PASSWORD)[HEADER].replace("Basic", "Bearer"),
        f"Basic {base64.b64encode(PASSWORD.encode()).decode()}",
    ],
)
def test_others_are_refused_without_being_repeated(header: str) -> None:
    sentence = check(header)

    assert sentence is not None
    assert "CANARY" not in sentence


def test_without_credentials_of_ours_none_are_right() -> None:
    assert check(sign_basic("", "")[HEADER], "", "") == "no Basic credentials are configured"


@given(st.text())
def test_whatever_is_sent_the_answer_is_a_sentence(header: str) -> None:
    assert isinstance(check(header), str)
