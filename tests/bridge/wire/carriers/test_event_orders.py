"""Every order of a carrier's events: whatever comes when, the outcome is documented and the end comes once."""

import json

import pytest

from tests.fakes.carrier_dialects import DIALECTS, Dialect
from tests.fakes.carrier_orders import Step, check_all_orders


def steps_of(carrier: Dialect) -> dict[str, Step]:
    """Eight things that can happen."""
    return {
        "connected": json.dumps(carrier.connected()),
        "start": json.dumps(carrier.start()),
        "media": json.dumps(carrier.media(1)),
        "later media": json.dumps(carrier.media(3)),
        "digit": json.dumps(carrier.digit("1")),
        "mark": json.dumps(carrier.mark("m")),
        "stop": json.dumps(carrier.stop()),
        "close": 1006,
    }


@pytest.mark.parametrize("carrier", DIALECTS, ids=str)
def test_every_order_of_four_events_ends_in_documented_outcomes(carrier: Dialect) -> None:
    n_tried = check_all_orders(carrier.wire, steps_of(carrier), 4)

    assert n_tried == 8 + 8**2 + 8**3 + 8**4


@pytest.mark.slow
@pytest.mark.parametrize("carrier", DIALECTS, ids=str)
def test_every_order_of_five_does_too(carrier: Dialect) -> None:
    n_tried = check_all_orders(carrier.wire, steps_of(carrier), 5)

    assert n_tried == 8 + 8**2 + 8**3 + 8**4 + 8**5
