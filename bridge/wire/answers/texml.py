"""TeXML: what Telnyx is told to do with a call, where its application speaks TeXML.

Source: developers.telnyx.com/docs/voice/programmable-voice/texml-verbs/stream. All other verbs are TwiML's
(…/texml-twiml-compatibility). The bidirectional mode must be said: left out it is mp3, and the caller hears nothing.
While the document runs it owns the call, whatever Call Control does to it: when the socket closes, the next verb runs,
and at its end Telnyx hangs up, a caller who was transferred too. So what is to become of the caller is asked for then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bridge.wire.answers.answer import Answer
from bridge.wire.answers.twiml import busy, fallback, hang_up, transfer
from bridge.wire.answers.xml import element, parameters_of, response, text

__all__ = [
    "DEFAULT_FORMAT",
    "TelnyxCodec",
    "TelnyxFormat",
    "busy",
    "fallback",
    "hang_up",
    "stream",
    "transfer",
]

TelnyxCodec: TypeAlias = Literal["PCMU", "PCMA", "G722", "OPUS", "L16"]
_NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class TelnyxFormat:
    """How audio travels on the media socket."""

    codec: TelnyxCodec = "PCMU"
    rate_hz: int = 8_000
    """As Telnyx counts it: 8000 for PCMU, PCMA and G722; 8000, 16000, 22050, 24000 or 48000 for the others."""


DEFAULT_FORMAT: Final = TelnyxFormat()


def stream(
    url: str,
    parameters: Mapping[str, str] = _NONE,
    *,
    status_url: str = "",
    next_url: str = "",
    audio: TelnyxFormat = DEFAULT_FORMAT,
) -> Answer:
    """Open a two-way media socket.

    Args:
        url: ``wss://…``.
        parameters: come back as ``custom_parameters`` of the stream's start.
        status_url: where Telnyx tells of the stream's progress; empty: nowhere.
        next_url: where Telnyx asks what to do when the socket is closed; empty: then it hangs up.
        audio: of both directions.
    """
    attributes = {
        "url": url,
        "track": "inbound_track",
        # The caller's side has no L16 here: what comes is what the stream's start says.
        "codec": "default" if audio.codec == "L16" else audio.codec,
        "bidirectionalMode": "rtp",
        "bidirectionalCodec": audio.codec,
        "bidirectionalSamplingRate": str(audio.rate_hz),
        "statusCallback": status_url,
    }
    opened = element("Stream", attributes, *parameters_of(parameters))
    then = [element("Redirect", {"method": "POST"}, text(next_url))] if next_url else []
    return response(element("Connect", {}, opened), *then)
