import pytest

from bridge.wire.signatures.replay import OnceOnly


def test_a_key_comes_for_the_first_time_once() -> None:
    once = OnceOnly(keep_s=10)

    assert once.first("a", 0)
    assert not once.first("a", 0)
    assert once.first("b", 0)


@pytest.mark.parametrize(("later_s", "is_new"), [(10, False), (10.1, True)])
def test_a_key_is_remembered_as_long_as_it_is_kept(later_s: float, is_new: bool) -> None:
    once = OnceOnly(keep_s=10)
    once.first("a", 0)

    assert once.first("a", later_s) == is_new


def test_of_too_many_keys_the_oldest_are_forgotten() -> None:
    once = OnceOnly(keep_s=10, most=3)
    for key in "abcd":
        once.first(key, 0)

    assert not once.first("d", 0)
    assert once.first("a", 0)


def test_a_key_that_comes_again_is_not_kept_longer() -> None:
    once = OnceOnly(keep_s=10)
    once.first("a", 0)
    once.first("a", 9)

    assert once.first("a", 11)


def test_asking_for_a_key_neither_adds_one_nor_forgets_any() -> None:
    once = OnceOnly(keep_s=10, most=2)
    once.first("a", 0)
    once.first("b", 0)

    assert not once.has("c", 0)
    assert once.has("a", 10)
    assert not once.has("a", 10.1)
    assert not once.first("b", 9)
