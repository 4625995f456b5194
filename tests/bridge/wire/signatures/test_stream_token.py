import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import CarrierName
from bridge.wire.signatures.stream_token import (
    MAX_CALL_ID_BYTES,
    MAX_TOKEN,
    MIN_KEY_BYTES,
    Claim,
    StreamTokens,
)

KEY = b"0123456789abcdef"
TOKENS = StreamTokens(KEY)
NOW_S = 1_800_000_000.0


def issue(call_id: str = "call-1", carrier: CarrierName = "twilio") -> str:
    return TOKENS.issue(carrier, call_id, NOW_S)


def test_a_token_says_which_call_it_is_for() -> None:
    assert TOKENS.check(issue(), "twilio", NOW_S) == Claim("call-1", int(NOW_S) + 60)


@given(st.text(max_size=MAX_CALL_ID_BYTES).filter(lambda t: len(t.encode()) <= MAX_CALL_ID_BYTES))
def test_every_token_fits_into_a_path(call_id: str) -> None:
    token = issue(call_id)

    assert re.fullmatch(r"[A-Za-z0-9_\-]{1,128}", token)
    claim = TOKENS.check(token, "twilio", NOW_S)
    assert isinstance(claim, Claim)
    assert claim.call_id == call_id


def test_the_longest_call_id_makes_the_longest_token_and_a_longer_one_is_refused() -> None:
    assert len(issue("x" * MAX_CALL_ID_BYTES)) == MAX_TOKEN
    with pytest.raises(LocalWireError, match="at most 75 bytes"):
        issue("x" * (MAX_CALL_ID_BYTES + 1))


@pytest.mark.parametrize(("after_s", "good"), [(0, True), (60, True), (60.01, False), (1e6, False)])
def test_a_token_is_good_until_it_expires(after_s: float, good: bool) -> None:
    claim = TOKENS.check(issue(), "twilio", NOW_S + after_s)

    assert isinstance(claim, Claim) == good
    assert good or "expired" in str(claim)


def test_a_token_is_good_for_its_carrier_only() -> None:
    for carrier in get_args(CarrierName):
        token = issue(carrier=carrier)
        for other in get_args(CarrierName):
            good = isinstance(TOKENS.check(token, other, NOW_S), Claim)
            assert good == (carrier == other)


def test_a_token_of_another_key_is_refused() -> None:
    token = StreamTokens(b"another key of 16").issue("twilio", "call-1", NOW_S)

    assert TOKENS.check(token, "twilio", NOW_S) == "the token is none of ours for this carrier"


@pytest.mark.parametrize("n", [MIN_KEY_BYTES - 1, MIN_KEY_BYTES])
def test_a_key_that_can_be_guessed_is_refused(n: int) -> None:
    if n >= MIN_KEY_BYTES:
        StreamTokens(bytes(n))
    else:
        with pytest.raises(LocalWireError, match="fewer than 16 bytes"):
            StreamTokens(bytes(n))


def test_no_token_with_one_character_changed_added_or_left_out_is_good() -> None:
    token = issue()
    for i in range(len(token)):
        for other in "Ab0_-=/+ é":
            changed = token[:i] + other + token[i + 1 :]
            assert changed == token or isinstance(TOKENS.check(changed, "twilio", NOW_S), str)
        assert isinstance(TOKENS.check(token[:i] + token[i + 1 :], "twilio", NOW_S), str)
    for longer in (token + "A", token + "=", "A" + token, token * 2):
        assert isinstance(TOKENS.check(longer, "twilio", NOW_S), str)


def test_100000_wrong_tokens_open_nothing_and_are_not_repeated() -> None:
    token = issue()
    for i in range(100_000):
        wrong = f"{token[:-6]}{i:06d}"
        said = TOKENS.check(wrong, "twilio", NOW_S)
        assert isinstance(said, str)
        assert wrong not in said


@given(st.text(max_size=200))
def test_whatever_stands_in_the_path_the_answer_is_a_sentence(text: str) -> None:
    assert isinstance(TOKENS.check(text, "twilio", NOW_S), str)
