"""What fits into a close frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.media_socket import fit_code, fit_reason


@given(st.text(max_size=200))
def test_a_fitted_reason_is_the_beginning_of_the_reason_and_no_longer_than_123_bytes(
    reason: str,
) -> None:
    fitted = fit_reason(reason)

    assert len(fitted.encode()) <= 123
    assert reason.encode(errors="replace").decode().startswith(fitted)
    assert fitted == reason or len(reason.encode(errors="replace")) > 119


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1014, 3000, 4999])
def test_a_code_that_may_be_sent_is_kept(code: int) -> None:
    assert fit_code(code) == code


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 70000])
def test_a_code_that_may_not_be_sent_becomes_1008(code: int) -> None:
    assert fit_code(code) == 1008
