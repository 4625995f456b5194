"""The client's end of LiveKit signalling."""

import pytest

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.livekit.client_session import FROM_SERVER, ClientSession
from bridge.wire.livekit.events import (
    AnswerReceived,
    Candidate,
    IceServer,
    Ignored,
    Joined,
    Left,
    Muted,
    OfferReceived,
    PongReceived,
    Refused,
    SectionsWanted,
    TokenRefreshed,
    TrackPublished,
)
from tests.fakes.livekit_frames import CANDIDATE, read_request, response

JOIN = {
    "room": {"name": "room"},
    "participant": {"sid": "PA_me", "identity": "me", "permission": {"canPublish": True}},
    "otherParticipants": [{"identity": "agent"}],
    "pingInterval": 5,
    "pingTimeout": 15,
    "iceServers": [{"urls": ["stun:127.0.0.1:1"], "username": "u", "credential": "c"}],
    "serverInfo": {"version": "1.9.0"},
}
TRICKLE = {"candidateInit": CANDIDATE}


def test_a_join_says_where_we_are() -> None:
    session = ClientSession("v1")

    assert session.receive(response(join=JOIN), 0.0) == [
        Joined(
            room="room",
            sid="PA_me",
            identity="me",
            others=("agent",),
            can_publish=True,
            ping_interval_s=5,
            ping_timeout_s=15,
            ice_servers=(IceServer(("stun:127.0.0.1:1",), "u", "c"),),
            subscriber_primary=False,
            server_version="1.9.0",
        )
    ]
    assert session.joined


def test_an_older_server_says_its_version_elsewhere_and_negative_times_are_none() -> None:
    old = {"serverVersion": "0.15", "pingInterval": -5, "pingTimeout": -1}
    [joined] = ClientSession("v0").receive(response(join=old), 0.0)

    assert isinstance(joined, Joined)
    assert joined.server_version == "0.15"
    assert (joined.ping_interval_s, joined.ping_timeout_s) == (0, 0)


def test_we_join_once() -> None:
    session = ClientSession("v1")
    session.receive(response(join=JOIN), 0.0)

    [told] = session.receive(response(join=JOIN), 0.0)

    assert told == Ignored("bad message", "the server let us join twice")


def test_offers_count_from_one_and_wait_for_each_other() -> None:
    session = ClientSession("v1")
    first = session.first_offer("v=0")
    with pytest.raises(LocalWireError, match="another offer is open"):
        session.offer("v=0")
    [answer] = session.receive(
        response(answer={"sdp": "v=1", "id": 1, "midToTrackId": {"0": "TR_a"}}), 0.0
    )

    assert first.id == 1
    assert answer == AnswerReceived(1, "v=1", "publisher", {"0": "TR_a"})
    assert read_request(session.offer("v=0"))["offer"]["id"] == 2


def test_an_answer_without_an_id_is_to_the_open_offer() -> None:
    session = ClientSession("v0")
    session.offer("v=0")

    assert session.receive(response(answer={"sdp": "v=1"}), 0.0) == [
        AnswerReceived(1, "v=1", "publisher", {})
    ]


@pytest.mark.parametrize("offers", [0, 1])
def test_an_answer_to_no_offer_of_ours_is_told(offers: int) -> None:
    session = ClientSession("v0")
    for _ in range(offers):
        session.offer("v=0")

    [told] = session.receive(response(answer={"sdp": "v=1", "id": 9}), 0.0)

    assert told == Ignored("bad message", "an answer came that nobody asked for")


def test_a_server_offers_in_v0_and_gets_its_answer_once() -> None:
    session = ClientSession("v0")

    assert session.receive(response(offer={"sdp": "v=0", "id": 3}), 0.0) == [
        OfferReceived(3, "v=0", "subscriber")
    ]
    answer = read_request(session.answer(3, "v=1"))["answer"]
    assert answer == {"type": "answer", "sdp": "v=1", "id": 3}
    with pytest.raises(LocalWireError, match="did not get"):
        session.answer(3, "v=1")


def test_a_server_that_offers_in_v1_is_told() -> None:
    [told] = ClientSession("v1").receive(response(offer={"sdp": "v=0"}), 0.0)

    assert isinstance(told, Ignored)


def test_candidates_wait_for_the_description_of_their_connection() -> None:
    session = ClientSession("v0")
    session.offer("v=0")
    subscriber = response(trickle={**TRICKLE, "target": "SUBSCRIBER"})
    assert session.receive(response(trickle=TRICKLE), 0.0) == []
    assert session.receive(subscriber, 0.0) == []

    answered = session.receive(response(answer={"sdp": "v=1", "id": 1}), 0.0)
    offered = session.receive(response(offer={"sdp": "v=0", "id": 1}), 0.0)

    assert answered[1:] == [Candidate("publisher", CANDIDATE)]
    assert offered[1:] == [Candidate("subscriber", CANDIDATE)]


def test_candidates_by_the_thousand_cost_no_memory() -> None:
    session = ClientSession("v1")
    for _ in range(1_000):
        session.receive(response(trickle=TRICKLE), 0.0)
    session.first_offer("v=0")

    events = session.receive(response(answer={"sdp": "v=1", "id": 1}), 0.0)

    assert len(events) == 51


