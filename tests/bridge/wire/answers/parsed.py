"""Documents as a reader sees them, for comparing ours with the vendors' own."""

from typing import Any, TypeAlias
from xml.etree import ElementTree

Seen: TypeAlias = tuple[str, dict[str, str], str, list[Any]]

HOSTILE = [
    "+1 (415) 867-5309",
    'quote" onerror="x',
    "apostrophe'",
    "</Stream></Connect><Dial>+1900</Dial>",
    "a & b &amp; <!--",
    "]]>",
    "line\r\nend\rtwo\nthree\ttab",
    "\u202eright to left\u2066",
    "漢字 🙂 é",
    "  blanks  ",
    "${x} {{y}} %s",
]
UNSAYABLE = ["\0nul", "\x0b\x1b[31m", "half \ud83d pair", "\ufffe\uffff"]


def seen(document: str) -> Seen:
    """The document as name, attributes, text and children; raises what the reader raises."""
    return _seen(ElementTree.fromstring(document.encode()))


def _seen(node: ElementTree.Element) -> Seen:
    text = node.text or ""
    text = "" if len(node) and text.isspace() else text  # indentation
    return node.tag, dict(node.attrib), text, [_seen(child) for child in node]
