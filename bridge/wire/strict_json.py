"""The one JSON decoder for foreign text.

It takes what RFC 8259 calls JSON and nothing else, within limits: the standard library's decoder
accepts NaN, 1e400, repeated keys and half surrogate pairs, and gives up on deep nesting with a
RecursionError. Ordinary texts are decoded by msgspec after a few counts in C; the exact and slower
looks are taken only where a count says that a limit could be passed.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import msgspec

from bridge.errors import RemoteWireError
from bridge.wire.close_codes import TOO_BIG


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """What is taken at most. A node is a value: the text itself, a list item, a value of a key."""

    max_bytes: int  # of the text in UTF-8
    max_nodes: int
    max_depth: int = 32  # lists and objects inside each other
    max_digits: int = 300  # of one number


MESSAGE: Final = JsonLimits(max_bytes=64 * 1024, max_nodes=1_000)  # one data message
BODY: Final = JsonLimits(max_bytes=1024 * 1024, max_nodes=10_000)  # one REST body

# Atomic, and an open string runs to the end: one pass, whatever the text is.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.|\\\Z)*+"?', re.DOTALL)
_BLANK: Final = re.compile(r"[ \t\r\n]+")
_BRACKET: Final = re.compile(r"[\[\]{}]")
# An odd number of backslashes before it: an even number is text about an escape.
_ESCAPED_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*+\\u0000")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_A_NUMBER: Final = re.compile(r"\b(?:NaN|Infinity)\b")


def decode(text: str | bytes, limits: JsonLimits = MESSAGE) -> object:
    """Decode one JSON text to plain dicts, lists, strings, numbers, booleans and None.

    Raises: RemoteWireError, one sentence that repeats nothing of the text; its close code is 1009
    for a text that is too long.
    """
    text = _as_text(text, limits)
    if _could_exceed(text, limits):
        _refuse_excess(text, limits)
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError as exc:
        raise RemoteWireError(_why_not_json(text, str(exc))) from None
    # Fewer keys than colons: a colon inside a string, or one key twice.
    if text.count(":") != _count_keys(value):
        _refuse_repeated_keys(text)
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise RemoteWireError("the JSON text holds a NUL character")
    return value


def _as_text(text: str | bytes, limits: JsonLimits) -> str:
    try:
        # A character is at least one byte: what has too many characters is not encoded to count.
        if len(text) > limits.max_bytes or utf8_size(text) > limits.max_bytes:
            sentence = f"the JSON text is longer than {limits.max_bytes} bytes"
            raise RemoteWireError(sentence, close_code=TOO_BIG)
        text = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeError:
        raise RemoteWireError("the text is not valid Unicode") from None
    if text.startswith("\ufeff"):
        raise RemoteWireError("the JSON text begins with a byte order mark")
    return text


def utf8_size(text: str | bytes) -> int:
    """Bytes of the text in UTF-8. Raises: UnicodeEncodeError for half a surrogate pair."""
    return len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode("utf-8"))


def _could_exceed(text: str, limits: JsonLimits) -> bool:
    """Upper bounds, strings not told apart from structure; almost always False."""
    containers = text.count("{") + text.count("[")
    return (
        containers > limits.max_depth
        or containers + text.count(",") + 1 > limits.max_nodes
        or (
            len(text) > limits.max_digits
            and _long_number(limits.max_digits).search(text) is not None
        )
    )


@cache
def _long_number(max_digits: int) -> re.Pattern[str]:
    # The look-behind starts one try per run of such characters, not one per character.
    return re.compile(rf"(?<![0-9.eE+\-])[0-9.eE+\-]{{{max_digits + 1},}}")


def _refuse_excess(text: str, limits: JsonLimits) -> None:
    """Count exactly, before anything is built. Exact for JSON; what is no JSON fails anyway."""
    bare = _BLANK.sub("", _STRING.sub('""', text))
    containers = bare.count("{") + bare.count("[")
    empty = bare.count("{}") + bare.count("[]")
    if 1 + bare.count(",") + containers - empty > limits.max_nodes:
        raise RemoteWireError(f"the JSON text holds more than {limits.max_nodes} values")
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > limits.max_depth:
            raise RemoteWireError(f"the JSON text is nested deeper than {limits.max_depth} levels")
    for number in _long_number(limits.max_digits).finditer(bare):
        if sum(map(number[0].count, "0123456789")) > limits.max_digits:
            raise RemoteWireError(f"a number has more than {limits.max_digits} digits")


def _count_keys(value: object) -> int:
    """All keys of all objects; never deeper than the depth already checked."""
    if isinstance(value, dict):
        return len(value) + sum(map(_count_keys, filter(_is_container, value.values())))
    if isinstance(value, list):
        return sum(map(_count_keys, filter(_is_container, value)))
    return 0


def _is_container(value: object) -> bool:
    return isinstance(value, (dict, list))


def _refuse_repeated_keys(text: str) -> None:
    def unique(pairs: list[tuple[str, object]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise RemoteWireError("an object of the JSON text has the same key twice")

    json.loads(text, object_pairs_hook=unique)


def _why_not_json(text: str, detail: str) -> str:
    if "\0" in text:
        return "the JSON text holds a NUL character"
    cut_off = "truncated" in detail  # said of half a pair at the end of a string, too
    if "surrogate" in detail or (cut_off and _SURROGATE.search(text)):
        return "a string of the JSON text holds half a surrogate pair"
    if cut_off:
        return "the JSON text is cut off"
    if "out of range" in detail:
        return "a number of the JSON text is too large"
    if _NOT_A_NUMBER.search(_STRING.sub('""', text)):
        return "NaN and Infinity are not JSON"
    return "the text is not JSON"
