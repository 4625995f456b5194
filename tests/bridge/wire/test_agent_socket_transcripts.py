"""Whole calls as documented and recorded, replayed through both roles at once.

The files in tests/data/agent_socket name their sources in their first line.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.wire.agent_socket import ClearBuffer, Closed, MessageReceived, Role
from bridge.wire.messages import client_message, encode, server_message
from tests.fakes.joined_agent_sockets import RATES, JoinedAgentSockets

FOLDER = Path(__file__).parents[2] / "data" / "agent_socket"
CALLS = sorted(FOLDER.glob("*.jsonl"))
Line = dict[str, Any]


def lines_of(path: Path) -> tuple[Line, list[Line]]:
    about, *lines = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return about, lines


def replay(joined: JoinedAgentSockets, line: Line) -> object:
    role: Role = line["from"]
    if "close" in line:
        [closed] = joined.far(role).receive_close(line["close"])
        return closed
    if "audio_ms" in line:
        rate_hz = RATES.input_hz if role == "client" else RATES.output_hz
        return joined.play(role, np.zeros(rate_hz * line["audio_ms"] // 1000, np.int16))
    read = client_message if role == "client" else server_message
    message = read(line["text"])
    # What is documented is what we write, but for defaults that may be left out.
    assert {**line["text"], **json.loads(encode(message))} == json.loads(encode(message))
    return joined.say(role, message)


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_a_documented_call_is_understood_line_by_line(path: Path) -> None:
    joined = JoinedAgentSockets()
    _, lines = lines_of(path)

    events = [replay(joined, line) for line in lines]

    assert [type(event).__name__ for event in events] == [line["gives"] for line in lines]
    for end in joined.ends.values():
        assert end.counts.ignored.total() == end.counts.refused == end.counts.unknown == 0


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_each_recorded_call_names_its_source_and_date(path: Path) -> None:
    about, lines = lines_of(path)

    assert set(about) == {"about", "source", "date"}
    assert lines


def test_in_an_interruption_the_clear_comes_before_the_state() -> None:
    joined = JoinedAgentSockets()
    _, lines = lines_of(FOLDER / "interruption.jsonl")

    events = [replay(joined, line) for line in lines]
    clears = [n for n, event in enumerate(events) if isinstance(event, ClearBuffer)]

    assert len(clears) == 2
    for clear in clears:
        later = [line["text"] for line in lines[clear:] if "text" in line]
        assert next(text["state"] for text in later if text["type"] == "state") == "listening"


def test_a_call_that_ends_in_order_says_so() -> None:
    for path in CALLS:
        joined = JoinedAgentSockets()
        *_, last = [replay(joined, line) for line in lines_of(path)[1]]

        assert isinstance(last, Closed)
        assert last.orderly


def test_an_sdk_that_sends_only_what_it_must_is_understood() -> None:
    joined = JoinedAgentSockets()
    _, lines = lines_of(FOLDER / "turn_with_tool.jsonl")
    for line in lines[:11]:
        replay(joined, line)
    answer = {"type": "client_tool_result", "invocationId": "call_0123456789abcdefABCDEF01"}

    [event] = joined.ends["server"].receive_text(json.dumps({**answer, "result": "ok"}), 0.0)

    assert event == MessageReceived(client_message({**answer, "result": "ok"}))
