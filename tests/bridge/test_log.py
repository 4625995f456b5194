import io
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.log import FORMAT, OneLine, Redacted, set_up, whereabouts
from tests.fakes.log_set_up import logging_restored

BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before afterwards."""
    with logging_restored() as logger:
        yield logger


def hostile_strings() -> list[str]:
    """1,000 strings that try to begin a line of their own or to rewrite the one they stand in."""
    forged = "2026-01-01 00:00:00,000 WARNING bridge all is well"
    seeds = [
        *(f"{char}{forged}" for char in BREAKS),
        f"\x1b[2K\r{forged}",
        f"\u202e{forged}",
        f"\x00\x08\x7f{forged}",
        f"\ud800{forged}",
        f"%s %d {{}} \\n{forged}",
    ]
    return [f"{number}{seeds[number % len(seeds)]}" for number in range(1_000)]


def test_a_thousand_hostile_strings_make_a_thousand_lines() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine(FORMAT))
    logger = logging.Logger("bridge.test")  # noqa: LOG001 - one of its own, that no test shares
    logger.addHandler(handler)
    for text in hostile_strings():
        logger.warning("a peer said %s", text)

    lines = stream.getvalue().splitlines()
    assert len(lines) == 1_000
    assert all(" WARNING bridge.test a peer said " in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_a_traceback_is_one_line_too() -> None:
    with pytest.raises(ValueError, match="first") as caught:
        int("first\nsecond")
    trace = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("n", logging.ERROR, "f", 1, "it broke", None, trace)
    line = OneLine(FORMAT).format(record)

    assert len(line.splitlines()) == 1
    assert r"first\nsecond" in line


@given(st.text())
def test_whatever_is_logged_stays_on_its_line_and_can_be_written(text: str) -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "%s", (text,), None)
    line = OneLine("%(message)s").format(record)

    assert len(line.splitlines()) <= 1
    line.encode()


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "…"),
        ("1234", "…"),
        ("12345678", "…"),
        ("123456789", "…6789"),
        ("+4915112345678", "…5678"),
    ],
)
def test_of_what_is_redacted_the_last_four_stay_if_enough_is_hidden(
    secret: str, shown: str
) -> None:
    assert str(Redacted(secret)) == repr(Redacted(secret)) == f"{Redacted(secret)}" == shown


def test_whereabouts_tell_kind_and_place_and_repeat_no_words() -> None:
    def fail() -> None:
        raise ValueError("my number is 0151 2345678")

    with pytest.raises(ValueError, match="number") as caught:
        fail()
    told = whereabouts(caught.value)

    assert told.startswith("ValueError < ")
    assert "test_log.py" in told
    assert "in fail" in told
    assert "0151" not in told


def test_set_up_logs_to_standard_error_and_our_own_more(root: logging.Logger) -> None:
    set_up(verbose=False)

    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
    assert isinstance(handler.formatter, OneLine)
    assert not logging.getLogger("foreign").isEnabledFor(logging.INFO)
    assert logging.getLogger("bridge.x").isEnabledFor(logging.INFO)
    assert not logging.getLogger("bridge.x").isEnabledFor(logging.DEBUG)


def test_verbose_logs_all_of_ours_and_nothing_more_of_others(root: logging.Logger) -> None:
    set_up(verbose=True)

    assert logging.getLogger("bridge.x").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("foreign").isEnabledFor(logging.INFO)
