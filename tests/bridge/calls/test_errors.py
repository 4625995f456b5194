import pytest

from bridge.calls import errors
from bridge.errors import BridgeError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidSettings("model", "x"), 400),
        (errors.CallNotFound("x"), 404),
        (errors.StageNotFound("x"), 404),
        (errors.RecordingNotFound("x"), 404),
        (errors.TokenUnknown("x"), 404),
        (errors.AlreadyJoined("x"), 409),
        (errors.CallOver("x"), 410),
        (errors.NotLive("x"), 422),
        (errors.StillLive("x"), 425),
        (errors.NoCapacity("x"), 503),
    ],
)
def test_each_error_knows_its_status(error: errors.CallError, status: int) -> None:
    assert error.status == status
    assert isinstance(error, BridgeError)
    assert str(error) == "x"


def test_errors_carry_what_their_answer_needs() -> None:
    assert errors.InvalidSettings("model", "x").field == "model"
    assert errors.NoCapacity("x", retry_after_s=7).retry_after_s == 7
