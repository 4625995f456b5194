import pytest

from bridge.calls.records import EndReason
from tests.fakes.records import at, call_record


def test_a_call_is_live_from_its_join_to_its_end() -> None:
    call = call_record("a")
    seen = [call.live]
    call.joined = at(1)
    seen.append(call.live)
    call.end("hangup", at(2))
    seen.append(call.live)

    assert seen == [False, True, False]


def test_a_call_ends_once() -> None:
    call = call_record("a")

    first = call.end("timeout", at(5))
    second = call.end("hangup", at(6))

    assert (first, second) == (True, False)
    assert (call.end_reason, call.ended) == ("timeout", at(5))


@pytest.mark.parametrize(
    ("lasted_s", "reason", "billed_s", "status"),
    [
        (6.0, "hangup", 6.0, "BILLING_STATUS_BILLED"),
        (6.001, "agent_hangup", 12.0, "BILLING_STATUS_BILLED"),
        (0.1, "hangup", 6.0, "BILLING_STATUS_BILLED"),
        (0.0, "hangup", 0.0, "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION"),
        (30.0, "system_error", 30.0, "BILLING_STATUS_FREE_SYSTEM_ERROR"),
    ],
)
def test_a_call_is_billed_in_steps_of_six_seconds_from_its_join(
    lasted_s: float, reason: EndReason, billed_s: float, status: str
) -> None:
    call = call_record("a")
    call.joined = at(100)

    call.end(reason, at(100 + lasted_s))

    assert (call.billed_duration_s, call.billing_status) == (billed_s, status)


def test_a_call_has_no_duration_before_its_end() -> None:
    assert call_record("a").duration_s is None


def test_a_call_that_nobody_joined_lasts_and_costs_nothing() -> None:
    call = call_record("a")

    call.end("unjoined", at(30))

    assert (call.duration_s, call.billed_duration_s) == (0.0, 0.0)
    assert call.billing_status == "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION"
