"""One client's connection to its room, in virtual time: real signalling, peer connections that a test moves."""

import asyncio
import json
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from bridge.calls.settings import CallSettings
from bridge.gateway.room_route import SIGNAL_LIMITS
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.webrtc.absence import GRACE_S, READY_S
from bridge.legs.webrtc.link import TOO_LONG
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.resume import send_away
from bridge.legs.webrtc.room_link import SILENT_S, RoomLink
from bridge.virtual import run_virtual
from bridge.wire.livekit.data import PacketReader, user_packet
from bridge.wire.livekit.events import Version
from bridge.wire.livekit.join_request import Description, JoinRequest
from bridge.wire.livekit.limits import FROM_PEER
from bridge.wire.livekit.names import room_names
from tests.fakes.call_world import ActingBrain, Client
from tests.fakes.fake_peer import BAD, MICROPHONE, NO_MICROPHONE, FakeChannel, FakePeers
from tests.fakes.livekit_frames import CANDIDATE, broken, read_response, request
from tests.fakes.rtc import RtcWorld, rtc_world

TRACK = {"cid": "c1", "name": "input", "type": "AUDIO", "source": "MICROPHONE"}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@dataclass
class Signalling:
    """The client's end of the signalling socket, and its peer connections at our side."""

    socket: MediaSocket
    peers: FakePeers
    link: RoomLink
    frames: list[dict[str, Any]] = field(default_factory=list)
    closed: tuple[int, str] | None = None

    def on_text(self, text: str) -> None:
        raise AssertionError(text)

    def on_bytes(self, data: bytes) -> None:
        self.frames.append(read_response(data))

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def say(self, **message: object) -> None:
        self.socket.send_bytes(request(**message))

    @property
    def order(self) -> list[str]:
        return [next(iter(each)) for each in self.frames]

    async def publish(self, sdp: str = MICROPHONE) -> None:
        """Announce a microphone and offer it."""
        self.say(addTrack=TRACK)
        self.say(offer={"type": "offer", "sdp": sdp, "id": 2})
        await asyncio.sleep(0.1)

    async def up(self) -> FakeChannel:
        """Everything that a client does to be there; the channel on which it reads."""
        await self.publish()
        if self.link._session.version == "v1":
            channel = self.peers.made[0].channel("_reliable")
        else:
            self.say(answer={"type": "answer", "sdp": "v=0\r\nanswer", "id": 1})
            await asyncio.sleep(0.1)
            channel = self.peers.made[1].channels[0]
            channel.come_up()
        return channel


async def joined(
    world: RtcWorld, version: Version = "v1", settings: CallSettings | None = None
) -> tuple[Any, Client, Signalling]:
    """A call, its join socket, and the signalling that a client has opened."""
    record, client = await world.enter(settings)
    return record, client, signalling(world, record, version)


def signalling(world: RtcWorld, record: Any, version: Version = "v1") -> Signalling:
    ours, theirs = memory_pair(asyncio.get_running_loop(), server_limits=SIGNAL_LIMITS)
    chance, peers = random.Random(1), FakePeers()
    link = RoomLink(
        theirs,
        JoinRequest(version, publisher_offer=Description(1, NO_MICROPHONE))
        if version == "v1"
        else JoinRequest(version),
        room_names(record.call_id, chance),
        options=RtcOptions(),
        chance=chance,
        make=peers,
    )
    end = Signalling(ours, peers, link)
    ours.start(end)
    world.leg(record).attach(link)
    return end


async def sentence(world: RtcWorld, record: Any) -> str:
    return next(e.text for e in await world.events(record) if e.type == "call_ended")


def read(channel: FakeChannel) -> list[dict[str, Any]]:
    reader = PacketReader()
    packets = [reader.read(bytes(each)) for each in channel.sent]  # type: ignore[arg-type]
    return [json.loads(packet.payload) for packet in packets if packet is not None]


# In order


