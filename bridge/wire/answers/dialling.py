"""What TwiML and Plivo XML say alike of a caller who is sent elsewhere; they differ in the element of a SIP address."""

from bridge.wire.answers.answer import Answer, checked_target, is_sip
from bridge.wire.answers.xml import element, response, text


def dial(to: str, *, sip: str) -> str:
    """The verb that connects the caller to a number, or to a SIP address in the element `sip`. Raises: UsageError."""
    to = checked_target(to)
    return element("Dial", {}, element(sip if is_sip(to) else "Number", {}, text(to)))


def play_and_leave(play_url: str, transfer_to: str, *, sip: str) -> Answer:
    """Play a recording, if there is one, then transfer the caller, or hang up. Raises: UsageError."""
    played = [element("Play", {}, text(play_url))] if play_url else []
    return response(*played, dial(transfer_to, sip=sip) if transfer_to else element("Hangup"))
