"""Foreign and damaged frames in both roles: an event, an ignored one, or one sentence that ends the session."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteWireError
from bridge.wire.livekit.client_session import ClientSession
from tests.fakes.livekit_frames import CANDIDATE, broken, request, response, server

Receive = Callable[[bytes, float], object]


def server_side(version: str) -> Receive:
    session = server(version)
    if version == "v0":
        session.offer("v=0")
    return session.receive


def client_side(version: str) -> Receive:
    session = ClientSession("v1" if version == "v1" else "v0")
    session.offer("v=0")
    return session.receive


REQUESTS = [
    request(offer={"type": "offer", "sdp": "v=0\r\n" * 20, "id": 1}),
    request(answer={"sdp": "v=0", "id": 1}),
    request(trickle={"candidateInit": CANDIDATE, "target": "SUBSCRIBER"}),
    request(addTrack={"cid": "mic", "name": "audio", "source": "MICROPHONE"}),
    request(mute={"sid": "TR_1", "muted": True}),
    request(trackSetting={"trackSids": ["TR_1"], "disabled": True}),
    request(leave={"reason": "CLIENT_INITIATED"}),
    request(pingReq={"timestamp": 1, "rtt": 1}),
    request(updateMetadata={"attributes": {"a": "b"}, "requestId": 1}),
]
RESPONSES = [
    response(join={"room": {"name": "r"}, "participant": {"identity": "u"}, "pingInterval": 5}),
    response(answer={"sdp": "v=0", "id": 1, "midToTrackId": {"0": "TR_1"}}),
    response(offer={"sdp": "v=0", "id": 1}),
    response(trickle={"candidateInit": CANDIDATE}),
    response(trackPublished={"cid": "mic", "track": {"sid": "TR_1"}}),
    response(leave={"reason": "STATE_MISMATCH", "action": "RECONNECT"}),
    response(pongResp={"lastPingTimestamp": 1}),
    response(refreshToken="t"),
    response(requestResponse={"reason": "NOT_ALLOWED", "message": "no", "addTrack": {}}),
]


def survives(make: Callable[[str], Receive], frame: bytes) -> None:
    for version in ("v0", "v1"):
        with suppress(RemoteWireError):
            make(version)(frame, 0.0)


@pytest.mark.parametrize("frame", REQUESTS, ids=range(len(REQUESTS)))
def test_a_server_survives_damaged_requests_at_every_length(frame: bytes) -> None:
    for end in range(len(frame)):
        survives(server_side, frame[:end])
    for seed in range(100):
        survives(server_side, broken(frame, seed))


@pytest.mark.parametrize("frame", RESPONSES, ids=range(len(RESPONSES)))
def test_a_client_survives_damaged_responses_at_every_length(frame: bytes) -> None:
    for end in range(len(frame)):
        survives(client_side, frame[:end])
    for seed in range(100):
        survives(client_side, broken(frame, seed))


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused_by_both_roles(frame: bytes) -> None:
    survives(server_side, frame)
    survives(client_side, frame)


@given(st.lists(st.sampled_from(REQUESTS), max_size=30))
def test_a_server_takes_requests_in_any_order(frames: list[bytes]) -> None:
    for version in ("v0", "v1"):
        receive = server_side(version)
        with suppress(RemoteWireError):
            for frame in frames:
                receive(frame, 0.0)


@given(st.lists(st.sampled_from(RESPONSES), max_size=30))
def test_a_client_takes_responses_in_any_order(frames: list[bytes]) -> None:
    for version in ("v0", "v1"):
        receive = client_side(version)
        with suppress(RemoteWireError):
            for frame in frames:
                receive(frame, 0.0)
