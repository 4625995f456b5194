"""Reading the application's JSON messages the way carriers do, and saying what is wrong with them."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16, from_bytes

Fields = Mapping[str, Any]


class BadMessage(ValueError):  # noqa: N818 - reads as what it is
    """A message of the application is not what the carrier's documents say; the sentence tells how."""


def read_object(message: str | bytes) -> dict[str, Any]:
    """A text message as a JSON object. Raises: BadMessage."""
    if isinstance(message, bytes):
        raise BadMessage(
            "The application sent a binary message; this carrier takes JSON text only."
        )
    try:
        found = json.loads(message)
    except ValueError:
        raise BadMessage("The application sent a text message that is no JSON.") from None
    if not isinstance(found, dict):
        raise BadMessage("The application sent JSON that is no object.")
    return found


def part_of(fields: Fields, name: str, where: str) -> Fields:
    """A member that has to be an object. Raises: BadMessage."""
    part = fields.get(name)
    if not isinstance(part, dict):
        raise BadMessage(f"A {where} message has no object “{name}”.")
    return part


def text_of(fields: Fields, name: str, where: str) -> str:
    """A member that has to be text, and some. Raises: BadMessage."""
    text = fields.get(name)
    if not isinstance(text, str) or not text:
        raise BadMessage(f"A {where} message has no text “{name}”.")
    return text


def payload_of(fields: Fields, name: str, where: str) -> bytes:
    """A member in base64. Raises: BadMessage."""
    text = fields.get(name)
    if not isinstance(text, str):
        raise BadMessage(f"A {where} message has no text “{name}”.")
    try:
        payload = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadMessage(f"The {name} of a {where} message is not base64.") from None
    if not payload:
        raise BadMessage(f"The {name} of a {where} message is empty.")
    return payload


def linear_of(payload: bytes) -> Int16:
    """16-bit little-endian samples. Raises: BadMessage."""
    try:
        return from_bytes(payload)
    except CodecError:
        raise BadMessage("A piece of 16-bit audio has an odd number of bytes.") from None


def has_file_header(payload: bytes) -> bool:
    """Whether it begins as a WAV file does."""
    return payload[:4] == b"RIFF"
