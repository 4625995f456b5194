from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.text import writable


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_stays_as_it_is(text: str) -> None:
    assert writable(text) == text


@given(st.binary())
def test_the_name_of_any_file_can_be_written(name: bytes) -> None:
    writable(name.decode(errors="surrogateescape")).encode()