@pytest.mark.parametrize(
    ("version", "order"),
    [
        ("v1", ["join", "answer", "trackPublished", "answer"]),
        ("v0", ["join", "offer", "trackPublished", "answer"]),
    ],
)
def test_a_client_is_joined_in_the_order_that_it_knows(version: Version, order: list[str]) -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _, end = await joined(world, version)
            await asyncio.sleep(0.1)
            await end.publish()
            assert end.order == order
            names = end.link._session.names
            speaks = end.peers.made[0 if version == "v1" else 1]
            sid = f"{names.agent.sid}|{names.agent_track_sid}"
            assert speaks.said == [(sid, names.agent_track_sid)]
            if version == "v1":
                assert end.frames[1]["answer"]["midToTrackId"] == {"0": names.agent_track_sid}
            assert record.ended is None

    play(call())


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_nothing_is_said_until_microphone_and_channel_are_there(version: Version) -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _, end = await joined(world, version)
            await asyncio.sleep(0.1)
            if version == "v1":
                channel = end.peers.made[0].channel("_reliable")
            else:
                channel = end.peers.made[1].channels[0]
                channel.come_up()
            assert not channel.sent
            end.say(addTrack=TRACK)
            await asyncio.sleep(0.1)
            assert not channel.sent  # announced, and not there yet
            end.say(offer={"type": "offer", "sdp": MICROPHONE, "id": 2})
            await asyncio.sleep(0.1)
            assert read(channel)[0]["type"] == "call_started"
            assert record.ended is None

    play(call())


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_messages_go_both_ways_and_sound_comes_in(version: Version) -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _, end = await joined(world, version)
            channel = await end.up()
            publisher = end.peers.made[0]
            theirs = channel if version == "v1" else publisher.channel("_reliable")
            assert theirs.on_message is not None
            ping = json.dumps({"type": "ping", "timestamp": 4}).encode()
            theirs.on_message(user_packet(ping, identity="user"))
            await asyncio.sleep(0.1)
            assert {"type": "pong", "timestamp": 4} in read(channel)
            assert publisher.sink is not None
            publisher.sink(np.ones(320, np.int16))
            assert record.ended is None

    play(call())


def test_a_speaker_that_the_client_turns_off_is_muted() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            _, _, end = await joined(world)
            await end.up()
            sid = end.link._session.names.agent_track_sid
            end.say(trackSetting={"trackSids": [sid], "disabled": True})
            await asyncio.sleep(0.1)
            assert world.voices[0].muted
            end.say(trackSetting={"trackSids": [sid], "disabled": False})
            await asyncio.sleep(0.1)
            assert not world.voices[0].muted

    play(call())


def test_candidates_reach_the_connection_they_are_for_and_fifty_at_most() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world, "v0")
            await end.up()
            for target in ("PUBLISHER", "SUBSCRIBER"):
                for _ in range(1_000):
                    end.say(trickle={"candidateInit": CANDIDATE, "target": target})
                    await asyncio.sleep(0.025)
            publisher, subscriber = end.peers.made
            assert len(publisher.candidates) == len(subscriber.candidates) == FROM_PEER.candidates
            assert record.ended is None
            types = [each.type for each in await world.events(record)]
            assert types.count("ignored: candidate") == 1

    play(call())


# The end


def test_a_hang_up_of_the_agent_tells_the_room_and_then_closes_the_join_socket() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client, end = await joined(world)
            await end.up()
            world.leg(record).hang_up()
            await world.ended(record)
            await asyncio.sleep(0.1)
            assert end.frames[-1]["leave"]["reason"] == "ROOM_CLOSED"
            assert end.frames[-1]["leave"].get("action", "DISCONNECT") == "DISCONNECT"
            assert end.closed == (1000, "")
            assert client.closed == (1000, "")
            assert end.peers.made[0].closed

    play(call())


def test_a_client_that_leaves_its_room_is_let_go_and_may_come_back() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.up()
            end.say(leave={"reason": "CLIENT_INITIATED"})
            await asyncio.sleep(0.2)
            assert end.closed == (1000, "")
            assert end.peers.made[0].closed
            assert world.leg(record).away
            again = signalling(world, record)
            await again.up()
            assert not world.leg(record).away
            await asyncio.sleep(GRACE_S)
            again.say(pingReq={"timestamp": "1"})
            assert record.ended is None

    play(call())


