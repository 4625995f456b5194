"""The server's end of LiveKit signalling."""

import pytest

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.livekit.events import (
    AddTrack,
    AnswerReceived,
    Candidate,
    IceServer,
    Ignored,
    Left,
    Muted,
    OfferReceived,
    Send,
    TrackSetting,
)
from bridge.wire.livekit.join_request import Description, JoinRequest
from bridge.wire.livekit.limits import FROM_PEER
from bridge.wire.livekit.server_session import ServerSession
from tests.fakes.livekit_frames import CANDIDATE, Fields, names, read_response, request, server

TRACK = {"cid": "mic-1", "name": "audio", "type": "AUDIO", "source": "MICROPHONE"}


def sent(event: object) -> dict[str, object]:
    assert isinstance(event, Send)
    return read_response(event.data)


def joined(version: str) -> Fields:
    join: Fields = read_response(server(version, joined=False).join())["join"]
    return join


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_the_join_says_what_browsers_need(version: str) -> None:
    join = joined(version)

    assert join["participant"]["permission"]["canPublish"] is True
    assert join["serverVersion"]
    assert (join["pingInterval"], join["pingTimeout"]) == (5, 15)
    assert "fastPublish" not in join


def test_the_join_names_the_agent_and_its_one_audio_track() -> None:
    [agent] = joined("v1")["otherParticipants"]

    assert agent["identity"] == "agent"
    assert agent["sid"].startswith("PA_")
    assert agent["state"] == "ACTIVE"
    [track] = agent["tracks"]
    assert track["sid"] == names().agent_track_sid
    assert (track["source"], track["mimeType"]) == ("MICROPHONE", "audio/opus")


def test_only_v0_makes_the_subscriber_connection_the_primary_one() -> None:
    assert joined("v0")["subscriberPrimary"] is True
    assert "subscriberPrimary" not in joined("v1")


def test_ice_servers_are_told_only_where_there_are_some() -> None:
    turn = IceServer(("turn:127.0.0.1:3478",), "user", "word")
    fresh = server(joined=False)
    session = ServerSession("v1", fresh.names, fresh._source, ice_servers=[turn])

    assert "iceServers" not in joined("v1")
    [told] = read_response(session.join())["join"]["iceServers"]
    assert told == {"urls": ["turn:127.0.0.1:3478"], "username": "user", "credential": "word"}


def test_a_session_joins_once() -> None:
    with pytest.raises(LocalWireError, match="joined already"):
        server().join()


def test_an_offer_in_the_join_request_comes_after_the_join() -> None:
    session = server(joined=False)
    join, offer = session.begin(JoinRequest("v1", publisher_offer=Description(1, "v=0")), 0.0)

    assert "join" in sent(join)
    assert offer == OfferReceived(1, "v=0", "publisher")


def test_an_answer_repeats_the_offers_id_and_names_the_agents_track() -> None:
    session = server()
    session.receive(request(offer={"sdp": "v=0", "id": 7}), 0.0)

    answer = read_response(session.answer(7, "v=1", mid="0"))["answer"]

    assert answer == {
        "type": "answer",
        "sdp": "v=1",
        "id": 7,
        "midToTrackId": {"0": names().agent_track_sid},
    }


def test_offers_without_an_id_are_answered_without_one() -> None:
    session = server()
    session.receive(request(offer={"sdp": "v=0"}), 0.0)

    assert "id" not in read_response(session.answer(0, "v=1"))["answer"]


def test_an_offer_is_answered_once() -> None:
    session = server()
    session.receive(request(offer={"sdp": "v=0", "id": 1}), 0.0)
    session.answer(1, "v=1")

    with pytest.raises(LocalWireError, match="did not get"):
        session.answer(1, "v=1")


def test_candidates_wait_for_their_offer_and_then_come_in_order() -> None:
    session = server("v0")
    first, second = CANDIDATE, CANDIDATE.replace("9", "10")
    for init in (first, second):
        assert session.receive(request(trickle={"candidateInit": init}), 0.0) == []

    events = session.receive(request(offer={"sdp": "v=0", "id": 1}), 0.0)

    assert events[1:] == [Candidate("publisher", first), Candidate("publisher", second)]
    assert session.receive(request(trickle={"candidateInit": first}), 0.0) == events[1:2]


def test_in_v0_candidates_of_the_subscriber_wait_for_its_answer() -> None:
    session = server("v0")
    trickle = request(trickle={"candidateInit": CANDIDATE, "target": "SUBSCRIBER"})
    session.offer("v=0", mid="0")
    session.receive(request(offer={"sdp": "v=0", "id": 1}), 0.0)

    assert session.receive(trickle, 0.0) == []
    events = session.receive(request(answer={"sdp": "v=1", "id": 1}), 0.0)

    assert events == [
        AnswerReceived(1, "v=1", "subscriber", {}),
        Candidate("subscriber", CANDIDATE),
    ]


