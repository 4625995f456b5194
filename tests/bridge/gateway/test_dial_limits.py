import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.errors import InvalidSettings, TooManyToday
from bridge.gateway.dial_limits import DAY_S, DialLimits
from bridge.phone_config import OutgoingConfig


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def limits(clock: Clock | None = None, **config: object) -> DialLimits:
    given = {"enabled": True, "prefixes": ["+1555", "+49"], **config}
    return DialLimits(OutgoingConfig.model_validate(given), clock or Clock())


def why_not(made: DialLimits, to: str) -> str:
    with pytest.raises(InvalidSettings) as caught:
        made.check(to)
    assert caught.value.field == "medium"
    return str(caught.value)


def test_nothing_is_dialled_unless_it_is_switched_on() -> None:
    assert "outgoing.enabled" in why_not(DialLimits(OutgoingConfig(), Clock()), "+15550100")


@pytest.mark.parametrize(
    ("to", "dialled"),
    [
        ("+15550100", "+15550100"),
        ("+1 (555) 010-0.1", "+155501001"),
        ("+49 30 1234", "+49301234"),
        ("+4930", "+4930"),
        ("+49" + 13 * "1", "+49" + 13 * "1"),
    ],
)
def test_a_number_with_an_allowed_prefix_is_dialled_without_what_stands_between(
    to: str, dialled: str
) -> None:
    assert limits().check(to) == dialled


@pytest.mark.parametrize("to", ["+15560100", "+1554", "+4415550100", "+1 900 5550100"])
def test_a_number_with_no_allowed_prefix_is_refused(to: str) -> None:
    sentence = why_not(limits(), to)

    assert "outgoing.prefixes" in sentence
    assert to not in sentence


@pytest.mark.parametrize(
    "to",
    [
        "",
        "15550100",  # carriers read it as a number of the account's own country
        "0015550100",
        "+49",
        "+49" + 14 * "1",
        "+0155501",
        "+1555010a",
        "+15550100,,1",
        "+15550100;ext=1",
        "+15550100<+15550101",
        "sip:+15550100@pbx.example",
        "client:somebody",
        "+1555\n0100",
        "+1555" + 4 * "\u0661",  # digits, but not ours
        "++15550100",
    ],
)
def test_what_is_no_number_with_its_country_is_refused(to: str) -> None:
    assert "+15550100" in why_not(limits(prefixes=["+"]), to)


def test_without_prefixes_nobody_may_be_called() -> None:
    assert "outgoing.prefixes" in why_not(limits(prefixes=[]), "+15550100")


@given(st.text(max_size=30))
def test_whatever_is_asked_for_only_allowed_numbers_are_dialled(to: str) -> None:
    try:
        number = limits().check(to)
    except InvalidSettings:
        return
    assert number.startswith(("+1555", "+49"))
    assert number[1:].isdecimal()


def test_so_many_calls_at_once() -> None:
    made = limits(max_calls=2)
    made.take("a", "+15550100")
    made.take("b", "+15550100")
    with pytest.raises(InvalidSettings, match=r"outgoing\.max_calls"):
        made.take("c", "+15550100")
    made.give_back("a")
    made.give_back("a")
    made.take("c", "+15550100")
    with pytest.raises(InvalidSettings):
        made.take("d", "+15550100")


def test_a_call_that_was_never_counted_gives_nothing_back() -> None:
    made = limits(max_calls=1)
    made.take("a", "+15550100")
    made.give_back("another")
    with pytest.raises(InvalidSettings):
        made.take("b", "+15550100")


def test_so_many_calls_a_day_and_how_long_to_wait() -> None:
    clock = Clock()
    made = limits(clock, max_per_day=2, max_calls=100)
    made.take("a", "+15550100")
    clock.now_s += 100.5
    made.take("b", "+15550100")
    with pytest.raises(TooManyToday) as caught:
        made.take("c", "+15550100")
    assert caught.value.retry_after_s == DAY_S - 100
    clock.now_s += caught.value.retry_after_s - 1
    with pytest.raises(TooManyToday):
        made.take("c", "+15550100")
    clock.now_s += 1
    made.take("c", "+15550100")
    with pytest.raises(TooManyToday):
        made.take("d", "+15550100")


def test_what_is_refused_costs_nothing() -> None:
    made = limits(max_calls=1, max_per_day=2)
    for to in ("+44155501", "nobody"):
        with pytest.raises(InvalidSettings):
            made.take("x", to)
    made.take("a", "+15550100")
    with pytest.raises(InvalidSettings):
        made.take("b", "+15550100")  # too many at once
    made.give_back("a")
    made.take("b", "+15550100")


def test_a_caller_who_is_sent_elsewhere_counts_for_the_day_and_not_for_calls_at_once() -> None:
    made = limits(max_calls=1, max_per_day=2)
    assert made.divert("+1 555-0100") == "+15550100"
    made.take("a", "+15550100")
    with pytest.raises(TooManyToday, match=r"outgoing\.max_per_day"):
        made.divert("+15550100")
    with pytest.raises(InvalidSettings, match=r"outgoing\.prefixes"):
        limits().divert("+44155501")


def test_a_limit_of_none_at_all_lets_none_through() -> None:
    with pytest.raises(InvalidSettings):
        limits(max_calls=0).take("a", "+15550100")
    with pytest.raises(TooManyToday) as caught:
        limits(max_per_day=0).take("a", "+15550100")
    assert caught.value.retry_after_s == DAY_S
