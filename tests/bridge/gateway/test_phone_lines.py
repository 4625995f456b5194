"""Phone calls of the desk and of the API on the same lines."""

from dataclasses import dataclass, field

import pytest

from bridge.calls.errors import NoCapacity
from bridge.gateway.admission import RETRY_AFTER_S, Admission, AdmissionLimits
from bridge.gateway.phone_lines import PhoneLines
from bridge.legs.carrier.figures import CarrierFigures


@dataclass
class DeskCall:
    carrier: str = "plivo"
    state: str = "live"
    figures: CarrierFigures = field(default_factory=CarrierFigures)


def lines_of(most: int, at_desk: int = 0) -> PhoneLines:
    lines = PhoneLines(Admission(AdmissionLimits(most)))
    lines.serve(lambda: [DeskCall()] * at_desk, lambda: at_desk)
    return lines


def test_a_call_of_the_api_takes_the_last_line_from_the_desk() -> None:
    lines = lines_of(2, at_desk=1)
    assert lines.may_take() is None
    lines.check()
    lines.begin("a", "twilio")
    assert lines.may_take() == "All lines of the server are in use."
    lines.end("a", "hangup")
    assert lines.may_take() is None


def test_calls_at_the_desk_take_the_last_line_from_the_api() -> None:
    lines_of(2, at_desk=1).check()
    with pytest.raises(NoCapacity) as refused:
        lines_of(2, at_desk=2).check()
    assert refused.value.retry_after_s == RETRY_AFTER_S


def test_a_call_of_the_api_is_seen_and_added_up_once() -> None:
    lines = lines_of(9, at_desk=1)
    lines.begin("a", "twilio")
    assert [(call.carrier, call.state) for call in lines.live()] == [
        ("plivo", "live"),
        ("twilio", "waiting"),
    ]
    figures = lines.connect("a")
    assert figures is not None
    assert figures.lateness is lines.totals.lateness
    figures.frames_in = 7
    assert [call.state for call in lines.live()] == ["live", "live"]
    for _ in range(2):
        lines.end("a", "hangup")
    assert lines.totals.ended == {("twilio", "hangup"): 1}
    assert lines.totals.counts["twilio"]["frames_in"] == 7


def test_a_call_without_a_line_counts_for_itself() -> None:
    lines = lines_of(9)
    assert lines.connect("a") is None
    lines.end("a", "hangup")
    assert not lines.totals.ended
