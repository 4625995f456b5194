"""What is settled by signalling, in virtual time, with peer connections that a test moves."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.negotiation import Negotiation
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.served_peers import ServedPeers
from bridge.wire.livekit.events import (
    AddTrack,
    Candidate,
    Muted,
    OfferReceived,
    ServerEvent,
    Version,
)
from bridge.wire.livekit.join_request import Description, JoinRequest
from bridge.wire.livekit.names import room_names
from bridge.wire.livekit.server_session import ServerSession
from tests.fakes.fake_peer import BAD, MICROPHONE, NO_MICROPHONE, FakePeers
from tests.fakes.livekit_frames import read_response, request

Virtual = Callable[[Coroutine[Any, Any, None]], None]


class Nobody:
    """Hears nothing: no connection comes up."""

    def hear(self, samples: object) -> None:
        raise AssertionError

    def data(self, packet: object) -> None:
        raise AssertionError

    def too_long(self) -> None:
        raise AssertionError

    def broke(self, why: str) -> None:
        raise AssertionError(why)

    def changed(self) -> None:
        """A microphone was offered."""


class Settled:
    """A negotiation, and what came of it."""

    def __init__(self, version: Version, offer: str | None = None) -> None:
        chance = random.Random(1)
        self.peers = FakePeers()
        self.session = ServerSession(version, room_names("call", chance), chance)
        self.frames: list[bytes] = []
        self.notes: list[ServerEvent] = []
        served = ServedPeers(Nobody(), version, RtcOptions(), self.peers)
        self.work = Negotiation(self.session, served, self.frames.append, self.notes.append)
        first = None if offer is None else Description(1, offer)
        asked = JoinRequest(version, publisher_offer=first)
        voice: Any = None
        self.task = asyncio.create_task(self.work.run(asked, voice), name="negotiation")

    def say(self, **message: object) -> None:
        self.work.take(self.session.receive(request(**message), 0.0))

    @property
    def order(self) -> list[str]:
        return [next(iter(read_response(frame))) for frame in self.frames]

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))


@pytest.mark.parametrize(
    ("version", "offer", "order"),
    [
        ("v1", NO_MICROPHONE, ["join", "answer"]),
        ("v1", None, ["join"]),  # such a client offers after the join
        ("v0", None, ["join", "offer"]),
    ],
)
def test_the_join_comes_first_and_then_the_first_description(
    virtual: Virtual, version: Version, offer: str | None, order: list[str]
) -> None:
    async def call() -> None:
        settled = Settled(version, offer)
        await asyncio.sleep(0.2)
        assert settled.order == order
        said = [names for peer in settled.peers.made for names in peer.said]
        agent, track = settled.session.names.agent_msid
        assert said == [(f"{agent}|{track}", track)]
        await settled.close()

    virtual(call())


def test_events_are_worked_off_one_after_the_other(virtual: Virtual) -> None:
    async def call() -> None:
        settled = Settled("v1", NO_MICROPHONE)
        settled.say(trickle={"candidateInit": "{}"})
        settled.say(addTrack={"cid": "c", "name": "n", "type": "AUDIO"})
        settled.say(offer={"type": "offer", "sdp": MICROPHONE, "id": 2})
        await asyncio.sleep(0.01)
        [peer] = settled.peers.made
        assert peer.candidates == []  # the first answer is not there yet
        await asyncio.sleep(0.2)
        assert peer.candidates == ["{}"]
        assert peer.answered == [NO_MICROPHONE, MICROPHONE]
        assert settled.order == ["join", "answer", "trackPublished", "answer"]
        await settled.close()

    virtual(call())


def test_what_is_not_about_connections_is_told_on_and_a_track_when_it_is_taken(
    virtual: Virtual,
) -> None:
    async def call() -> None:
        settled = Settled("v1", NO_MICROPHONE)
        settled.say(addTrack={"cid": "c", "name": "n", "type": "AUDIO"})
        await asyncio.sleep(0.2)
        sid = read_response(settled.frames[-1])["trackPublished"]["track"]["sid"]
        settled.say(mute={"sid": sid, "muted": True})
        await asyncio.sleep(0.1)
        assert settled.notes == [AddTrack("c", "n", False), Muted(sid, True)]
        assert not any(isinstance(each, OfferReceived | Candidate) for each in settled.notes)
        await settled.close()

    virtual(call())


def test_a_description_that_cannot_be_used_ends_the_work(virtual: Virtual) -> None:
    async def call() -> None:
        settled = Settled("v1", BAD)
        await asyncio.wait((settled.task,))
        with pytest.raises(RemoteWireError, match="it is bad"):
            settled.task.result()

    virtual(call())
