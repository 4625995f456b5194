"""The two roles talk to each other, and what they say is what stands in tests/data/livekit/our_*.jsonl."""

import json
import random
from pathlib import Path

import pytest

from bridge.wire.livekit.client_session import ClientSession
from bridge.wire.livekit.events import (
    AddTrack,
    AnswerReceived,
    Candidate,
    ClientEvent,
    Ignored,
    Joined,
    Left,
    Muted,
    OfferReceived,
    PongReceived,
    Send,
    ServerEvent,
    TrackPublished,
    TrackSetting,
    Version,
)
from bridge.wire.livekit.join_request import JoinRequest, read_join
from bridge.wire.livekit.join_url import signal_url
from bridge.wire.livekit.names import room_names
from bridge.wire.livekit.server_session import ServerSession
from tests.bridge.wire.livekit.test_join_url import query_of
from tests.fakes.livekit_frames import CANDIDATE, Fields, read_request, read_response

FOLDER = Path(__file__).parents[3] / "data" / "livekit"


class Talk:
    """A server and a client joined without a network; every frame is written down."""

    def __init__(self, version: Version) -> None:
        source = random.Random(5)
        self.version = version
        self.server = ServerSession(version, room_names("call-1", source), source)
        self.client = ClientSession(version)
        self.frames: list[Fields] = []

    def join(self) -> tuple[list[ServerEvent], list[ClientEvent]]:
        offer = self.client.first_offer("client offer") if self.version == "v1" else None
        query = query_of(signal_url("ws://127.0.0.1:1", self.version, "token", offer))
        request = read_join(self.version, query)
        assert isinstance(request, JoinRequest)
        first, *rest = self.server.begin(request, 0.0)
        assert isinstance(first, Send)
        return rest, self.to_client(first.data)

    def to_client(self, data: bytes) -> list[ClientEvent]:
        self.frames.append({"server": read_response(data)})
        return self.client.receive(data, 0.0)

    def to_server(self, data: bytes) -> list[ServerEvent]:
        self.frames.append({"client": read_request(data)})
        events = self.server.receive(data, 0.0)
        for event in events:
            if isinstance(event, Send):
                self.answers = self.to_client(event.data)
        return events


def publish(talk: Talk) -> str:
    """The client announces its microphone and offers; the SID that it gets."""
    [track] = talk.to_server(talk.client.add_track("mic", "microphone"))
    assert isinstance(track, AddTrack)
    [published] = talk.to_client(talk.server.track_published(track))
    assert isinstance(published, TrackPublished)
    [offer] = talk.to_server(talk.client.offer("client offer with a microphone"))
    assert isinstance(offer, OfferReceived)
    [answer] = talk.to_client(talk.server.answer(offer.id, "server answer"))
    assert isinstance(answer, AnswerReceived)
    assert answer.id == offer.id
    return published.sid


def talk_of(version: Version) -> Talk:
    talk = Talk(version)
    rest, joined = talk.join()
    assert [type(event) for event in joined] == [Joined]
    track_sid = talk.server.names.agent_track_sid
    if version == "v1":
        [offer] = rest
        assert isinstance(offer, OfferReceived)
        [answer] = talk.to_client(talk.server.answer(offer.id, "server answer", mid="0"))
        assert isinstance(answer, AnswerReceived)
        assert answer.track_sids == {"0": track_sid}
    else:
        [asked] = talk.to_client(talk.server.offer("server offer", mid="0"))
        assert isinstance(asked, OfferReceived)
        [back] = talk.to_server(talk.client.answer(asked.id, "client answer"))
        assert isinstance(back, AnswerReceived)
        assert talk.to_server(talk.client.trickle("subscriber", CANDIDATE)) == [
            Candidate("subscriber", CANDIDATE)
        ]
    sid = publish(talk)
    assert talk.to_client(talk.server.trickle("publisher", CANDIDATE)) == [
        Candidate("publisher", CANDIDATE)
    ]
    assert talk.to_server(talk.client.mute(sid, muted=True)) == [Muted(sid, True)]
    silence = talk.client.track_setting([track_sid], disabled=True)
    assert talk.to_server(silence) == [TrackSetting(True)]
    talk.to_server(talk.client.ping(1_000, 20))
    assert talk.answers == [PongReceived(1_000)]
    assert talk.to_server(talk.client.leave()) == [Left("client_initiated", "disconnect")]
    return talk


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_whole_call_says_frame_by_frame_what_is_written_down(version: Version) -> None:
    talk = talk_of(version)

    text = (FOLDER / f"our_{version}.jsonl").read_text("utf-8")
    about, *lines = map(json.loads, text.splitlines())

    assert set(about) == {"about", "source", "date"}
    assert talk.frames == lines


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_neither_role_ignores_anything_of_the_other(version: Version) -> None:
    talk = Talk(version)
    events: list[object] = []
    receive_client, receive_server = talk.client.receive, talk.server.receive

    def of_client(data: bytes, now_s: float) -> list[ClientEvent]:
        got = receive_client(data, now_s)
        events.extend(got)
        return got

    def of_server(data: bytes, now_s: float) -> list[ServerEvent]:
        got = receive_server(data, now_s)
        events.extend(got)
        return got

    talk.client.receive = of_client  # type: ignore[method-assign]
    talk.server.receive = of_server  # type: ignore[method-assign]
    talk.join()
    if version == "v1":
        talk.to_client(talk.server.answer(1, "server answer", mid="0"))
    publish(talk)

    assert len(events) == (6 if version == "v1" else 5)
    assert not any(isinstance(event, Ignored) for event in events)
