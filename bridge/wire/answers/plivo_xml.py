"""Plivo XML: what Plivo is told to do with a call. Vobiz takes the same.

Source: plivo.com/docs/voice/xml (audio streaming, hangup, dial, play). The content type is always said: the vendor's
pages disagree about the default. ``keepCallAlive`` is always said, too: without it the document goes on, and comes to
its end, while the stream runs. With it the call outlives the stream: it ends by our request, or by what follows.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from bridge.errors import UsageError
from bridge.wire.answers.answer import Answer
from bridge.wire.answers.dialling import dial, play_and_leave
from bridge.wire.answers.xml import element, response, text

ContentType: TypeAlias = Literal[
    "audio/x-mulaw;rate=8000", "audio/x-l16;rate=8000", "audio/x-l16;rate=16000"
]
MU_LAW: Final[ContentType] = "audio/x-mulaw;rate=8000"
MAX_EXTRA_HEADERS: Final = 512
"""Bytes of all of them together."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9]+")
_SIP: Final = "User"
_NONE: Final[Mapping[str, str]] = {}


def stream(
    url: str,
    extra_headers: Mapping[str, str] = _NONE,
    *,
    status_url: str = "",
    content_type: ContentType = MU_LAW,
    then_hang_up: bool = False,
) -> Answer:
    """Open a two-way media socket.

    Args:
        url: ``wss://…``.
        extra_headers: come back in the stream's start; letters and digits only.
        status_url: where Plivo tells of the stream's progress; empty: nowhere.
        content_type: of both directions.
        then_hang_up: whether the call ends with the stream; else it waits for a request to Plivo's API.

    Raises: UsageError for extra headers that Plivo does not take.
    """
    attributes = {
        "bidirectional": "true",
        "audioTrack": "inbound",
        "keepCallAlive": "true",
        "contentType": content_type,
        "statusCallbackUrl": status_url,
        "extraHeaders": _extra_headers(extra_headers),
    }
    opened = element("Stream", attributes, text(url))
    return response(opened, element("Hangup")) if then_hang_up else response(opened)


def busy() -> Answer:
    """Refuse the call before it is answered: the caller hears the engaged tone."""
    return response(element("Hangup", {"reason": "busy"}))


def hang_up() -> Answer:
    """End the call."""
    return response(element("Hangup"))


def transfer(to: str) -> Answer:
    """Connect the caller to another number or SIP address. Raises: UsageError."""
    return response(dial(to, sip=_SIP))


def fallback(play_url: str = "", transfer_to: str = "") -> Answer:
    """Play a recording, if there is one, then transfer the caller, or hang up. Raises: UsageError."""
    return play_and_leave(play_url, transfer_to, sip=_SIP)


def _extra_headers(values: Mapping[str, str]) -> str:
    if not all(_PLAIN.fullmatch(word) for pair in values.items() for word in pair):
        raise UsageError("extra headers of a Plivo stream are letters and digits only")
    joined = ",".join(f"{name}={value}" for name, value in values.items())
    if len(joined) > MAX_EXTRA_HEADERS:
        raise UsageError(f"extra headers of a Plivo stream have over {MAX_EXTRA_HEADERS} bytes")
    return joined
