"""Joins as clients of the trade make them, replayed through the server's role; sources in the files' first lines."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from livekit.protocol import rtc

from bridge.wire.livekit.events import AddTrack, OfferReceived, Send, ServerEvent
from bridge.wire.livekit.join_request import JoinRequest, read_join
from bridge.wire.livekit.names import room_names
from bridge.wire.livekit.server_session import ServerSession
from tests.bridge.wire.livekit.test_join_request import packed
from tests.fakes.livekit_frames import read_response, request

FOLDER = Path(__file__).parents[3] / "data" / "livekit"
JOINS = sorted(FOLDER.glob("join_*.jsonl"))


class Replay:
    """A server session that answers as a room does."""

    def __init__(self) -> None:
        self.session: ServerSession | None = None

    def step(self, line: dict[str, Any]) -> list[ServerEvent]:
        if "join" in line or "query" in line:
            asked = _join(line)
            source = random.Random(1)
            self.session = ServerSession(asked.version, room_names("call", source), source)
            events = self.session.begin(asked, 0.0)
            if asked.version == "v0":
                self.session.offer("v=0", mid="0")
        else:
            assert self.session is not None
            events = self.session.receive(request(**line["request"]), 0.0)
        for event in events:
            self._answer(event)
        return events

    def _answer(self, event: ServerEvent) -> None:
        assert self.session is not None
        match event:
            case OfferReceived(id=offer_id):
                answer = read_response(self.session.answer(offer_id, "v=0", mid="0"))["answer"]
                assert answer.get("id", 0) == offer_id
            case AddTrack(cid=cid):
                told = read_response(self.session.track_published(event))["trackPublished"]
                assert told["cid"] == cid
            case Send(data=data):
                read_response(data)
            case _:
                pass


def _join(line: dict[str, Any]) -> JoinRequest:
    if "query" in line:
        asked = read_join("v0", line["query"])
    else:
        content = ParseDict(line["join"], rtc.JoinRequest()).SerializeToString()
        asked = read_join("v1", packed(content))
    assert isinstance(asked, JoinRequest)
    return asked


@pytest.mark.parametrize("path", JOINS, ids=lambda path: path.stem)
def test_a_join_of_another_client_is_understood_line_by_line(path: Path) -> None:
    about, *lines = map(json.loads, path.read_text("utf-8").splitlines())
    replay = Replay()

    for line in lines:
        assert [type(event).__name__ for event in replay.step(line)] == line["gives"]

    assert set(about) == {"about", "source", "date"}


def test_there_are_joins_of_both_versions() -> None:
    assert {path.stem.rpartition("_")[2] for path in JOINS} == {"v0", "v1"}
