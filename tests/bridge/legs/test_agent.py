"""The AI side behind any join URL."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused, MissingExtra
from bridge.legs import agent
from bridge.legs.agent import agent_leg
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.webrtc import room_choice
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room import Access, RoomUser
from bridge.legs.webrtc.room_leg import RoomLeg
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import CallStarted, RoomInfo
from tests.fakes.fake_room import FakeRoom

Virtual = Callable[[Coroutine[Any, Any, None]], None]
RATES = Rates(16_000, 16_000)
ROOM_INFO = (
    '{"type":"room_info","roomUrl":"ws://127.0.0.1:1/r","token":"a.secret.token","callId":"c"}'
)


class Closes:
    """The server's end: notes how it was closed."""

    def __init__(self, socket: MediaSocket) -> None:
        self.code: int | None = None
        socket.start(self)

    def on_text(self, text: str) -> None:
        """Nothing is said."""

    def on_bytes(self, data: bytes) -> None:
        """Nothing is heard."""

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.code = code


class Rooms:
    """Stands for both clients; notes what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[FakeRoom] = []
        self.asked: list[tuple[object, ...]] = []
        self.begins: JoinRefused | float = 0.1
        monkeypatch.setattr(room_choice, "room_maker", self.maker)

    def maker(self, *asked: object) -> Callable[[Access, RoomUser, Lane], FakeRoom]:
        self.asked.append(asked)
        return self.make

    def make(self, access: Access, user: RoomUser, say: Lane) -> FakeRoom:
        self.made.append(FakeRoom(access, user, say, self.begins))
        return self.made[-1]


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    return Rooms(monkeypatch)


async def run(leg: AgentSocketLeg | RoomLeg) -> tuple[list[LegEvent], Lane, Ended]:
    events: list[LegEvent] = []
    lanes = Lane(leg.sink_hz, 2_000, "drop_oldest"), Lane(leg.source_hz, 32_000, "drop_newest")
    port = Port(lanes[1], lanes[0], events.append, lambda: None)
    return events, lanes[1], await leg.run(port)


def test_a_socket_that_begins_with_anything_else_is_a_media_socket(virtual: Virtual) -> None:
    async def call() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        Closes(server)
        server.send_text('{"type":"call_started","callId":"c"}')
        server.send_bytes(b"\1\0" * 320)
        leg = await agent_leg(client, RATES)
        assert isinstance(leg, AgentSocketLeg)
        server.send_bytes(b"\2\0" * 320)
        asyncio.get_running_loop().call_later(1, server.close, 1000)
        events, heard, ended = await run(leg)

        assert events[:1] == [MessageEvent(CallStarted(call_id="c"))]
        assert heard.pull(640).tolist() == [1] * 320 + [2] * 320
        assert ended.reason == "agent_hangup"

    virtual(call())


def test_audio_first_is_no_room_either(virtual: Virtual) -> None:
    async def call() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        server.send_bytes(b"\1\0" * 320)

        assert isinstance(await agent_leg(client, RATES), AgentSocketLeg)
        client.close()

    virtual(call())


def test_a_server_that_says_nothing_for_ten_seconds_has_no_room(virtual: Virtual) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        client, server = memory_pair(loop)

        leg = await agent_leg(client, RATES)

        assert 10 <= loop.time() < 10.1
        assert isinstance(leg, AgentSocketLeg)
        server.close(1011)
        _, _, ended = await run(leg)
        assert ended.reason == "connection_error"

    virtual(call())


def test_a_server_that_never_says_anything_is_given_up_in_one_sentence(virtual: Virtual) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        client, server = memory_pair(loop)
        end = Closes(server)

        leg = await agent_leg(client, RATES)
        assert isinstance(leg, AgentSocketLeg)
        _, _, ended = await run(leg)
        await asyncio.sleep(0.1)

        assert 15 <= loop.time() < 15.2
        assert ended.reason == "connection_error"
        assert "said nothing for 15 s" in ended.detail
        assert end.code == 1000

    virtual(call())


def test_a_socket_that_closes_first_is_told_by_the_leg(virtual: Virtual) -> None:
    async def call() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        server.close(1008, "no")
        leg = await agent_leg(client, RATES)
        assert isinstance(leg, AgentSocketLeg)
        _, _, ended = await run(leg)

        assert ended.reason == "connection_error"
        assert "broke a rule" in ended.detail

    virtual(call())


def test_room_info_joins_the_room_and_runs_there(virtual: Virtual, rooms: Rooms) -> None:
    async def call() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        end = Closes(server)
        server.send_text(ROOM_INFO)
        leg = await agent_leg(client, Rates(11_025, 16_000), client="own")
        assert isinstance(leg, RoomLeg)
        assert rooms.made[0].token == "a.secret.token"
        [(asked, info, peer, options)] = rooms.asked
        assert (asked, peer) == ("own", "memory server")
        assert isinstance(info, RoomInfo)
        assert options == RtcOptions(ear_hz=16_000, voice_hz=12_000).to_join()
        assert (leg.source_hz, leg.sink_hz) == (16_000, 12_000)
        asyncio.get_running_loop().call_later(1, server.close, 1000)
        events, _, ended = await run(leg)

        assert events == []
        assert ended.reason == "agent_hangup"
        assert rooms.made[0].stopped
        assert end.code == 1000

    virtual(call())


def test_a_room_that_refuses_us_closes_the_join_socket(virtual: Virtual, rooms: Rooms) -> None:
    async def call() -> None:
        rooms.begins = JoinRefused("127.0.0.1:1 takes no more calls now", status=503)
        client, server = memory_pair(asyncio.get_running_loop())
        end = Closes(server)
        server.send_text(ROOM_INFO)
        with pytest.raises(JoinRefused, match="takes no more calls"):
            await agent_leg(client, RATES)
        await asyncio.sleep(0.1)

        assert end.code == 1000

    virtual(call())


@pytest.mark.parametrize(
    "text", ['{"type":"room_info"}', '{"type":"room_info","roomUrl":5,"token":"t"}']
)
def test_a_room_that_cannot_be_found_is_refused_in_one_sentence(
    virtual: Virtual, text: str
) -> None:
    async def call() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        end = Closes(server)
        server.send_text(text)
        with pytest.raises(JoinRefused, match="does not say where its room is: room_info: room"):
            await agent_leg(client, RATES)
        await asyncio.sleep(0.1)

        assert end.code == 1000

    virtual(call())


def test_a_missing_part_is_named_and_the_socket_closed(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call() -> None:
        monkeypatch.setattr(room_choice, "missing_webrtc", lambda: "pip install 'tipring[webrtc]'")
        client, server = memory_pair(asyncio.get_running_loop())
        end = Closes(server)
        server.send_text(ROOM_INFO)
        with pytest.raises(MissingExtra, match=r"tipring\[webrtc\]"):
            await agent_leg(client, RATES, client="own")
        await asyncio.sleep(0.1)

        assert end.code == 1000

    virtual(call())


def test_who_gives_up_waiting_closes_the_socket(virtual: Virtual) -> None:
    async def call() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        end = Closes(server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await agent_leg(client, RATES)
        await asyncio.sleep(0.1)

        assert end.code == 1000

    virtual(call())


def test_what_is_not_installed_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "missing_webrtc", lambda: "pip install 'tipring[webrtc]'")
    monkeypatch.setitem(sys.modules, "bridge.legs.webrtc.rtc_room", None)  # an import of it fails

    agent.load_webrtc()
