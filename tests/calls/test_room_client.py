"""Our own client in calls of our own server, over real peer connections, in both signalling versions."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.batch import one_call
from bridge.batch.caller import CallerTurn
from bridge.batch.live import Loaded
from bridge.batch.plan import CallerInput, CallPlan
from bridge.legs.join_url import announced
from bridge.legs.peeked_socket import PeekedSocket
from bridge.legs.picows_listener import PicowsSocket
from bridge.legs.picows_socket import connect
from bridge.legs.webrtc import room_leg
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room import Access, Room
from bridge.legs.webrtc.room_leg import RoomLeg
from bridge.legs.webrtc.rtc_room import RtcRoom
from bridge.legs.webrtc.source_guard import GuardedProtocol
from bridge.wire.livekit.events import LeaveReason, Version
from bridge.wire.messages import (
    CallStarted,
    ClientToolInvocation,
    ClientToolResult,
    HangUp,
    Pong,
    UserTextMessage,
)
from bridge_codecs.pcm import Int16
from tests.fakes.own_time import own_time_s
from tests.fakes.room_caller import RATE_HZ, RoomCaller, audible, room_caller
from tests.fakes.rtc_served import rtc_served, until

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
"""A data channel sends what is lost again after a second, then two, then four."""
JOINED_S = 0.3
"""From the join URL to the agent's first sound, on loopback."""
TRIES = 5
GREETING = ("agent", "Hello, what can I do for you today?")
WAITS: dict[str, object] = {"firstSpeakerSettings": {"user": {}}}
TALK = "One two three four five six seven eight nine ten eleven twelve."


@pytest.fixture(params=["v1", "v0"])
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Version:
    """The signalling that our client begins with."""
    chosen: Version = request.param

    def access(room_url: str, token: str) -> Access:
        return Access(room_url, token, version=chosen)

    monkeypatch.setattr(room_leg, "Access", access)
    return chosen


async def greeted(caller: RoomCaller) -> None:
    await caller.until(
        lambda: GREETING in caller.finals and caller.states[-1] == "listening", PATIENCE_S
    )


async def test_a_whole_call(tmp_path: Path, version: Version) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created()
        async with room_caller(call["joinUrl"]) as caller:
            assert isinstance(caller.leg, RoomLeg)
            await greeted(caller)
            assert caller.of(CallStarted)[0].call_id == call["callId"]
            assert 1.0 < audible(caller.heard()) / RATE_HZ < 3.0

            caller.say(UserTextMessage(text="look"))
            await caller.until(lambda: caller.of(ClientToolInvocation))
            [asked] = caller.of(ClientToolInvocation)
            assert asked.parameters == {"where": "outside"}
            seen = "a garden, " * 150
            result = ClientToolResult(
                invocation_id=asked.invocation_id, result=f'{{"seen": "{seen}"}}'
            )
            caller.say(result)
            await caller.until(lambda: caller.states[-1] == "speaking")
            caller.say(UserTextMessage(text="bye", urgency="immediate"))
            await caller.until(lambda: caller.ended)

            assert caller.ended is not None
            assert caller.ended.reason == "agent_hangup"
            assert caller.finals[-1] == ("agent", "Goodbye then.")
            assert audible(caller.heard()) > RATE_HZ / 2
            assert caller.warnings == []
        record = await served.ended(call["callId"])

        assert record["endReason"] == "agent_hangup"
        assert record["clientVersion"].startswith("tipring_")
        assert served.rooms.n_open == 0


