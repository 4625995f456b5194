"""What Exotel's applets are told when they ask a URL of ours.

Source: developer.exotel.com/docs/agentstream/stream-voicebot-applet (an https endpoint that gives the socket's URL) and
support.exotel.com, "Connect applet (dynamic URL)". An applet takes no other answer: busy is said by HTTP 503, and a
call ends when its stream is closed and no applet follows. A transfer is a Connect applet behind the voicebot.
"""

import json
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from bridge.errors import UsageError
from bridge.wire.answers.answer import Answer, checked_target

CONTENT_TYPE: Final = "application/json"
MAX_URL: Final = 600
MAX_PARAMETERS: Final = 3
MAX_QUERY: Final = 256
RateHz: TypeAlias = Literal[8_000, 16_000, 24_000]
_NONE: Final[Mapping[str, str]] = {}


def stream_url(url: str, parameters: Mapping[str, str] = _NONE, *, rate_hz: RateHz = 8_000) -> str:
    """The socket's URL with what Exotel reads from its query.

    Args:
        url: ``wss://…`` without a query.
        parameters: at most three; they come back as ``custom_parameters`` of the stream's start.
        rate_hz: of the audio of both directions.

    Raises: UsageError for what Exotel does not take.
    """
    if "?" in url:
        raise UsageError("the URL of an Exotel stream gets its query here")
    if len(parameters) > MAX_PARAMETERS:
        raise UsageError(f"an Exotel stream has at most {MAX_PARAMETERS} parameters")
    given = urlencode(parameters)
    if len(given) > MAX_QUERY:
        raise UsageError(f"the parameters of an Exotel stream have over {MAX_QUERY} characters")
    rate = {} if rate_hz == 8_000 else {"sample-rate": str(rate_hz)}
    query = "&".join(part for part in (urlencode(rate), given) if part)
    full = f"{url}?{query}" if query else url
    if len(full) > MAX_URL:
        raise UsageError(f"the URL of an Exotel stream has over {MAX_URL} characters")
    return full


def stream(url: str, parameters: Mapping[str, str] = _NONE, *, rate_hz: RateHz = 8_000) -> Answer:
    """Tell a voicebot applet where to open its media socket. Raises: UsageError."""
    return _json({"url": stream_url(url, parameters, rate_hz=rate_hz)})


def transfer(to: str) -> Answer:
    """Tell a Connect applet whom to connect the caller to. Raises: UsageError."""
    return _json({"fetch_after_attempt": False, "destination": {"numbers": [checked_target(to)]}})


def _json(body: Mapping[str, object]) -> Answer:
    return Answer(json.dumps(body), CONTENT_TYPE)
