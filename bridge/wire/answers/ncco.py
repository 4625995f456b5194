"""NCCO: what Vonage is told to do with a call, as JSON.

Source: developer.vonage.com/en/voice/voice-api/ncco-reference (connect, stream). An NCCO has no way to say busy: an
empty one ends the call. Headers of a websocket endpoint come back in the socket's first message.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from bridge.errors import UsageError
from bridge.wire.answers.answer import Answer, checked_target, is_sip

CONTENT_TYPE: Final = "application/json"
MAX_HEADERS: Final = 512
"""Bytes of all headers together, as JSON."""
RateHz: TypeAlias = Literal[8_000, 16_000, 24_000]
Action: TypeAlias = dict[str, object]
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]")
_NONE: Final[Mapping[str, str]] = {}


def stream(
    url: str,
    headers: Mapping[str, str] = _NONE,
    *,
    event_url: str = "",
    rate_hz: RateHz = 16_000,
) -> Answer:
    """Open a two-way media socket.

    Args:
        url: ``wss://…``.
        headers: come back in the socket's first message.
        event_url: where Vonage tells of the socket's progress; empty: where it tells of the call's.
        rate_hz: of both directions.

    Raises: UsageError for headers that Vonage does not take.
    """
    return answer(stream_actions(url, headers, event_url=event_url, rate_hz=rate_hz))


def stream_actions(
    url: str,
    headers: Mapping[str, str] = _NONE,
    *,
    event_url: str = "",
    rate_hz: RateHz = 16_000,
) -> list[Action]:
    """The same as `stream`, for a request that holds the NCCO."""
    if len(json.dumps(dict(headers), separators=(",", ":"))) > MAX_HEADERS:
        raise UsageError(f"the headers of a Vonage socket have over {MAX_HEADERS} bytes")
    endpoint: Action = {
        "type": "websocket",
        "uri": url,
        "content-type": f"audio/l16;rate={rate_hz}",
        "headers": dict(headers),
    }
    connect: Action = {"action": "connect", "endpoint": [endpoint]}
    return [{**connect, "eventUrl": [event_url]} if event_url else connect]


def busy() -> Answer:
    """Refuse the call."""
    return answer([])


def hang_up() -> Answer:
    """End the call."""
    return answer([])


def transfer(to: str) -> Answer:
    """Connect the caller to another number or SIP address. Raises: UsageError."""
    return answer(transfer_actions(to))


def transfer_actions(to: str) -> list[Action]:
    """The same as `transfer`, for a request that holds the NCCO."""
    return [{"action": "connect", "endpoint": [endpoint_of(to)]}]


def fallback(play_url: str = "", transfer_to: str = "") -> Answer:
    """Play a recording, if there is one, then transfer the caller, or hang up. Raises: UsageError."""
    played: list[Action] = [{"action": "stream", "streamUrl": [play_url]}] if play_url else []
    return answer([*played, *(transfer_actions(transfer_to) if transfer_to else [])])


def endpoint_of(to: str) -> Action:
    """A number or SIP address as Vonage writes it: numbers are digits only. Raises: UsageError."""
    to = checked_target(to)
    if is_sip(to):
        return {"type": "sip", "uri": to}
    number = _NOT_A_DIGIT.sub("", to)
    if not number:
        raise UsageError("the number to call has no digits")
    return {"type": "phone", "number": number}


def answer(actions: Sequence[Action]) -> Answer:
    """The document with these actions, in order."""
    return Answer(json.dumps(list(actions)), CONTENT_TYPE)