async def test_the_caller_is_heard_and_hangs_up(tmp_path: Path, version: Version) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created(model="tipring/echo", selectedTools=[])
        async with room_caller(call["joinUrl"]) as caller:
            await caller.until(lambda: caller.states[-1:] == ["listening"])
            tone = np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)
            await caller.speak((8_000 * tone).astype(np.int16))
            await caller.speak(np.zeros(RATE_HZ // 2, np.int16))
            await caller.until(lambda: caller.downlink.depth_ms > 800)

            assert 0.8 < audible(caller.heard()) / RATE_HZ < 1.3
        record = await served.ended(call["callId"])

        assert record["endReason"] == "hangup"


async def test_a_hang_up_by_message_is_the_agents(tmp_path: Path) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created(**WAITS)
        async with room_caller(call["joinUrl"]) as caller:
            await caller.until(lambda: caller.states)
            caller.say(HangUp(message="So long."))
            await caller.until(lambda: caller.ended)

            assert caller.finals[-1] == ("agent", "So long.")


async def test_a_dropped_connection_is_had_back_and_the_call_goes_on(
    tmp_path: Path, version: Version
) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created(**WAITS)
        async with room_caller(call["joinUrl"]) as caller:
            await caller.until(lambda: caller.states)
            served.cut_signalling(call["callId"])
            await caller.until(lambda: "reconnected" in caller.warnings, PATIENCE_S)
            caller.say(UserTextMessage(text="look"))
            await caller.until(lambda: caller.downlink.depth_ms > 300)

            assert caller.warnings == ["connection_lost", "reconnected"]
            assert served.leg(call["callId"]).rejoins == 1
        record = await served.ended(call["callId"])
        assert record["endReason"] == "hangup"


class _Listener:
    """Who joins a room without a leg: keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.losses: list[str] = []

    def hear(self, room: Room, samples: Int16) -> None:
        """Ignored."""

    def take(self, room: Room, payload: bytes) -> None:
        self.texts.append(payload)

    def lost(self, room: Room, why: str) -> None:
        self.losses.append(why)

    def sent_away(self, room: Room, reason: LeaveReason) -> None:
        raise AssertionError(reason)

    def warn(self, room: Room, type_: str, sentence: str) -> None:
        raise AssertionError(sentence)


@asynccontextmanager
async def staying(access: Access) -> AsyncIterator[tuple[RtcRoom, _Listener]]:
    """Our client in a room, without the leg that watches the join socket too."""
    user, options = _Listener(), RtcOptions(addresses=("127.0.0.1",))
    room = RtcRoom(
        access, user, Lane(RATE_HZ, 100, "drop_oldest"), options=options, connect=connect
    )
    try:
        await room.join()
        yield room, user
    finally:
        room.stop()
        await room.closed()


async def test_a_client_whose_network_took_all_its_connections_comes_back_by_its_token(
    tmp_path: Path,
) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created(**WAITS)
        socket = await connect(announced(call["joinUrl"]))
        peeked = PeekedSocket(socket)
        info = json.loads(await peeked.first_text(PATIENCE_S) or "")
        access = Access(info["roomUrl"], info["token"])
        async with staying(access) as (room, user):
            await until(lambda: bool(user.texts), PATIENCE_S)
            assert room._link is not None
            for each in (socket, room._link._socket):
                assert isinstance(each, PicowsSocket)
                each.abort()
            leg = served.leg(call["callId"])
            await until(lambda: leg.away and not leg._departure._has_socket, PATIENCE_S)
            assert user.losses
        async with staying(access) as (_, user):
            leg.send(Pong(timestamp=7))
            await until(lambda: any(b"pong" in text for text in user.texts), PATIENCE_S)

        record = await served.ended(call["callId"])
        assert (
            record["endReason"] == "hangup"
        )  # it left its room, and there is no join socket any more
        told = [event["type"] for event in await served.events(call["callId"])]
        assert "join_socket_lost" in told
        assert served.rooms.n_open == 0


async def test_a_server_that_stops_ends_the_call(tmp_path: Path) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created(**WAITS)
        async with room_caller(call["joinUrl"]) as caller:
            await caller.until(lambda: caller.states)
            await served.server.service.close()
            await caller.until(lambda: caller.ended)

            assert caller.ended is not None
            assert caller.ended.reason == "agent_hangup"


class Loss:
    """Loses datagrams of all kinds on their way to both ends, by a seed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, part: float) -> None:
        self.lost = 0
        self.passed = 0
        self.on = True
        chance, take = random.Random(4), GuardedProtocol.datagram_received

        def lossy(protocol: GuardedProtocol, data: bytes, address: tuple[str, int]) -> None:
            if self.on and chance.random() < part:
                self.lost += 1
            else:
                self.passed += self.on
                take(protocol, data, address)

        monkeypatch.setattr(GuardedProtocol, "datagram_received", lossy)


async def said(caller: RoomCaller) -> float:
    """How long the agent talks when it is asked to, s."""
    caller.heard()
    caller.say(UserTextMessage(text="talk"))
    await caller.until(lambda: ("agent", TALK) in caller.finals, PATIENCE_S)
    await caller.until(lambda: caller.states[-1] == "listening", PATIENCE_S)
    await asyncio.sleep(0.4)
    return audible(caller.heard()) / RATE_HZ


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.05, 0.1])
async def test_a_call_through_a_lossy_network_is_understood_and_keeps_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    loss = Loss(monkeypatch, part)
    loss.on = (
        part < 0.1
    )  # through more than that DTLS may take longer to come about than we wait for it
    async with rtc_served(tmp_path) as served:
        call = await served.created()
        async with room_caller(call["joinUrl"]) as caller:
            loss.on = True
            await greeted(caller)
            holed_s = await said(caller)
            assert loss.lost > part / 2 * loss.passed > 10
            loss.on = False
            caller.events.clear()
            whole_s = await said(caller)

            assert holed_s == pytest.approx(whole_s, abs=0.1)
            assert caller.warnings == []
            loss.on = True
            caller.say(UserTextMessage(text="bye"))
            await caller.until(lambda: caller.ended, PATIENCE_S)
            assert caller.finals[-1] == ("agent", "Goodbye then.")
        record = await served.ended(call["callId"])
        assert record["endReason"] == "agent_hangup"


