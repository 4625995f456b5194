"""A stay in a room without a network, which a test plays; and a room leg with its join socket on it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.webrtc.room import Access, RoomUser
from bridge.legs.webrtc.room_leg import RoomLeg
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import RoomInfo
from bridge_codecs.pcm import Int16

RATE_HZ = 16_000
INFO = RoomInfo(room_url="ws://127.0.0.1:1/rooms/call", token="a.secret.token")


class FakeRoom:
    """One stay: how it begins is given, what it got is kept."""

    def __init__(
        self, access: Access, user: RoomUser, say: Lane, begins: JoinRefused | float
    ) -> None:
        self.access = access
        self.token = access.token
        self.user = user
        self.say = say
        self.sent: list[object] = []
        self.stopped = False
        self.heard_s = 0.0
        self._begins = begins

    async def join(self) -> None:
        if isinstance(self._begins, JoinRefused):
            raise self._begins
        await asyncio.sleep(self._begins)

    def send(self, payload: bytes) -> None:
        self.sent.append(json.loads(payload))

    def stop(self) -> None:
        self.stopped = True

    async def closed(self) -> None:
        await asyncio.sleep(0.01)

    # What a test does

    def speak(self, samples: Int16) -> None:
        self.user.hear(self, samples)

    def tell(self, **message: object) -> None:
        self.user.take(self, json.dumps(message).encode())


@dataclass
class RoomWorld:
    """A room leg, the server's end of its join socket, and what the relay would see."""

    leg: RoomLeg
    rooms: list[FakeRoom]
    texts: list[object] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    events: list[LegEvent] = field(default_factory=list)
    clears: int = 0
    server: MediaSocket | None = None

    def __post_init__(self) -> None:
        self.uplink = Lane(RATE_HZ, 2_000, "drop_oldest", opening_ms=12_000)
        self.downlink = Lane(RATE_HZ, 32_000, "drop_newest")

    @property
    def room(self) -> FakeRoom:
        return self.rooms[-1]

    @property
    def messages(self) -> list[object]:
        return [event.message for event in self.events if isinstance(event, MessageEvent)]

    @property
    def warnings(self) -> list[Warned]:
        return [event for event in self.events if isinstance(event, Warned)]

    def run(self) -> "asyncio.Task[Ended]":
        port = Port(self.downlink, self.uplink, self.events.append, self._clear)
        return asyncio.create_task(self.leg.run(port), name="room leg")

    def _clear(self) -> None:
        self.clears += 1

    # The server's end of the join socket

    def on_text(self, text: str) -> None:
        self.texts.append(json.loads(text))

    def on_bytes(self, data: bytes) -> None:
        self.texts.append(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)


def room_world(
    begins: Callable[[int], JoinRefused | float] = lambda _n: 0.1, *, may_go_away: bool = True
) -> RoomWorld:
    """A leg whose n-th stay begins as `begins` says: after so many seconds, or not at all."""
    client, server = memory_pair(asyncio.get_running_loop())
    rooms: list[FakeRoom] = []

    def make(access: Access, user: RoomUser, say: Lane) -> FakeRoom:
        rooms.append(FakeRoom(access, user, say, begins(len(rooms))))
        return rooms[-1]

    leg = RoomLeg(client, INFO, Rates(RATE_HZ, RATE_HZ), make, may_go_away=may_go_away)
    world = RoomWorld(leg, rooms, server=server)
    server.start(world)
    return world