def test_a_client_that_vanishes_without_a_word_is_final_after_fifteen_and_twenty_seconds() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client, end = await joined(world)
            await end.up()
            await asyncio.sleep(SILENT_S + GRACE_S - 0.5)
            assert record.ended is None
            await asyncio.sleep(1)
            assert "no sign of life for 15 s" in await sentence(world, record)
            await asyncio.sleep(1)
            assert end.peers.made[0].closed
            assert client.closed == (1000, "")

        assert record.end_reason == "connection_error"

    play(call())


@pytest.mark.parametrize("version", ["v1", "v0"])
def test_a_client_may_come_back_until_the_last_after_a_network_that_took_all_its_connections(
    version: Version,
) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client, end = await joined(world, version)
            await end.up()
            await asyncio.sleep(SILENT_S + 6)
            client.socket.abort()  # type: ignore[attr-defined] # found dead later than the room's
            await asyncio.sleep(GRACE_S - 6 - 0.5)
            assert record.ended is None
            again = signalling(world, record, version)
            await again.up()
            assert not world.leg(record).away

            end = again
            end.socket.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(GRACE_S - 0.5)
            assert record.ended is None
            await asyncio.sleep(1)
            assert "gone for 20 s: the signalling connection closed" in await sentence(
                world, record
            )
            await asyncio.sleep(0.5)
            assert all(peer.closed for peer in end.peers.made)
            assert world.rooms.room(record.call_id) is None

        assert record.end_reason == "connection_error"

    play(call())


def test_a_client_that_pings_stays() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.up()
            for _ in range(20):
                await asyncio.sleep(5)
                end.say(pingReq={"timestamp": "1"})
            assert record.ended is None
            assert end.order.count("pongResp") >= 19

    play(call())


def test_media_that_breaks_makes_the_client_join_anew() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.up()
            end.peers.made[0].become("failed")
            await asyncio.sleep(0.1)
            assert end.frames[-1]["leave"]["action"] == "RECONNECT"
            assert end.closed == (1000, "")
            await signalling(world, record).up()
            await asyncio.sleep(0.1)
            assert world.leg(record).rejoins == 1
            assert record.ended is None

    play(call())


def test_a_client_in_its_room_a_second_time_replaces_the_first() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.up()
            await signalling(world, record).up()
            await asyncio.sleep(0.2)
            assert end.frames[-1]["leave"]["reason"] == "DUPLICATE_IDENTITY"
            assert end.closed == (1000, "")
            assert end.peers.made[0].closed
            assert record.ended is None

    play(call())


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        (JoinRequest("v1", reconnect=True), ["leave"]),
        (JoinRequest("v0", protocol=16, reconnect=True), ["leave"]),
        (JoinRequest("v0", protocol=15, reconnect=True), ["reconnect", "leave"]),
    ],
)
def test_a_client_that_wants_to_resume_is_told_to_join_anew(
    asked: JoinRequest, order: list[str]
) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = memory_pair(loop)
        frames: list[dict[str, Any]] = []

        class End:
            closed = 0

            def on_text(self, text: str) -> None: ...

            def on_bytes(self, data: bytes) -> None:
                frames.append(read_response(data))

            def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
                self.closed = code

        end = End()
        ours.start(end)
        send_away(theirs, asked, loop)
        ours.send_bytes(b"whatever")
        ours.send_text("whatever")
        await asyncio.sleep(3)
        assert [next(iter(each)) for each in frames] == order
        assert frames[-1]["leave"]["action"] == "RECONNECT"
        assert end.closed == 1000

    play(call())


# What a client does wrong


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_client_that_never_publishes_is_given_up_after_a_minute(version: Version) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world, version)
            for _ in range(round(READY_S / 5)):
                assert record.ended is None
                end.say(pingReq={"timestamp": "1"})
                await asyncio.sleep(5)
            await asyncio.sleep(0.1)
            assert "did not publish a microphone" in await sentence(world, record)
            assert end.frames[-1]["leave"]

    play(call())