async def test_joining_takes_no_longer_than_a_third_of_a_second(tmp_path: Path) -> None:
    async with rtc_served(tmp_path) as served:
        taken: list[float] = []
        while len(taken) < TRIES and min(taken, default=1.0) >= JOINED_S:
            call = await served.created()
            started_s = own_time_s()
            async with room_caller(call["joinUrl"]) as caller:
                lane = caller.downlink
                await caller.until(lambda lane=lane: lane.depth_samples)  # type: ignore[misc]
                taken.append(own_time_s() - started_s)

        assert min(taken) < JOINED_S


@pytest.mark.slow
@pytest.mark.skipif(find_spec("livekit.rtc") is None, reason="the livekit wheel is not installed")
async def test_livekits_own_library_is_a_caller_too(tmp_path: Path) -> None:
    async with rtc_served(tmp_path) as served:
        call = await served.created(model="tipring/echo", selectedTools=[])
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.wheel_caller", call["joinUrl"]),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'codecs'}"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(program.communicate(), 30)
        assert program.returncode == 0, err.decode()
        told = json.loads(out)

        assert (told["client"], told["warnings"]) == ("WheelRoom", [])
        assert 0.8 < told["heard_s"] < 1.3
        assert call["callId"] not in err.decode()
        record = await served.ended(call["callId"])
        assert record["endReason"] == "hangup"


@pytest.mark.parametrize("made_by", ["somebody else", "us"])
async def test_a_file_calls_over_webrtc(tmp_path: Path, made_by: str) -> None:
    async with rtc_served(tmp_path) as served:
        if made_by == "us":
            where = {"api_url": str(served.http.base_url), "webrtc": True}
        else:
            call = await served.created(model="tipring/echo", selectedTools=[])
            where = {"join_url": call["joinUrl"]}
        plan = CallPlan(
            inputs=(CallerInput(Path("tone.wav")),),
            out_dir=tmp_path,
            record=False,
            model="tipring/echo" if made_by == "us" else None,
            sample_rate_hz=RATE_HZ,
            tail_s=0.5,
            **where,  # type: ignore[arg-type]
        )
        tone = 8_000 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)
        turn = CallerTurn("tone.wav", tone.astype(np.int16))

        result = await one_call._call(plan, Loaded((turn,), {}), lambda _: None)

        assert result.end_reason == "hangup"
        assert (await served.ended(result.call_id))["endReason"] == "hangup"
        assert 0.8 < audible(result.agent) / RATE_HZ < 1.3
