"""The envelope of Genesys AudioHook messages, and what is negotiated as a session opens.

Source: purecloudlabs/audiohook-reference-implementation, app/audiohook/src/protocol/message.ts and core.ts, and both
sides' sessions there. Each side numbers its own messages from 1 on and names the last one that it has seen of the
other; Genesys ends a session in which a number is not the next one.
"""

import re
from typing import Final

from bridge.wire.carriers.base import Encoding, MediaFormat
from bridge.wire.carriers.fields import FieldError, JsonObject, identifier, whole
from bridge.wire.carriers.json_media import json_text

VERSION: Final = "2"
MEDIA_KEYS: Final = ("type", "format", "channels", "rate")
LONGEST_MS: Final = 10_000.0
"""Of a duration that Genesys names."""

_DURATION: Final = re.compile(r"PT([0-9]{1,9}(?:\.[0-9]{1,9})?)S")
_ENCODINGS: Final[dict[object, Encoding]] = {"PCMU": "ulaw", "L16": "l16le"}
_CALLER: Final = ["external"]
_BOTH: Final = ["external", "internal"]
# The first that is offered is taken: the caller alone and half the bytes are best.
_PREFERENCE: Final = [("PCMU", _CALLER), ("PCMU", _BOTH), ("L16", _CALLER), ("L16", _BOTH)]


class Session:
    """One session's id and numbers."""

    def __init__(self) -> None:
        self.id = ""
        self._ours = 0
        self._theirs = 0

    def read(self, message: JsonObject) -> bool:
        """Note a message of theirs; False for one that is repeated.

        Raises: FieldError if it has no number or no id.
        """
        number = whole(message.get("seq"))
        if number is None:
            raise FieldError("seq is not a number")
        session_id = identifier(message, "id")
        if number <= self._theirs:
            return False
        self.id, self._theirs = session_id, number
        return True

    def write(self, kind: str, parameters: JsonObject) -> str:
        """Our next message."""
        self._ours += 1
        return json_text(
            {
                "version": VERSION,
                "id": self.id,
                "type": kind,
                "seq": self._ours,
                "clientseq": self._theirs,
                "parameters": parameters,
            }
        )


def choose(offered: object) -> tuple[JsonObject, MediaFormat] | None:
    """The one offer to take, as it has to be repeated, and its format; None if there is none for us."""
    offers = (
        [offer for offer in offered if isinstance(offer, dict)] if isinstance(offered, list) else []
    )
    for name, channels in _PREFERENCE:
        for offer in offers:
            if (offer.get("format"), offer.get("channels")) != (name, channels):
                continue
            if offer.get("type", "audio") == "audio" and whole(offer.get("rate")) == 8_000:
                kept = {key: offer[key] for key in MEDIA_KEYS if key in offer}
                return kept, MediaFormat(_ENCODINGS[name], 8_000, len(channels))
    return None


def duration_ms(value: object) -> float | None:
    """A duration in seconds (``PT1.5S``), in ms and at most 10 s; None for anything else."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return min(float(found[1]) * 1_000, LONGEST_MS) if found else None
