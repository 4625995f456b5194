"""Answer documents of the TwiML family, as far as a call with a media stream needs them.

Twilio's own (twilio.com/docs/voice/twiml) and Telnyx's TeXML, which differs in what its <Stream> takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from bridge.testing.call_log import CallLog
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

LONG_PAUSE_S: Final = 20.0
_XML_TYPES: Final = frozenset({"text/xml", "application/xml", "text/html"})
_NOT_PLAYED: Final = frozenset(
    {"Gather", "Record", "Enqueue", "Leave", "Pay", "Prompt", "Refer", "Sms"}
)


@dataclass(frozen=True, slots=True)
class Family:
    """What differs from one carrier's documents to another's."""

    name: str
    stream_attributes: frozenset[str]
    tracks: frozenset[str]
    """Of a stream both ways."""
    max_parameter: int
    """Name and value of a parameter together stay under this many characters."""


TWIML: Final = Family(
    "TwiML",
    frozenset({"url", "name", "track", "connectorName", "statusCallback", "statusCallbackMethod"}),
    frozenset({"inbound_track"}),
    500,
)


def read_answer(answer: WebhookAnswer, log: CallLog, family: Family = TWIML) -> list[Verb]:
    """The verbs of an answered webhook. Raises: DocumentError with Twilio's error number."""
    if not 200 <= answer.status < 300:
        raise DocumentError(f"The answer URL answered with {answer.status}.", "11200")
    if answer.content_type not in _XML_TYPES:
        raise DocumentError(
            f"The answer's Content-Type is {answer.content_type or 'missing'}, not text/xml.",
            "12300",
        )
    return read_twiml(answer.body, log, family)


def read_twiml(body: bytes, log: CallLog, family: Family = TWIML) -> list[Verb]:
    """The verbs of a document. Raises: DocumentError."""
    try:
        root = read_xml(body, "Response")
    except DocumentError as error:
        raise DocumentError(str(error), "12100") from None
    verbs: list[Verb] = []
    for element in root:
        verbs.extend(_verbs(element, log, family))
    _look_at_the_end(verbs, log)
    return verbs


def _verbs(element: Element, log: CallLog, family: Family) -> list[Verb]:
    read = _READ.get(element.tag)
    if read is not None:
        return [read(element)]
    if element.tag == "Connect":
        return [_stream(child, log, family) for child in element if _is_stream(child, log)]
    if element.tag == "Start":
        log.problem(
            "<Start><Stream> listens only: nothing that the application sends on it is heard. Use <Connect>."
        )
    elif element.tag in _NOT_PLAYED:
        log.remark(f"<{element.tag}> is not played by this emulator: it is left out.")
    else:
        log.problem(f"{family.name} has no verb <{element.tag}> (warning 12200).")
    return []


def _is_stream(element: Element, log: CallLog) -> bool:
    if element.tag != "Stream":
        log.remark(f"<Connect><{element.tag}> is not played by this emulator: it is left out.")
    return element.tag == "Stream"


def _stream(element: Element, log: CallLog, family: Family) -> Stream:
    for name in sorted(set(element.attrib) - family.stream_attributes):
        log.problem(f"<Stream> has no attribute “{name}” (warning 12200).")
    if element.get("track", "inbound_track") not in family.tracks:
        log.problem(f"<Connect><Stream> knows the track {' '.join(sorted(family.tracks))} only.")
    parameters = {}
    for child in element:
        name, value = child.get("name", ""), child.get("value", "")
        if child.tag != "Parameter" or not name:
            log.problem("<Stream> takes <Parameter name= value=> and nothing else.")
            continue
        if len(name) + len(value) >= family.max_parameter:
            log.problem(
                f"The parameter “{name[:40]}” and its value are not under {family.max_parameter} characters."
            )
        parameters[name] = value
    return Stream(element.get("url", "").strip(), parameters, dict(element.attrib))


def _dialled(element: Element) -> str:
    children = [text_of(child) for child in element]
    return next((text for text in [text_of(element), *children] if text), "nobody")


def _play(element: Element) -> Verb:
    digits = element.get("digits")
    return PlayKeys(digits) if digits else PlayRecording(text_of(element))


def _look_at_the_end(verbs: list[Verb], log: CallLog) -> None:
    """The trap of old samples: a pause after the stream keeps callers on a dead line."""
    after_stream = False
    for verb in verbs:
        if after_stream and isinstance(verb, Pause) and verb.seconds >= LONG_PAUSE_S:
            log.problem(
                f"A <Pause> of {verb.seconds:g} s stands behind the stream: the caller is left on a dead line so long "
                "once the application has closed its socket."
            )
        after_stream = after_stream or isinstance(verb, Stream)


_READ: Final[Mapping[str, Callable[[Element], Verb]]] = {
    "Play": _play,
    "Say": lambda element: Say("".join(element.itertext()).strip()),
    "Pause": lambda element: Pause(number_of(element, "length", 1.0)),
    "Dial": lambda element: Dial(_dialled(element)),
    "Reject": lambda element: Reject("busy" if element.get("reason") == "busy" else "no-answer"),
    "Hangup": lambda _element: Leave(),
    "Redirect": lambda element: Redirect(text_of(element), element.get("method", "POST").upper()),
}
