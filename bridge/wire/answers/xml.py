"""Writes the small XML documents that carriers read.

Source: XML 1.0, sections 2.2 (characters), 2.11 and 3.3.3 (what a reader makes of line ends). Values may be foreign:
caller ids with quotes, line ends or control characters. What XML has no way to say becomes U+FFFD.
"""

import re
from collections.abc import Mapping
from typing import Final

from bridge.wire.answers.answer import Answer

CONTENT_TYPE: Final = "text/xml; charset=utf-8"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_UNSAYABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)
_NO_ATTRIBUTES: Final[Mapping[str, str]] = {}


def element(name: str, attributes: Mapping[str, str] = _NO_ATTRIBUTES, *content: str) -> str:
    """An element; attributes with an empty value are left out.

    Args:
        name: of the element, ours.
        attributes: names ours, values foreign: they are escaped here.
        content: finished XML, in order: elements, or `text`.
    """
    pairs = "".join(f' {key}="{text(value)}"' for key, value in attributes.items() if value)
    return f"<{name}{pairs}>{''.join(content)}</{name}>" if content else f"<{name}{pairs}/>"


def parameters_of(values: Mapping[str, str]) -> list[str]:
    """The elements that carry a stream's own parameters, empty ones too; names and values are foreign."""
    return [
        f'<Parameter name="{text(name)}" value="{text(value)}"/>' for name, value in values.items()
    ]


def text(value: str) -> str:
    """Foreign text, to stand in an element or an attribute."""
    return _UNSAYABLE.sub("\ufffd", value).translate(_ESCAPES)


def response(*verbs: str) -> Answer:
    """The document that carriers with XML answers take: what to do, in order."""
    return Answer(f"{_HEAD}{element('Response', _NO_ATTRIBUTES, *verbs)}", CONTENT_TYPE)
