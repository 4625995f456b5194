import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.gateway.phone.routes import Route, Routes, spellings
from bridge.phone_config import RouteConfig


def fits(pattern: str, called: str, **config: str) -> bool:
    route = Route(RouteConfig.model_validate({"number": pattern, **config}), 0)
    return route.fits("twilio", PhoneNumbers("+1555", called))


@pytest.mark.parametrize(
    ("pattern", "called", "is_fit"),
    [
        ("*", "+15550100002", True),
        ("*", "", True),
        ("+15550100002", "+15550100002", True),
        ("+15550100002", "15550100002", True),  # as Plivo writes it
        ("15550100002", "+15550100002", True),
        ("+1555*", "+1 (555) 010-0002", True),
        ("+1555010000?", "+15550100002", True),
        ("+1555010000?", "+155501000023", False),
        ("+1666*", "+15550100002", False),
        ("re:\\+1555.*", "+15550100002", True),
        ("re:\\+1555", "+15550100002", False),  # the whole number, not a part
        ("sip:*@bridge.example", "sip:bob@bridge.example", True),
        ("sip:*", "+15550100002", False),
    ],
)
def test_a_pattern_takes_a_number_however_the_carrier_writes_it(
    pattern: str, called: str, is_fit: bool
) -> None:
    assert fits(pattern, called) is is_fit


@pytest.mark.parametrize(
    ("config", "is_fit"),
    [
        ({"carrier": "twilio"}, True),
        ({"carrier": "plivo"}, False),
        ({"direction": "inbound"}, True),
        ({"direction": "outbound"}, False),
    ],
)
def test_carrier_and_direction_must_fit_too(config: dict[str, str], is_fit: bool) -> None:
    assert fits("*", "+1", **config) is is_fit


def test_the_first_route_that_fits_counts() -> None:
    configs = [RouteConfig(number=number) for number in ("+1666*", "+1555*", "*")]
    routes = Routes.of(configs)

    for called, index in (("+15550100002", 1), ("+16660100002", 0), ("+4930", 2)):
        found = routes.find("twilio", PhoneNumbers("", called))
        assert found is not None
        assert found.index == index


@pytest.mark.parametrize(
    ("most", "n_live", "is_full"), [(None, 99, False), (2, 1, False), (2, 2, True), (0, 0, True)]
)
def test_a_route_is_full_at_its_bound(most: int | None, n_live: int, is_full: bool) -> None:
    route = Route(RouteConfig(max_calls=most), 0)
    route.n_live = n_live

    assert route.is_full is is_full


@given(st.text(max_size=300))
def test_any_text_has_spellings_of_bounded_length(number: str) -> None:
    found = spellings(number)

    assert 1 <= len(found) <= 3
    assert all(len(each) <= 257 for each in found)
