import inspect

import pytest

from bridge import errors
from bridge.errors import BridgeError, ConfigError, RemoteWireError, UsageError, did_you_mean


def test_all_errors_are_one_tree_and_the_modules_page_draws_it() -> None:
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    classes = [each for each in classes if each.__module__ == errors.__name__]
    drawn = str(errors.__doc__)

    assert all(issubclass(each, BridgeError) for each in classes)
    assert [each.__name__ for each in classes if each.__name__ not in drawn] == []


def test_wrong_settings_are_wrong_usage() -> None:
    assert issubclass(ConfigError, UsageError)


@pytest.mark.parametrize(
    ("error", "code"),
    [(RemoteWireError("x"), 1008), (RemoteWireError("x", close_code=1009), 1009)],
)
def test_a_breach_of_the_protocol_carries_its_close_code(error: RemoteWireError, code: int) -> None:
    assert (str(error), error.close_code) == ("x", code)


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("recepionist", ["echo", "receptionist"], "; did you mean 'receptionist'?"),
        ("xyz", ["echo", "tone"], "; known: echo, tone"),
        ("xyz", [], ""),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_or_all(
    word: str, known: list[str], hint: str
) -> None:
    assert did_you_mean(word, known) == hint
