"""Golden transcripts of carriers' sockets, replayed line by line through a machine.

The first line of a file names its source. Each further line is something that the carrier sends (`text`, `binary` in
hex, `audio` of so many zero bytes, or the `close` of its socket) with the events that it `gives`, or a command of ours
(`command` with its argument) with the messages that it `sends`, to the letter. 20 ms pass from line to line.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from bridge.wire.carriers.base import (
    AudioIn,
    CarrierEvent,
    CarrierWire,
    MediaFormat,
    Message,
    Started,
)

FOLDER: Final = Path(__file__).parents[1] / "data" / "carriers"
LINE_S: Final = 0.02
Line = dict[str, Any]


def lines_of(name: str) -> tuple[Line, list[Line]]:
    """What a file says of itself, and its lines."""
    text = (FOLDER / f"{name}.jsonl").read_text("utf-8")
    about, *lines = (json.loads(line) for line in text.splitlines())
    return about, lines


def replay(name: str, wire: CarrierWire) -> None:
    """Play a transcript through a machine; fail at the first line that is not as written."""
    about, lines = lines_of(name)
    assert set(about) == {"about", "source", "date"}
    for number, line in enumerate(lines):
        now_s = 100 + number * LINE_S
        if "command" in line:
            assert (number, sent_by(wire, line)) == (number, line["sends"])
        else:
            events = [told(event) for event in given_by(wire, line, now_s)]
            assert (number, events) == (number, line["gives"])


def sent_by(wire: CarrierWire, line: Line) -> list[object]:
    """The messages that a command sends: text as it is, binary as hex."""
    match line["command"]:
        case "audio":
            messages: tuple[Message, ...] = (wire.audio(bytes.fromhex(line["argument"])),)
        case "mark":
            messages = wire.mark(line["argument"])
        case "digits":
            messages = wire.digits(line["argument"])
        case "clear":
            messages = wire.clear()
        case _:
            messages = wire.hang_up()
    return [message if isinstance(message, str) else {"hex": message.hex()} for message in messages]


def given_by(wire: CarrierWire, line: Line, now_s: float) -> list[CarrierEvent]:
    """The events that a line of the carrier's gives."""
    if "close" in line:
        return wire.receive_close(line["close"], line.get("reason", ""), ours=False)
    if "text" in line:
        text = line["text"]
        return wire.receive_text(text if isinstance(text, str) else json.dumps(text), now_s)
    data = bytes(line["audio"]) if "audio" in line else bytes.fromhex(line["binary"])
    return wire.receive_bytes(data, now_s)


def told(event: CarrierEvent) -> list[object]:
    """An event as it is written in a transcript: its name and what it says."""
    name = type(event).__name__
    if isinstance(event, AudioIn):
        return [name, len(event.payload)]
    if isinstance(event, Started):
        info = {field.name: getattr(event.info, field.name) for field in fields(event.info)}
        said = {key: value for key, value in info.items() if value}
        return [name, said, _format(event.heard), _format(event.played)]
    values: list[object] = [getattr(event, field.name) for field in fields(event)]
    return [name, *(value for value in values if value != "")]


def _format(media: MediaFormat) -> str:
    return f"{media.encoding} {media.rate_hz} {media.channels}"
