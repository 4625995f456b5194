import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.join_refusals import without_parts_of


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the key %43ANARY-token is bad", "the key … is bad"),
        ("CANARY-token", "…"),
        ("CANARY-tokenCANARY-query", "……"),
        ("no call at /a/CANARY-token?q=CANARY-query", "no call at /a/…?q=…"),
        ("far is away", "far is away"),
    ],
)
def test_of_a_far_ends_words_no_long_part_of_the_url_is_left(text: str, left: str) -> None:
    assert without_parts_of("ws://far:1/a/%43ANARY-token?q=CANARY-query", text) == left


@given(st.text(), st.text())
def test_any_url_and_any_words_can_be_read(url: str, text: str) -> None:
    without_parts_of(url, text)
    without_parts_of(f"ws://far/{url}", text)


@pytest.mark.parametrize(("token", "told"), [("1234567", "1234567"), ("12345678", "…")])
def test_a_short_part_is_no_secret(token: str, told: str) -> None:
    assert without_parts_of(f"ws://far/{token}", token) == told
