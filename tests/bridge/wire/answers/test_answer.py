import pytest

from bridge.errors import UsageError
from bridge.wire.answers.answer import (
    MAX_DIGITS,
    MAX_TARGET,
    checked_digits,
    checked_target,
    is_sip,
)


@pytest.mark.parametrize(
    ("target", "sip"),
    [("sip:a@b", True), ("SIPS:a@b", True), ("+491", False), ("sipper", False), ("", False)],
)
def test_a_sip_address_is_told_by_its_scheme(target: str, sip: bool) -> None:
    assert is_sip(target) == sip


def test_blanks_around_a_target_are_no_part_of_it() -> None:
    assert checked_target(" +491 \n") == "+491"


@pytest.mark.parametrize("n", [0, 1, MAX_TARGET, MAX_TARGET + 1])
def test_a_target_has_at_least_one_character_and_not_too_many(n: int) -> None:
    if 0 < n <= MAX_TARGET:
        assert checked_target("1" * n) == "1" * n
    else:
        with pytest.raises(UsageError, match="transfer to"):
            checked_target("1" * n)


@pytest.mark.parametrize("digits", ["0123456789", "ABCD*#", "wW1", "1" * MAX_DIGITS])
def test_keys_of_a_telephone_and_pauses_may_be_pressed(digits: str) -> None:
    assert checked_digits(digits) == digits


@pytest.mark.parametrize(
    "digits", ["", "a", "E", "1 2", "1\n", "+1", "\uff11", "1" * (MAX_DIGITS + 1)]
)
def test_what_is_no_key_is_refused(digits: str) -> None:
    with pytest.raises(UsageError, match="keys"):
        checked_digits(digits)
