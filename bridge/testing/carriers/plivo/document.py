"""Plivo XML as far as a call with a stream needs it (plivo.com/docs/voice/xml)."""

from collections.abc import Callable, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from bridge.testing.call_log import CallLog
from bridge.testing.carriers.plivo.media import CONTENT_TYPES
from bridge.testing.verbs import (
    Dial,
    DocumentError,
    Leave,
    Pause,
    PlayKeys,
    PlayRecording,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
)
from bridge.testing.webhook import WebhookAnswer
from bridge.testing.xml_document import number_of, read_xml, text_of

MAX_EXTRA_BYTES: Final = 512
_ATTRIBUTES: Final = frozenset(
    {
        "bidirectional",
        "audioTrack",
        "streamTimeout",
        "statusCallbackUrl",
        "statusCallbackMethod",
        "contentType",
        "extraHeaders",
        "keepCallAlive",
        "noiseCancellation",
        "noiseCancellationLevel",
    }
)
_NOT_PLAYED: Final = frozenset(
    {"GetInput", "GetDigits", "Record", "Conference", "MultiPartyCall", "Message", "PreAnswer"}
)


def read_answer(answer: WebhookAnswer, log: CallLog) -> list[Verb]:
    """The verbs of an answered webhook. Raises: DocumentError."""
    if not 200 <= answer.status < 300:
        raise DocumentError(f"The answer URL answered with {answer.status}.")
    root = read_xml(answer.body, "Response")
    verbs: list[Verb] = []
    for element in root:
        verb = _verb(element, log)
        if verb is not None:
            verbs.append(verb)
    if verbs and isinstance(verbs[0], Leave) and root[0].get("reason"):
        return [Reject("busy" if root[0].get("reason") == "busy" else "no-answer")]
    _look_at_the_end(verbs, log)
    return verbs


def _verb(element: Element, log: CallLog) -> Verb | None:
    if element.tag == "Stream":
        return _stream(element, log)
    read = _READ.get(element.tag)
    if read is not None:
        return read(element)
    if element.tag in _NOT_PLAYED:
        log.remark(f"<{element.tag}> is not played by this emulator: it is left out.")
    else:
        log.problem(f"Plivo XML has no element <{element.tag}>.")
    return None


def _stream(element: Element, log: CallLog) -> Stream:
    for name in sorted(set(element.attrib) - _ATTRIBUTES):
        log.problem(f"<Stream> has no attribute “{name}”.")
    if element.get("bidirectional") != "true":
        log.problem(
            '<Stream> without bidirectional="true" listens only: nothing sent on it is heard.'
        )
    if element.get("audioTrack", "inbound") != "inbound":
        log.problem('A bidirectional <Stream> takes audioTrack="inbound" only.')
    content_type = element.get("contentType")
    if content_type is None:
        log.problem(
            "<Stream> leaves its contentType open; Plivo's documents disagree on the default: set it."
        )
    elif content_type not in CONTENT_TYPES:
        log.problem(f"<Stream> has a contentType that Plivo does not know: {content_type}.")
    extra = element.get("extraHeaders", "")
    plain = extra.replace("=", "").replace(",", "").replace(" ", "")
    if len(extra.encode()) > MAX_EXTRA_BYTES or (plain and not plain.isalnum()):
        log.problem(
            f"extraHeaders are letters and digits, k=v,k=v, {MAX_EXTRA_BYTES} bytes at most."
        )
    return Stream(text_of(element), {}, dict(element.attrib))


def _look_at_the_end(verbs: list[Verb], log: CallLog) -> None:
    last = verbs[-1] if verbs else None
    if isinstance(last, Stream) and last.options.get("keepCallAlive") != "true":
        log.problem(
            'The document ends with a <Stream> without keepCallAlive="true": Plivo hangs up as soon as the document '
            "is done, while the stream still runs."
        )


def _dialled(element: Element) -> str:
    children = [text_of(child) for child in element]
    return next((text for text in [text_of(element), *children] if text), "nobody")


_READ: Final[Mapping[str, Callable[[Element], Verb]]] = {
    "Play": lambda element: PlayRecording(text_of(element)),
    "Speak": lambda element: Say("".join(element.itertext()).strip()),
    "Wait": lambda element: Pause(number_of(element, "length", 1.0)),
    "Dial": lambda element: Dial(_dialled(element)),
    "DTMF": lambda element: PlayKeys(text_of(element)),
    "Hangup": lambda _element: Leave(),
    "Redirect": lambda element: Redirect(text_of(element), element.get("method", "POST").upper()),
}