def test_in_v1_there_is_one_connection_whatever_the_target_says() -> None:
    session = server("v1")
    session.receive(request(offer={"sdp": "v=0", "id": 1}), 0.0)

    trickle = request(trickle={"candidateInit": CANDIDATE, "target": "SUBSCRIBER"})

    assert session.receive(trickle, 0.0) == [Candidate("publisher", CANDIDATE)]


def test_the_end_of_the_candidates_is_no_candidate() -> None:
    assert server().receive(request(trickle={"final": True}), 0.0) == []


def test_fifty_candidates_pass_and_the_next_is_told() -> None:
    session = server()
    session.receive(request(offer={"sdp": "v=0", "id": 1}), 0.0)
    trickle = request(trickle={"candidateInit": CANDIDATE})

    for _ in range(50):
        assert session.receive(trickle, 0.0) == [Candidate("publisher", CANDIDATE)]
    [told] = session.receive(trickle, 0.0)

    assert isinstance(told, Ignored)
    assert "one of over 50" in told.sentence


def test_a_track_is_announced_and_published_under_a_sid_that_it_keeps() -> None:
    session = server()
    [track] = session.receive(request(addTrack=TRACK), 0.0)
    assert track == AddTrack("mic-1", "audio", muted=False)

    published = read_response(session.track_published(track))["trackPublished"]
    [again] = session.receive(request(addTrack=TRACK), 0.0)
    assert isinstance(again, AddTrack)

    assert published["cid"] == "mic-1"
    assert published["track"]["sid"].startswith("TR_")
    assert read_response(session.track_published(again))["trackPublished"] == published


def test_a_track_that_was_not_announced_is_not_published() -> None:
    with pytest.raises(LocalWireError, match="not announced"):
        server().track_published(AddTrack("x", "", muted=False))


def test_video_is_refused_in_one_sentence_and_the_call_goes_on() -> None:
    session = server()
    refusal, told = session.receive(request(addTrack={**TRACK, "type": "VIDEO"}), 0.0)

    refused = sent(refusal)["requestResponse"]
    assert isinstance(refused, dict)
    assert refused["reason"] == "NOT_ALLOWED"
    assert refused["addTrack"]["cid"] == "mic-1"
    assert told == Ignored("track", "this call takes audio tracks only")
    assert session.receive(request(addTrack=TRACK), 0.0)


def test_sixteen_tracks_are_taken_and_the_next_is_refused() -> None:
    session = server()
    for n in range(16):
        [event] = session.receive(request(addTrack={**TRACK, "cid": f"t{n}"}), 0.0)
        assert isinstance(event, AddTrack)

    _, told = session.receive(request(addTrack={**TRACK, "cid": "t16"}), 0.0)

    assert told == Ignored("track", "this call takes 16 tracks at most")


@pytest.mark.parametrize("cid", ["", "c" * 257])
def test_a_track_needs_an_id_of_a_usable_length(cid: str) -> None:
    [told] = server().receive(request(addTrack={**TRACK, "cid": cid}), 0.0)

    assert told == Ignored("bad message", "a track has no usable id or name")


def test_mute_counts_for_the_clients_own_tracks_only() -> None:
    session = server()
    [track] = session.receive(request(addTrack=TRACK), 0.0)
    assert isinstance(track, AddTrack)
    sid = read_response(session.track_published(track))["trackPublished"]["track"]["sid"]

    assert session.receive(request(mute={"sid": sid, "muted": True}), 0.0) == [Muted(sid, True)]
    [foreign] = session.receive(request(mute={"sid": names().agent_track_sid}), 0.0)
    assert isinstance(foreign, Ignored)


def test_speaker_mute_is_a_setting_of_the_agents_track() -> None:
    session = server()
    sids = [names().agent_track_sid]

    off = session.receive(request(trackSetting={"trackSids": sids, "disabled": True}), 0.0)
    on = session.receive(request(trackSetting={"trackSids": sids}), 0.0)
    [other] = session.receive(request(trackSetting={"trackSids": ["TR_x"]}), 0.0)

    assert (off, on) == ([TrackSetting(True)], [TrackSetting(False)])
    assert isinstance(other, Ignored)


def test_both_kinds_of_ping_are_answered() -> None:
    session = server()
    [old] = session.receive(request(ping="123"), 0.0)
    [new] = session.receive(request(pingReq={"timestamp": "456"}), 2.5)

    assert sent(old) == {"pong": "123"}
    assert sent(new) == {"pongResp": {"lastPingTimestamp": "456", "timestamp": "2500"}}


def test_metadata_are_accepted() -> None:
    asked = {"metadata": "{}", "requestId": 9}
    [answer] = server().receive(request(updateMetadata=asked), 0.0)

    answered = sent(answer)["requestResponse"]
    assert isinstance(answered, dict)
    assert answered["requestId"] == 9
    assert answered.get("reason", "OK") == "OK"