def test_a_microphone_is_announced_and_known_by_its_sid() -> None:
    session = ClientSession("v1")
    asked = read_request(session.add_track("cid", "microphone"))["addTrack"]

    assert asked == {
        "cid": "cid",
        "name": "microphone",
        "source": "MICROPHONE",
        "disableDtx": True,
        "disableRed": True,
    }
    published = response(trackPublished={"cid": "cid", "track": {"sid": "TR_1"}})
    assert session.receive(published, 0.0) == [TrackPublished("cid", "TR_1")]


def test_what_else_a_server_says_is_understood() -> None:
    session = ClientSession("v1")

    def told(**message: object) -> list[object]:
        return list(session.receive(response(**message), 0.0))

    assert told(mute={"sid": "TR_1", "muted": True}) == [Muted("TR_1", True)]
    assert told(pongResp={"lastPingTimestamp": 5}) == [PongReceived(5)]
    assert told(refreshToken="t.o.k") == [TokenRefreshed("t.o.k")]
    assert told(mediaSectionsRequirement={"numAudios": 2}) == [SectionsWanted(2, 0)]
    assert told(mediaSectionsRequirement={"numAudios": 2**32 - 1}) == [SectionsWanted(16, 0)]
    assert told(requestResponse={"reason": "QUEUED", "addTrack": {}}) == []
    assert told(update={}) == [Ignored("message without use", "update means nothing here")]


def test_a_refusal_is_one_sentence_with_the_servers_words_escaped() -> None:
    said = {"reason": "NOT_ALLOWED", "message": "no \x1b[31m" + "x" * 500, "addTrack": {}}
    [refused] = ClientSession("v1").receive(response(requestResponse=said), 0.0)

    assert isinstance(refused, Refused)
    assert refused.sentence.startswith("the server refused add_track, saying 'no \\x1b[31mxxx")
    assert len(refused.sentence) < 300


@pytest.mark.parametrize(
    ("leave", "action"),
    [
        ({}, "disconnect"),
        ({"action": "RECONNECT"}, "reconnect"),
        ({"action": "RESUME"}, "resume"),
        ({"canReconnect": True}, "reconnect"),
        ({"action": 99}, "disconnect"),
    ],
)
def test_a_leave_says_what_we_shall_do(leave: dict[str, object], action: str) -> None:
    session = ClientSession("v1")
    [left] = session.receive(response(leave={"reason": "SERVER_SHUTDOWN", **leave}), 0.0)

    assert isinstance(left, Left)
    assert (left.reason, left.action) == ("server_shutdown", action)
    [late] = session.receive(response(pong="1"), 0.0)
    assert isinstance(late, Ignored)


def test_a_reason_that_is_newer_than_we_are_is_unknown() -> None:
    [left] = ClientSession("v1").receive(response(leave={"reason": 999}), 0.0)

    assert left == Left("unknown_reason", "disconnect")


def test_our_requests_are_written_exactly() -> None:
    session = ClientSession("v1")

    assert read_request(session.mute("TR_1", muted=True)) == {
        "mute": {"sid": "TR_1", "muted": True}
    }
    assert read_request(session.track_setting(["TR_2"], disabled=True)) == {
        "trackSetting": {"trackSids": ["TR_2"], "disabled": True}
    }
    assert read_request(session.ping(123, 4)) == {"pingReq": {"timestamp": "123", "rtt": "4"}}
    assert read_request(session.trickle("subscriber", "{}")) == {
        "trickle": {"candidateInit": "{}", "target": "SUBSCRIBER"}
    }
    assert read_request(session.leave()) == {"leave": {"reason": "CLIENT_INITIATED"}}


def test_a_server_may_say_much_and_a_flood_ends_the_session() -> None:
    session = ClientSession("v1")
    for _ in range(2_000):
        session.receive(response(update={}), 0.0)

    with pytest.raises(RemoteWireError, match="the server's side sent over 200"):
        session.receive(response(update={}), 0.0)


def test_a_message_of_512_kib_is_read_and_a_larger_one_ends_the_session() -> None:
    session = ClientSession("v1")
    [told] = session.receive(b"\xff" * FROM_SERVER.message_bytes, 0.0)
    assert isinstance(told, Ignored)

    with pytest.raises(RemoteWireError, match="has over 524288 bytes"):
        session.receive(b"\xff" * (FROM_SERVER.message_bytes + 1), 0.0)


def test_an_answer_over_64_kib_ends_the_session() -> None:
    session = ClientSession("v1")
    session.first_offer("v=0")

    with pytest.raises(RemoteWireError, match="the server's session description has over 65536"):
        session.receive(response(answer={"sdp": "v" * 65_537, "id": 1}), 0.0)


def test_text_frames_count_as_bad_messages() -> None:
    session = ClientSession("v1")
    for _ in range(9):
        session.receive_text(0.0)

    with pytest.raises(RemoteWireError, match="10 bad"):
        session.receive_text(0.0)
