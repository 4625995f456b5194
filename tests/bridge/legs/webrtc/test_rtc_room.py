"""Our client in rooms that a test hosts: real peer connections over loopback, signalling in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused
from bridge.legs.webrtc import rtc_room
from bridge.legs.webrtc.channel import MAX_MESSAGE_BYTES
from bridge.legs.webrtc.link import TOO_LONG
from bridge.legs.webrtc.room import Access, Room
from bridge.legs.webrtc.rtc_room import NOT_TAKEN, RtcRoom
from bridge.wire.livekit.data import user_packet
from bridge.wire.livekit.events import IceServer, LeaveReason, Version
from bridge_codecs.pcm import Int16
from tests.fakes.hosted_room import FRAME, OPTIONS, RATE_HZ, HostedRoom, hosted_room
from tests.fakes.livekit_frames import response

VERSIONS: tuple[Version, ...] = ("v1", "v0")
BOTH = pytest.mark.parametrize("version", VERSIONS)
LONG_S = 20.0
"""A quarter of a megabyte takes its time on a data channel."""
TONE = (8_000 * np.sin(2 * np.pi * 440 * np.arange(FRAME * 50) / RATE_HZ)).astype(np.int16)


@dataclass
class User:
    """The leg: keeps what it is told."""

    heard: list[Int16] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    away: list[LeaveReason] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None

    def hear(self, room: Room, samples: Int16) -> None:
        self.heard.append(samples)
        self.changed()

    def take(self, room: Room, payload: bytes) -> None:
        self.messages.append(payload)
        self.changed()

    def lost(self, room: Room, why: str) -> None:
        self.losses.append(why)
        self.changed()

    def sent_away(self, room: Room, reason: LeaveReason) -> None:
        self.away.append(reason)
        self.changed()

    def warn(self, room: Room, type_: str, sentence: str) -> None:
        self.warnings.append(sentence)
        self.changed()

    @property
    def samples(self) -> Int16:
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)


@dataclass
class Stay:
    room: HostedRoom
    user: User
    say: Lane
    access: Access
    stay: RtcRoom

    async def speak(self, samples: Int16) -> None:
        """Say it at its own tempo."""
        for at in range(0, samples.size, FRAME):
            self.say.push(samples[at : at + FRAME])
            await asyncio.sleep(FRAME / RATE_HZ)


@asynccontextmanager
async def stay_in(
    *flaws: str, versions: tuple[Version, ...] = VERSIONS, access: Access | None = None
) -> AsyncIterator[Stay]:
    """A stay that has not begun; left and closed at the end."""
    async with hosted_room(*flaws, versions=versions) as room:
        user, say = User(changed=room.changed.set), Lane(RATE_HZ, 240, "drop_oldest")
        access = access or Access("ws://127.0.0.1:1/rooms/call", "a.secret.token")
        stay = RtcRoom(access, user, say, options=OPTIONS, connect=room.connect)
        try:
            yield Stay(room, user, say, access, stay)
        finally:
            stay.stop()
            await stay.closed()


def loud(samples: Int16) -> int:
    """How many samples are."""
    return int((np.abs(samples.astype(np.int32)) > 1_000).sum())


@BOTH
async def test_voices_and_messages_go_both_ways(version: Version) -> None:
    async with stay_in(versions=(version,)) as world:
        await world.stay.join()
        guest = world.room.guest
        await world.room.until(lambda: guest.open)
        guest.speech.push(TONE)
        await world.speak(TONE)
        world.stay.send(b'{"type":"ping","timestamp":1}')
        guest.tell(type="state", state="listening")
        await world.room.until(lambda: guest.messages and world.user.messages)
        await world.room.until(lambda: loud(world.user.samples) > 0.7 * loud(TONE))

        assert guest.messages == [{"type": "ping", "timestamp": 1}]
        assert world.user.messages == [b'{"type": "state", "state": "listening"}']
        assert 6_000 < np.abs(world.user.samples.astype(int)).max() < 10_000
        assert loud(guest.samples) > 0.7 * loud(TONE)
        assert world.user.losses == world.user.warnings == []


@BOTH
async def test_leaving_is_said_and_closes_the_signalling(version: Version) -> None:
    async with stay_in(versions=(version,)) as world:
        await world.stay.join()
        world.stay.stop()
        world.stay.stop()
        await world.stay.closed()
        await world.room.until(lambda: world.room.guest.closed)

        assert world.room.guest.left is not None
        assert world.room.guest.left.reason == "client_initiated"
        assert world.room.guest.closed == (1000, "")
        assert world.user.losses == []


async def test_a_room_without_v1_is_joined_in_v0_and_that_is_remembered() -> None:
    access = Access("ws://127.0.0.1:1/rooms/call", "t")
    for asked in (["v1", "v0"], ["v0"]):
        async with stay_in(versions=("v0",), access=access) as world:
            await world.stay.join()

            assert world.room.asked == asked


async def test_what_we_say_of_ourselves_reaches_the_room() -> None:
    async with stay_in() as world:
        await world.stay.join()

        request = world.room.guest.request
        assert (request.version, request.client) == ("v1", "python 1.2.0")
        assert request.publisher_offer is not None
        assert request.publisher_offer.sdp.count("m=audio") == 1
        assert "a=recvonly" in request.publisher_offer.sdp
        assert "m=application" in request.publisher_offer.sdp


@BOTH
async def test_a_dropped_signalling_connection_is_a_lost_one(version: Version) -> None:
    async with stay_in(versions=(version,)) as world:
        await world.stay.join()
        world.room.guest.drop()
        await world.room.until(lambda: world.user.losses)

        assert world.user.losses == ["the signalling connection closed with code 1006"]


@pytest.mark.parametrize(
    ("leave", "lost", "away"),
    [
        ({"reason": "ROOM_DELETED"}, [], ["room_deleted"]),
        (
            {"reason": "STATE_MISMATCH", "action": "RECONNECT"},
            ["the room wants us to join anew: state_mismatch"],
            [],
        ),
    ],
)
async def test_a_room_that_sends_us_away_says_whether_for_good(
    leave: dict[str, object], lost: list[str], away: list[str]
) -> None:
    async with stay_in() as world:
        await world.stay.join()
        world.room.guest.socket.send_bytes(response(leave=leave))
        await world.room.until(lambda: world.user.losses or world.user.away)

        assert (world.user.losses, world.user.away) == (lost, away)


async def test_a_new_token_is_for_the_next_stay() -> None:
    async with stay_in() as world:
        await world.stay.join()
        world.room.guest.socket.send_bytes(response(refreshToken="another.token"))
        world.room.guest.socket.send_bytes(response(mediaSectionsRequirement={"numAudios": 2}))
        await world.room.until(lambda: world.user.warnings)

        assert world.access.token == "another.token"
        assert world.user.warnings == ["the room has 2 more audio tracks; one is heard"]


async def test_a_room_may_mute_our_microphone_and_nobody_elses() -> None:
    async with stay_in() as world:
        await world.stay.join()
        guest = world.room.guest
        [sid] = guest.session._sids.values()
        for muted in ("TR_other", sid):
            guest.socket.send_bytes(response(mute={"sid": muted, "muted": True}))
            await asyncio.sleep(0.01)
            guest.heard.clear()
            await world.speak(TONE[: 10 * FRAME])
            assert (loud(guest.samples) == 0) is (muted == sid)
            await asyncio.sleep(0.3)
        guest.socket.send_bytes(response(mute={"sid": sid, "muted": False}))
        await world.speak(TONE[: 10 * FRAME])

        await world.room.until(lambda: loud(guest.samples))


async def test_the_rooms_servers_are_noted_for_the_next_stay() -> None:
    access = Access("ws://127.0.0.1:1/rooms/call", "t", ice_servers=(IceServer(("gopher:",)),))
    async with stay_in(access=access) as world:
        await world.stay.join()

        assert world.access.ice_servers == ()  # this room has none


@pytest.mark.parametrize("packet", [b"\xff\xff", "text", b"\0" * 70_000])
async def test_a_packet_that_is_none_is_told_and_the_stay_goes_on(packet: bytes | str) -> None:
    async with stay_in() as world:
        await world.stay.join()
        guest = world.room.guest
        await world.room.until(lambda: guest.open)
        guest.tell_raw(packet)
        guest.tell_raw(user_packet(b"{}", identity="somebody else"))
        await world.room.until(lambda: world.user.messages)

        assert len(world.user.warnings) == 1
        assert world.user.messages == [b"{}"]
        assert world.user.losses == []


@BOTH
async def test_a_message_that_is_too_long_to_be_read_is_told_in_one_sentence(
    version: Version,
) -> None:
    async with stay_in(versions=(version,)) as world:
        await world.stay.join()
        guest = world.room.guest
        await world.room.until(lambda: guest.open)
        assert guest._channel is not None
        guest._channel._channel.transport._remote_max_message_size = 0  # it takes no notice of ours
        for n_bytes in (MAX_MESSAGE_BYTES + 1, MAX_MESSAGE_BYTES):
            guest.tell_raw(b"\0" * n_bytes)
            guest.tell_raw(user_packet(b"{}", identity="somebody else"))
        await world.room.until(lambda: len(world.user.messages) == 2, LONG_S)

        [longer, longest] = world.user.warnings
        assert longer == TOO_LONG
        assert longest.startswith("a data packet has over")  # it was read
        assert world.user.losses == []


async def test_a_message_that_the_room_does_not_take_is_told_and_the_stay_goes_on() -> None:
    async with stay_in() as world:
        await world.stay.join()
        channel = world.stay._peers._channel
        assert channel is not None
        channel._channel._setReadyState("closing")
        world.stay.send(b"{}")

        assert world.user.warnings == [NOT_TAKEN]
        assert world.user.losses == []


# Rooms that do not take us in


REFUSALS: list[tuple[str, str]] = [
    ("busy", "takes no more calls now"),
    ("silent", "the agent's room sent no word of who we are within 0.3 s"),
    ("no answer", "the agent's room sent no answer within 0.3 s"),
    ("no track", "the agent's room sent no word of our microphone within 0.3 s"),
    ("garbage", "the agent's room cannot be used: the session description"),
    ("deaf", "the agent's room takes no audio from us"),
]


@pytest.mark.parametrize(("flaw", "words"), REFUSALS)
@BOTH
async def test_a_room_that_does_not_take_us_in_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, version: Version, flaw: str, words: str
) -> None:
    for limit in ("JOIN_S", "ANSWER_S", "PUBLISH_S"):
        monkeypatch.setattr(rtc_room, limit, 0.3)
    async with stay_in(flaw, versions=(version,)) as world:
        with pytest.raises(JoinRefused) as refused:
            await world.stay.join()

        assert words in str(refused.value)
        assert "token" not in str(refused.value)
        assert world.user.losses == []


async def test_a_room_that_closes_while_we_join_is_refused_at_once() -> None:
    async with stay_in("silent") as world:
        joining = asyncio.create_task(world.stay.join())
        while not world.room.guests:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.001)
        world.room.guest.socket.close(1011, "no")
        with pytest.raises(JoinRefused, match="the signalling connection closed with code 1011"):
            await joining


async def test_a_room_that_sends_us_away_while_we_join_is_refused_at_once() -> None:
    async with stay_in("no answer") as world:
        joining = asyncio.create_task(world.stay.join())
        while not world.room.guests:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        world.room.guest.socket.send_bytes(response(leave={"reason": "JOIN_FAILURE"}))
        with pytest.raises(JoinRefused, match="has sent us away: join_failure"):
            await joining


async def test_a_stay_that_is_given_up_while_it_begins_leaves_nothing() -> None:
    async with stay_in("no answer") as world:
        joining = asyncio.create_task(world.stay.join())
        await asyncio.sleep(0.05)
        world.stay.stop()
        joining.cancel()
        await asyncio.wait((joining,))
        await world.stay.closed()
        await world.room.until(lambda: world.room.guest.closed)

        assert joining.cancelled()