@pytest.mark.parametrize("kind", ["subscription", "syncState", "simulate", "updateLayers"])
def test_what_means_nothing_to_us_passes(kind: str) -> None:
    [event] = server().receive(request(**{kind: {}}), 0.0)

    assert isinstance(event, Ignored)
    assert event.what == "message without use"


def test_a_request_that_is_newer_than_we_are_passes() -> None:
    [event] = server().receive(b"\xfa\x3e\x02\x08\x01", 0.0)

    assert event == Ignored("message without use", "an unknown request means nothing here")


def test_nothing_counts_after_the_client_has_left() -> None:
    session = server()
    left = session.receive(request(leave={"reason": "CLIENT_INITIATED"}), 0.0)

    assert left == [Left("client_initiated", "disconnect")]
    [late] = session.receive(request(ping="1"), 0.0)
    assert isinstance(late, Ignored)


def test_nothing_counts_after_we_sent_the_client_away() -> None:
    session = server()
    leave = read_response(session.leave("room_deleted", "disconnect"))["leave"]

    assert leave == {"reason": "ROOM_DELETED"}
    [late] = session.receive(request(ping="1"), 0.0)
    assert isinstance(late, Ignored)


def test_a_leave_for_a_new_join_says_that_it_can_be_joined_again() -> None:
    leave = read_response(server().leave("state_mismatch", "reconnect"))["leave"]

    assert leave == {"canReconnect": True, "reason": "STATE_MISMATCH", "action": "RECONNECT"}


def test_an_answer_that_nobody_asked_for_is_told() -> None:
    [told] = server("v0").receive(request(answer={"sdp": "v=0", "id": 1}), 0.0)

    assert told == Ignored("bad message", "an answer came that nobody asked for")


def test_an_answer_to_another_offer_leaves_ours_open() -> None:
    session = server("v0")
    session.offer("v=0")

    [told] = session.receive(request(answer={"sdp": "v=0", "id": 5}), 0.0)
    [answer] = session.receive(request(answer={"sdp": "v=0", "id": 1}), 0.0)

    assert isinstance(told, Ignored)
    assert isinstance(answer, AnswerReceived)


def test_the_server_offers_in_v0_only_and_one_at_a_time() -> None:
    with pytest.raises(LocalWireError):
        server("v1").offer("v=0")
    session = server("v0")
    session.offer("v=0")
    with pytest.raises(LocalWireError):
        session.offer("v=0")


# Limits


def test_twenty_offers_at_once_pass_and_the_next_ends_the_session() -> None:
    session = server()
    offer = request(offer={"sdp": "v=0", "id": 1})
    for _ in range(20):
        session.receive(offer, 0.0)

    with pytest.raises(RemoteWireError, match="over 2 offers a second"):
        session.receive(offer, 0.0)


def test_two_offers_a_second_pass_for_ever() -> None:
    session = server()
    for n in range(200):
        session.receive(request(offer={"sdp": "v=0", "id": 1}), n / 2)


@pytest.mark.parametrize("kind", ["offer", "answer"])
def test_a_description_of_64_kib_passes_and_a_longer_one_ends_the_session(kind: str) -> None:
    size = FROM_PEER.sdp_bytes
    for n, passes in ((size, True), (size + 1, False)):
        session = server("v0")
        session.offer("v=0")
        frame = request(**{kind: {"sdp": "v" * n, "id": 1}})
        if passes:
            assert len(session.receive(frame, 0.0)) == 1
        else:
            with pytest.raises(RemoteWireError, match="description has over 65536") as refused:
                session.receive(frame, 0.0)
            assert refused.value.close_code == 1009


def test_a_message_of_96_kib_is_read_and_a_larger_one_ends_the_session() -> None:
    session = server()
    largest = FROM_PEER.message_bytes
    [told] = session.receive(b"\xff" * largest, 0.0)
    assert isinstance(told, Ignored)

    with pytest.raises(RemoteWireError, match="has over 98304 bytes") as refused:
        session.receive(b"\xff" * (largest + 1), 0.0)
    assert refused.value.close_code == 1009


def test_500_messages_at_once_pass_and_the_next_ends_the_session() -> None:
    session = server()
    for _ in range(500):
        session.receive(request(ping="1"), 0.0)

    with pytest.raises(RemoteWireError, match="over 50 signalling messages a second") as refused:
        session.receive(request(ping="1"), 0.0)
    assert refused.value.close_code == 1008


def test_nine_bad_messages_in_ten_seconds_are_forgiven_and_the_tenth_is_not() -> None:
    session = server()
    for _ in range(9):
        [told] = session.receive(b"\xff", 0.0)
        assert told == Ignored("bad message", "a signalling message cannot be read")

    with pytest.raises(RemoteWireError, match="10 bad signalling messages in 10 s"):
        session.receive_text(10.0)


def test_bad_messages_that_come_slowly_are_forgiven() -> None:
    session = server()
    for n in range(30):
        session.receive_text(n * 1.2)
