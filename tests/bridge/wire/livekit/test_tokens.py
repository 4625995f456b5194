"""Tokens of a room."""

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.livekit.tokens import Grant, check_token, issue_token

SECRET = "a secret that is long enough for any library"
NOW_S = 1_700_000_000.0


def token(claims: dict[str, object] | None = None, *, secret: str | bytes = SECRET) -> str:
    made = issue_token(
        secret, api_key="key", identity="user", room="call-1", now_s=NOW_S, valid_s=3600
    )
    if not claims:
        return made
    said = jwt.decode(made, options={"verify_signature": False})
    said |= claims
    return jwt.encode({k: v for k, v in said.items() if v is not None}, SECRET, "HS256")


def check(text: str, room: str | None = "call-1", now_s: float = NOW_S) -> Grant | str:
    return check_token(SECRET, text, room=room, now_s=now_s)


def test_a_token_allows_a_call_in_its_room() -> None:
    grant = check(token())

    assert grant == Grant("user", "call-1", True, True, True, NOW_S + 3600)


def test_another_library_reads_our_tokens_as_livekits() -> None:
    said = jwt.decode(token(), SECRET, ["HS256"], options={"verify_exp": False})

    assert (said["iss"], said["sub"]) == ("key", "user")
    assert said["video"]["room"] == "call-1"
    assert said["video"]["roomJoin"] is True


def test_a_secret_may_be_bytes() -> None:
    raw = bytes(range(200, 232))

    made = token(secret=raw)

    assert isinstance(check_token(raw, made, now_s=NOW_S), Grant)
    assert isinstance(check_token(SECRET, made, now_s=NOW_S), str)


def test_a_token_is_good_to_its_last_second_and_no_longer() -> None:
    assert isinstance(check(token(), now_s=NOW_S + 3599.9), Grant)
    assert check(token(), now_s=NOW_S + 3600) == "the token has expired"


def test_a_clock_may_be_ten_seconds_ahead() -> None:
    assert isinstance(check(token(), now_s=NOW_S - 10), Grant)
    assert check(token(), now_s=NOW_S - 11) == "the token is not good yet"


def test_a_token_is_for_one_room() -> None:
    assert check(token(), room="call-2") == "the token is for another room"
    assert isinstance(check(token(), room=None), Grant)


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"exp": None}, "the token does not say how long it is good for"),
        ({"exp": True}, "the token does not say how long it is good for"),
        ({"nbf": "soon"}, "the token does not say how long it is good for"),
        ({"sub": None}, "the token names nobody or allows nothing"),
        ({"sub": ""}, "the token names nobody or allows nothing"),
        ({"video": None}, "the token names nobody or allows nothing"),
        ({"video": {"room": "call-1"}}, "the token does not allow to join a room"),
        ({"video": {"roomJoin": True}}, "the token does not allow to join a room"),
        (
            {"video": {"room": "call-1", "roomJoin": "yes"}},
            "the token does not allow to join a room",
        ),
    ],
)
def test_a_signed_token_without_what_it_needs_allows_nothing(
    claims: dict[str, object], sentence: str
) -> None:
    assert check(token(claims)) == sentence


def test_what_is_not_forbidden_is_allowed() -> None:
    video = {"room": "call-1", "roomJoin": True, "canPublish": False}
    grant = check(token({"video": video}))

    assert isinstance(grant, Grant)
    assert (grant.can_publish, grant.can_subscribe, grant.can_publish_data) == (False, True, True)


def test_a_foreign_or_changed_token_was_not_made_here() -> None:
    sentence = "the token was not made by this server"
    header, claims, mac = token().split(".")

    assert check(token(secret="another secret, also long enough for it")) == sentence
    assert check(f"{header}.{claims}.{mac[:-2]}AA") == sentence
    assert check(jwt.encode({"sub": "user"}, "", "none")) == sentence
    assert check("") == sentence


@given(st.text(max_size=300))
def test_no_text_is_a_token(text: str) -> None:
    assert isinstance(check(text), str)
