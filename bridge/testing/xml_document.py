"""Answer documents in XML, read as a carrier reads them: bounded, without a document type."""

from typing import Final
from xml.etree import ElementTree as Xml

from bridge.testing.verbs import DocumentError

MAX_BYTES: Final = 64 * 1024


def read_xml(body: bytes, root: str) -> Xml.Element:
    """The root element. Raises: DocumentError with a sentence."""
    if len(body) > MAX_BYTES:
        raise DocumentError(f"The answer is larger than {MAX_BYTES // 1024} KiB.")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise DocumentError("The answer has a document type, which is not taken.")
    try:
        element = Xml.fromstring(body)  # noqa: S314 - bounded, and no entities can be in it
    except Xml.ParseError as error:
        line, column = error.position
        where = f"line {line}, column {column + 1}"
        raise DocumentError(f"The answer is no XML: {_why(error)} in {where}.") from None
    except (ValueError, LookupError):  # an encoding that is none
        raise DocumentError("The answer is no XML: its encoding is unknown.") from None
    if element.tag != root:
        raise DocumentError(f"The answer's outermost element is <{element.tag}>, not <{root}>.")
    return element


def text_of(element: Xml.Element) -> str:
    """An element's own text, without blanks around it."""
    return (element.text or "").strip()


def number_of(element: Xml.Element, name: str, default: float) -> float:
    """An attribute as a number that is not negative; the default where it is none."""
    try:
        value = float(element.get(name, default))
    except ValueError:
        return default
    return value if 0 <= value <= 86_400 else default


def _why(error: Xml.ParseError) -> str:
    return str(error).partition(":")[0]
