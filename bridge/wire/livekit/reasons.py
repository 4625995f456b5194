"""The numbers of LiveKit's leave messages, as words; an unknown number is read as the plainest one."""

from typing import Final, cast, get_args

from livekit.protocol import models, rtc

from bridge.wire.livekit.events import LeaveAction, LeaveReason

_REASONS: Final[dict[int, LeaveReason]] = {
    models.DisconnectReason.Value(word.upper()): cast("LeaveReason", word)
    for word in get_args(LeaveReason)
}
_ACTIONS: Final[dict[int, LeaveAction]] = {
    rtc.LeaveRequest.Action.Value(word.upper()): cast("LeaveAction", word)
    for word in get_args(LeaveAction)
}


def leave_reason(number: int) -> LeaveReason:
    """Why the peer leaves."""
    return _REASONS.get(number, "unknown_reason")


def leave_action(number: int) -> LeaveAction:
    """What the peer wants us to do."""
    return _ACTIONS.get(number, "disconnect")