def test_a_client_that_never_opens_the_channel_is_given_up_too() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.publish()
            end.peers.made[0].channel("something else")
            end.peers.made[0].channel("_lossy")
            for _ in range(round(READY_S / 5)):
                assert record.ended is None
                end.say(pingReq={"timestamp": "1"})
                await asyncio.sleep(5)
            assert "open a data channel" in await sentence(world, record)

    play(call())


def test_a_client_that_never_answers_our_offer_is_given_up_too() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world, "v0")
            await end.publish()  # its own connection is there, the agent's is not
            end.peers.made[0].channel("_reliable")
            for _ in range(round(READY_S / 5)):
                assert record.ended is None
                end.say(pingReq={"timestamp": "1"})
                await asyncio.sleep(5)
            assert "open a data channel" in await sentence(world, record)
            assert all(peer.closed for peer in end.peers.made)

    play(call())


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_microphone_that_is_muted_for_an_hour_and_sends_nothing_ends_nothing(
    version: Version,
) -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            settings = CallSettings(max_duration_s=7_200)
            record, _, end = await joined(world, version, settings)
            await end.up()
            sid = next(each["trackPublished"] for each in end.frames if "trackPublished" in each)
            end.say(mute={"sid": sid["track"]["sid"], "muted": True})
            for _ in range(720):
                end.say(pingReq={"timestamp": "1"})
                await asyncio.sleep(5)
            end.say(mute={"sid": sid["track"]["sid"], "muted": False})
            await asyncio.sleep(0.1)
            assert record.ended is None
            assert not [e.type for e in await world.events(record) if "ignored" in e.type]

    play(call())


def test_a_client_that_publishes_anew_gets_another_sid_and_is_greeted_once() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            channel = await end.up()
            end.say(addTrack={**TRACK, "cid": "c2"})
            end.say(offer={"type": "offer", "sdp": MICROPHONE, "id": 3})
            await asyncio.sleep(0.5)
            sids = [
                each["trackPublished"]["track"]["sid"]
                for each in end.frames
                if "trackPublished" in each
            ]
            assert len(sids) == len(set(sids)) == 2
            assert [each["type"] for each in read(channel)].count("call_started") == 1
            assert world.leg(record).rejoins == 0

    play(call())


def test_video_is_refused_and_the_call_goes_on() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.up()
            end.say(addTrack={**TRACK, "cid": "c2", "type": "VIDEO", "source": "CAMERA"})
            await asyncio.sleep(0.1)
            assert "requestResponse" in end.order
            assert record.ended is None
            texts = [each.text for each in await world.events(record)]
            assert "webrtc: this call takes audio tracks only" in texts

    play(call())


@pytest.mark.parametrize(
    ("wrong", "code", "told"),
    [
        ({"offer": {"sdp": BAD, "id": 9}}, 1008, "the offer cannot be used"),
        ({"offer": {"sdp": "x" * 70_000, "id": 9}}, 1009, "session description has over"),
        ({"offer": {"sdp": "x" * 2**19, "id": 9}}, 1009, "is larger than"),
    ],
)
def test_a_description_that_is_none_ends_its_own_call(
    wrong: dict[str, Any], code: int, told: str
) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            other, _, _ = await joined(world)
            record, client, end = await joined(world)
            await end.up()
            end.say(**wrong)
            await asyncio.sleep(1)
            assert told in await sentence(world, record)
            assert end.closed is not None
            assert end.closed[0] == code
            assert client.closed is not None
            assert client.closed[0] == code
            assert end.peers.made[0].closed
            assert other.ended is None

    play(call())


def test_a_bad_answer_ends_the_call_of_a_client_on_two_connections() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world, "v0")
            await asyncio.sleep(0.1)
            end.say(answer={"sdp": BAD, "id": 1})
            await asyncio.sleep(1)
            assert "the answer cannot be used" in await sentence(world, record)
            assert all(peer.closed for peer in end.peers.made)

    play(call())


