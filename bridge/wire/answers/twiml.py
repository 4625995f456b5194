"""TwiML: what Twilio is told to do with a call.

Source: twilio.com/docs/voice/twiml (stream, reject, dial, sip, play, redirect). A stream's URL has no query (error
31920): what belongs to the call goes into its path and into parameters. Nothing stands behind ``<Connect>``: a verb
there would keep the caller on a dead line when the stream ends (reference telephony section 1, trap).
"""

from collections.abc import Mapping
from typing import Final

from bridge.errors import UsageError
from bridge.wire.answers.answer import Answer, checked_digits
from bridge.wire.answers.dialling import dial, play_and_leave
from bridge.wire.answers.xml import element, parameters_of, response, text

MAX_PARAMETER: Final = 500
"""Characters of a parameter's name and value together: it must have fewer."""
_SIP: Final = "Sip"
_NONE: Final[Mapping[str, str]] = {}


def stream(url: str, parameters: Mapping[str, str] = _NONE, *, status_url: str = "") -> Answer:
    """Open a two-way media socket.

    Args:
        url: ``wss://…`` without a query.
        parameters: come back as ``customParameters`` of the stream's start.
        status_url: where Twilio tells of the stream's progress; empty: nowhere.

    Raises: UsageError for a URL or a parameter that Twilio does not take.
    """
    if "?" in url:
        raise UsageError("Twilio takes no query in the URL of a stream")
    if any(len(name) + len(value) >= MAX_PARAMETER for name, value in parameters.items()):
        raise UsageError(f"a parameter of a stream has {MAX_PARAMETER} characters or more")
    attributes = {"url": url, "statusCallback": status_url}
    opened = element("Stream", attributes, *parameters_of(parameters))
    return response(element("Connect", {}, opened))


def busy() -> Answer:
    """Refuse the call before it is answered; the caller hears the engaged tone and pays nothing."""
    return response(element("Reject", {"reason": "busy"}))


def hang_up() -> Answer:
    """End the call."""
    return response(element("Hangup"))


def transfer(to: str) -> Answer:
    """Connect the caller to another number or SIP address. Raises: UsageError."""
    return response(dial(to, sip=_SIP))


def fallback(play_url: str = "", transfer_to: str = "") -> Answer:
    """Play a recording, if there is one, then transfer the caller, or hang up. Raises: UsageError."""
    return play_and_leave(play_url, transfer_to, sip=_SIP)


def press(digits: str, resume_url: str) -> Answer:
    """Press keys towards the far side, then ask `resume_url` what to do next. Raises: UsageError."""
    keys = element("Play", {"digits": checked_digits(digits)})
    return response(keys, element("Redirect", {}, text(resume_url)))
