"""What a client adds to a join URL."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.join_url import announced


def test_a_join_url_says_who_joins_and_keeps_what_it_says_already() -> None:
    parts = urlsplit(announced("wss://calls.example/calls/id/tok%2Fen?region=a%20b&empty="))
    query = parse_qs(parts.query, keep_blank_values=True)

    assert parts.path == "/calls/id/tok%2Fen"
    assert parts.query.startswith("region=a%20b&empty=&clientVersion=tipring_")
    assert query["apiVersion"] == ["1"]


def test_what_is_said_already_is_not_said_twice() -> None:
    url = "ws://h/calls/id?clientVersion=mine&apiVersion=2"

    assert announced(url) == url
    assert announced(announced("ws://h/c")) == announced("ws://h/c")


@pytest.mark.parametrize("url", ["ws://[::1", "", "no url"])
def test_what_is_no_url_is_left_to_who_opens_it(url: str) -> None:
    assert announced(url).startswith(url)


@given(st.text(max_size=60))
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(announced(text), str)
