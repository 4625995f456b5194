"""Whatever an application sends, an emulator says what is wrong with it and goes on, or ends that one call."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ids import Ids
from bridge.testing.call_log import CallLog
from bridge.testing.carriers import forks
from bridge.testing.carriers.asterisk import AsteriskMedia
from bridge.testing.carriers.audiosocket import AudioSocketMedia
from bridge.testing.carriers.exotel.media import ExotelMedia
from bridge.testing.carriers.exotel.media import StartFacts as ExotelFacts
from bridge.testing.carriers.genesys.media import GenesysMedia, Session
from bridge.testing.carriers.plivo.document import read_answer as read_plivo
from bridge.testing.carriers.plivo.media import PlivoMedia, StreamFacts
from bridge.testing.carriers.telnyx.media import Format, StartFacts, TelnyxMedia
from bridge.testing.carriers.telnyx.stream_fields import stream_of
from bridge.testing.carriers.twilio.media import StreamIds, TwilioMedia
from bridge.testing.carriers.twiml import read_answer as read_twiml
from bridge.testing.carriers.vonage.media import VonageMedia
from bridge.testing.carriers.vonage.ncco import read_ncco
from bridge.testing.commands import (
    Answer,
    Clear,
    Command,
    Dialect,
    Digits,
    DropMarks,
    EndStream,
    HangUp,
    Hold,
    Mark,
    Play,
    Wrong,
)
from bridge.testing.signing.vonage import claims_of
from bridge.testing.verbs import DocumentError, Verb
from bridge.testing.webhook import WebhookAnswer

COMMANDS = Answer | Clear | Digits | DropMarks | EndStream | HangUp | Hold | Mark | Play | Wrong
SESSION = Session("s", "o", "c", "p", "1", "2", stereo=True, input_variables={})


def telnyx(codec: Any = "PCMU") -> TelnyxMedia:
    facts = StartFacts("s", "u", "c", "cs", "1", "2")
    audio = Format(codec, codec, 16_000, "rtp", "self")
    return TelnyxMedia(facts, audio, None, lambda: "now")


MAKERS: dict[str, Callable[[], Dialect]] = {
    "twilio": lambda: TwilioMedia(StreamIds("a", "c", "s")),
    "telnyx": telnyx,
    "telnyx opus": lambda: telnyx("OPUS"),
    "telnyx l16": lambda: telnyx("L16"),
    "plivo": lambda: PlivoMedia(StreamFacts("c", "s", "a", "audio/x-l16", 8_000, "a=b"), lambda: 1),
    "exotel": lambda: ExotelMedia(ExotelFacts("s", "c", "a", "1", "2")),
    "vonage": lambda: VonageMedia("audio/l16;rate=8000", {}, 1_024),
    "genesys": lambda: GenesysMedia(SESSION, lambda: 0.0),
    "asterisk": lambda: AsteriskMedia("slin", {}, Ids("s"), json_control=False),
    "jambonz": lambda: forks.ForkedMedia(
        forks.Habits("jambonz", binary_back=True, marks=True), {}, 8_000
    ),
    "audio_stream": lambda: forks.ForkedMedia(forks.AudioStream.habits, {}, 8_000),
}
every_dialect = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())

PAYLOADS = st.binary(max_size=700).map(lambda data: base64.b64encode(data).decode())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**40),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    PAYLOADS,
    st.sampled_from(["s", "audio/x-l16", "raw", "2", "8000"]),
)
NAMES = st.sampled_from(
    [
        "media",
        "mark",
        "name",
        "payload",
        "data",
        "audioData",
        "entities",
        "type",
        "digits",
        "dtmf",
        "contentType",
        "sampleRate",
        "audioDataType",
        "channels",
        "parameters",
        "id",
        "version",
    ]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)
EVENTS = st.sampled_from(
    [
        "media",
        "mark",
        "clear",
        "playAudio",
        "checkpoint",
        "clearAudio",
        "sendDTMF",
        "notify",
        "opened",
        "event",
        "disconnect",
        "closed",
        "pong",
        "killAudio",
        "clearMarks",
        "streamAudio",
        "MARK_MEDIA",
        "FLUSH_MEDIA",
        "STOP_MEDIA_BUFFERING",
        "GET_STATUS",
        "start",
        "?",
    ]
)


@st.composite
def json_messages(draw: st.DrawFn) -> str:
    message = {
        draw(st.sampled_from(["event", "action", "type", "command"])): draw(EVENTS),
        draw(st.sampled_from(["streamSid", "streamId", "stream_sid", "id"])): draw(LEAVES),
        **draw(st.dictionaries(NAMES, VALUES, max_size=5)),
    }
    return json.dumps(message)


MESSAGES = st.one_of(
    json_messages(),
    st.text(max_size=60),
    st.binary(max_size=700),
    VALUES.map(json.dumps),
    EVENTS,
)


def check(commands: Sequence[Command], dialect: Dialect) -> None:
    for command in commands:
        assert isinstance(command, COMMANDS)
        if isinstance(command, Wrong):
            assert command.sentence.endswith(".")
        if isinstance(command, Mark):
            dialect.reached(command.name)
        if isinstance(command, Play):
            assert command.samples.dtype == "int16"


@every_dialect
@settings(max_examples=60, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=8))
def test_a_dialect_reads_whatever_comes(
    make: Callable[[], Dialect], messages: list[str | bytes]
) -> None:
    dialect = make()
    dialect.opening()
    for message in messages:
        check(dialect.read(message), dialect)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=8))
def test_audiosocket_reads_whatever_comes(pieces: list[bytes]) -> None:
    dialect = AudioSocketMedia(UUID(int=1), 0x10, None)
    for piece in pieces:
        check(dialect.read(piece), dialect)


TAGS = st.sampled_from(
    [
        "Response",
        "Connect",
        "Stream",
        "Parameter",
        "Play",
        "Say",
        "Pause",
        "Dial",
        "Number",
        "Reject",
        "Hangup",
        "Redirect",
        "Start",
        "Wait",
        "Speak",
        "DTMF",
        "Dance",
    ]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["url", "name", "value", "length", "reason", "digits", "track", "extraHeaders"]
    ),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=12),
    max_size=3,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    from xml.sax.saxutils import escape, quoteattr

    tag = "Response" if depth == 0 else draw(TAGS)
    attributes = "".join(f" {k}={quoteattr(v)}" for k, v in draw(ATTRIBUTES).items())
    inner = escape(draw(st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8)))
    if depth < 3:
        inner += "".join(draw(elements(depth + 1)) for _ in range(draw(st.integers(0, 3))))
    return f"<{tag}{attributes}>{inner}</{tag}>"


DOCUMENTS = st.one_of(
    elements().map(str.encode),
    st.binary(max_size=200),
    st.tuples(elements(), st.integers(0, 200)).map(lambda cut: cut[0].encode()[: cut[1]]),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(
        st.dictionaries(st.sampled_from(["action", "endpoint", "text"]), VALUES), max_size=3
    ).map(lambda actions: json.dumps(actions).encode()),
)


@pytest.mark.parametrize("kind", ["twiml", "plivo", "ncco"])
@settings(max_examples=60, deadline=None)
@given(body=DOCUMENTS)
def test_a_document_is_verbs_or_a_sentence(kind: str, body: bytes) -> None:
    log = CallLog(lambda: 0.0)
    said = verbs_or_sentence(kind, body, log)
    assert not isinstance(said, str) or said.endswith(".")
    assert all(sentence.endswith(".") for sentence in log.problems)


def verbs_or_sentence(kind: str, body: bytes, log: CallLog) -> Sequence[Verb] | str:
    read = {"twiml": read_twiml, "plivo": read_plivo}.get(kind)
    try:
        if read is None:
            return read_ncco(body, log)
        return read(WebhookAnswer(200, "text/xml", body), log)
    except DocumentError as error:
        return str(error)


def test_a_document_with_entities_is_not_read() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "y">]><Response>&x;</Response>'
    with pytest.raises(DocumentError, match="document type"):
        read_twiml(WebhookAnswer(200, "text/xml", bomb), CallLog(lambda: 0.0))


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_a_telnyx_command_asks_for_a_stream_or_for_none(fields: Any) -> None:
    given = fields if isinstance(fields, dict) else {"stream_url": fields}
    found = stream_of({**given, "custom_parameters": fields})
    assert found is None or found.url


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_a_token_is_claims_or_none(token: str) -> None:
    assert claims_of(token, "") is None or isinstance(claims_of(token, ""), dict)
