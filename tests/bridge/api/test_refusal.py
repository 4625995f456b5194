import pytest

from bridge.api.refusal import detail, sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("no such call", "No such call."), ("Done.", "Done."), ("GET is it?", "GET is it?")],
)
def test_a_sentence_begins_with_a_capital_and_ends_with_a_stop(text: str, expected: str) -> None:
    assert sentence(text) == expected


def test_a_detail_carries_status_body_and_headers() -> None:
    answer = detail(413, "too long", {"Connection": "close"})

    assert (answer.status, answer.body) == (413, {"detail": "Too long."})
    assert answer.headers == {"Connection": "close"}