def test_offers_without_end_end_the_call() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            for n in range(30):
                end.say(offer={"sdp": MICROPHONE, "id": n + 2})
            await asyncio.sleep(1)
            assert "offers a second" in await sentence(world, record)

    play(call())


@pytest.mark.parametrize(
    "packet",
    [
        b"\xff\xff\xff",
        user_packet(b"no JSON", identity="user"),
        user_packet(b'{"type": "ping", "timestamp": 1}', identity="somebody"),
        user_packet(b"x" * 70_000, identity="user"),
        b"x" * 200_000,
        "text",
    ],
)
def test_data_that_is_no_message_is_one_warning_and_a_hundred_are_the_end(
    packet: bytes | str,
) -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _, end = await joined(world)
            channel = await end.up()
            assert channel.on_message is not None
            for _ in range(99):
                channel.on_message(packet)
            await asyncio.sleep(0.1)
            assert record.ended is None
            warnings = [e for e in await world.events(record) if e.type == "ignored: bad message"]
            assert len(warnings) == 1
            channel.on_message(packet)
            await asyncio.sleep(1)
            assert "100 bad data messages" in await sentence(world, record)

    play(call())


def test_packets_of_other_kinds_are_passed_over() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _, end = await joined(world)
            channel = await end.up()
            assert channel.on_message is not None
            for _ in range(200):
                channel.on_message(b"")  # a packet with nothing in it
            await asyncio.sleep(0.1)
            assert record.ended is None

    play(call())


def test_a_client_that_reads_nothing_is_a_warning_and_no_more() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            channel = await end.up()
            channel.takes = False
            await asyncio.sleep(3)
            types = [each.type for each in await world.events(record)]
            assert types.count("message_not_sent") == 1
            assert record.ended is None

    play(call())


def test_text_on_the_signalling_socket_is_endured_ten_times() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _, end = await joined(world)
            await end.up()
            for _ in range(FROM_PEER.bad_messages - 1):
                end.socket.send_text("{}")
            await asyncio.sleep(0.1)
            assert record.ended is None
            end.socket.send_text("{}")
            await asyncio.sleep(1)
            assert "bad signalling messages" in await sentence(world, record)

    play(call())


@pytest.mark.parametrize("seed", range(60))
def test_damaged_signalling_ends_no_call_but_its_own_and_leaves_nothing(seed: int) -> None:
    async def call() -> None:
        chance = random.Random(seed)
        whole = [
            request(offer={"sdp": MICROPHONE, "id": 3}),
            request(addTrack=TRACK),
            request(trickle={"candidateInit": CANDIDATE}),
            request(leave={"reason": "CLIENT_INITIATED"}),
            request(trackSetting={"trackSids": ["TR_x"], "disabled": True}),
            request(answer={"sdp": "v=0", "id": 1}),
        ]
        async with rtc_world() as world:
            other, _, _ = await joined(world)
            record, _, end = await joined(world, chance.choice(("v0", "v1")))
            for n in range(40):
                end.socket.send_bytes(broken(chance.choice(whole), seed * 100 + n))
                await asyncio.sleep(0.02)
            await asyncio.sleep(1)
            assert other.ended is None
            if record.ended is None:
                world.leg(record).hang_up()
            await world.ended(record)
            await asyncio.sleep(0.2)
            assert all(peer.closed for peer in end.peers.made)
            assert record.end_reason in ("hangup", "connection_error")

    play(call())


def test_a_message_that_is_too_long_to_be_looked_at_is_one_warning() -> None:
    async def call() -> None:
        async with rtc_world(ActingBrain(lambda _: ())) as world:
            record, _, end = await joined(world)
            channel = await end.up()
            for _ in range(5):
                assert channel.on_too_long is not None
                channel.on_too_long()
            await asyncio.sleep(0.1)
            texts = [e.text for e in await world.events(record) if "bad message" in e.type]
            assert texts == [f"webrtc: {TOO_LONG}"]
            assert record.ended is None

    play(call())
