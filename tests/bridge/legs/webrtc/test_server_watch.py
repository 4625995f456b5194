"""What the log says of STUN and TURN servers that fail, whoever named them."""

import logging

import pytest
from aioice.stun import Class, Message, Method, TransactionFailed

from bridge.legs.webrtc.server_watch import MAX_FAILING, ServerWatch

SERVER = ("turn.example", 3_478)


def refused(code: int) -> TransactionFailed:
    answer = Message(Method.ALLOCATE, Class.ERROR)
    answer.attributes["ERROR-CODE"] = (code, "no")
    return TransactionFailed(answer)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("outcome", [refused(401), refused(486), TimeoutError(), OSError()])
def test_a_server_of_somebody_elses_room_is_no_fault_of_the_configuration(
    outcome: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    watch = ServerWatch()
    watch.asked("TURN", SERVER, outcome, of_room=True)
    watch.asked("TURN", SERVER, outcome)

    rooms, ours = said(caplog)
    assert rooms.startswith("! the TURN server of a room that was joined ")
    assert "ice_servers" not in rooms
    assert "address" not in rooms
    assert ours.startswith("! the TURN server of WebRTC calls ")


def test_who_refuses_the_name_is_told_whose_word_it_was(caplog: pytest.LogCaptureFixture) -> None:
    watch = ServerWatch()
    watch.asked("TURN", SERVER, refused(401), of_room=True)
    watch.asked("TURN", SERVER, refused(401))

    rooms, ours = said(caplog)
    assert "refuses the username or the credential that the room gave; calls do" in rooms
    assert "refuses the username or the credential of ice_servers; calls do" in ours


def test_each_failure_and_its_end_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bridge")
    watch = ServerWatch()
    for outcome in (TimeoutError(), TimeoutError(), None, None, TimeoutError(), OSError()):
        watch.asked("STUN", SERVER, outcome, of_room=True)

    assert [each[:2] for each in said(caplog)] == ["! ", "= ", "! ", "! "]
    assert said(caplog)[1] == "= the STUN server of a room that was joined is of use again"


@pytest.mark.parametrize(("n_others", "again"), [(MAX_FAILING - 1, False), (MAX_FAILING, True)])
def test_rooms_may_name_any_number_of_servers_and_so_many_are_remembered(
    n_others: int, again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    watch = ServerWatch()
    watch.asked("TURN", SERVER, TimeoutError())
    for n in range(n_others):
        watch.asked("TURN", (f"t{n}.example", 3_478), TimeoutError(), of_room=True)
    caplog.clear()
    watch.asked("TURN", SERVER, TimeoutError())

    assert bool(said(caplog)) is again
    assert len(watch._failing) <= MAX_FAILING


def test_a_server_that_goes_on_failing_is_not_forgotten_for_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = ServerWatch()
    for n in range(3 * MAX_FAILING):
        watch.asked("TURN", SERVER, TimeoutError())
        watch.asked("TURN", (f"t{n}.example", 3_478), TimeoutError(), of_room=True)

    ours = [each for each in said(caplog) if "of WebRTC calls" in each]
    assert len(ours) == 1
