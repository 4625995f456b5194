"""The rooms of calls over WebRTC: which token opens which, and whose leg stands behind it.

A room is there while its call is; it is named after the call, and its token, which the client gets on the join socket,
is good for as long as the call may last, because a client that lost its connection joins with it again. The signing
secret lives as long as the process: so do the calls.
"""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from bridge.calls.errors import CallOver, RoomRefused, TooManyJoins
from bridge.calls.records import CallRecord
from bridge.calls.settings import WebRtcMedium
from bridge.clock import Clock
from bridge.ids import Ids
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.entrance import Entrance
from bridge.legs.webrtc.figures import COUNTED, TIMED_MS, RtcFigures, Transport
from bridge.legs.webrtc.installed import missing_webrtc
from bridge.legs.webrtc.leg import WebRtcLeg
from bridge.legs.webrtc.speech import MakeVoice
from bridge.wire.agent_socket import Rates
from bridge.wire.livekit.names import USER, make_sid
from bridge.wire.livekit.tokens import check_token, issue_token
from bridge.wire.messages import EnabledDataMessages, RoomInfo

API_KEY: Final = "tipring"
ROOMS_PATH: Final = "/rooms/"
SECRET_BYTES: Final = 32
LEEWAY_S: Final = 300.0
"""A token is good for so much longer than its call may last."""
MAX_JOINS: Final = 20
JOINS_WITHIN_S: Final = 60.0
"""A client that joins its room more often than this is made to wait: each join costs tens of milliseconds."""
NOT_SERVED: Final = "No calls over WebRTC here: ask for the medium serverWebSocket instead."


@dataclass(slots=True)
class Room:
    """One call's."""

    name: str
    leg: WebRtcLeg
    sid: str
    joins: deque[float] = field(default_factory=deque)
    """When, loop time; the last ones."""


class Rooms:
    """The rooms of one server.

    Args:
        now: stamps tokens.
        make_voice: makes what a client hears.
        ids: source of chance, for SIDs.
        secret: signs tokens; left out, one that nobody knows.
        missing: why no such call can be made here; left out, what is not installed.
    """

    def __init__(
        self,
        now: Clock,
        make_voice: MakeVoice,
        *,
        ids: Ids | None = None,
        secret: bytes | None = None,
        missing: Callable[[], str | None] = missing_webrtc,
    ) -> None:
        self.chance = (ids or Ids()).random
        self._rejoins = 0
        self._past: Counter[str] = Counter()
        """Sums over the calls that are over."""
        self._ended: Counter[Transport] = Counter()
        self._now = now
        self._make_voice = make_voice
        self._secret = secret or secrets.token_bytes(SECRET_BYTES)
        self._missing = missing
        self._rooms: dict[str, Room] = {}

    def missing(self) -> str | None:
        """Why no call over WebRTC can be made here, in one sentence; None if it can."""
        return self._missing()

    def open(
        self,
        record: CallRecord,
        entrance: Entrance,
        enabled: EnabledDataMessages,
        recorder: Recorder | None,
    ) -> WebRtcLeg:
        """Make the leg of a call and its room, which is there until the leg is over."""
        name, medium = record.call_id, WebRtcMedium
        leg = WebRtcLeg(
            entrance,
            rates=Rates(medium.input_hz, medium.output_hz),
            enabled=enabled,
            make_voice=self._make_voice,
            room_info=RoomInfo(
                room_url=f"{entrance.base}{ROOMS_PATH}{name}", token=self._token(record)
            ),
            recorder=recorder,
            on_over=lambda: self.forget(name),
        )
        self._rooms[name] = Room(name, leg, make_sid("RM", self.chance))
        return leg

    @property
    def n_open(self) -> int:
        """How many calls over WebRTC are up."""
        return len(self._rooms)

    @property
    def n_away(self) -> int:
        """Of these: how many have a client without a connection."""
        return sum(room.leg.away for room in self._rooms.values())

    @property
    def rejoins(self) -> int:
        """How often a client came back to its call with another connection."""
        return self._rejoins + sum(room.leg.rejoins for room in self._rooms.values())

    @property
    def sums(self) -> Mapping[str, float]:
        """Of all calls, ended or not: the figures that can be added up, under their names in `RtcFigures`."""
        sums = Counter(self._past)
        for room in self._rooms.values():
            sums.update(_sums(room.leg.figures))
        return sums

    @property
    def ended(self) -> Mapping[Transport, int]:
        """How many calls are over whose client had a connection, by the kind of its last one."""
        return self._ended

    def room(self, name: str) -> Room | None:
        """The room of this name, while its call is there."""
        return self._rooms.get(name)

    def check(self, name: str, token: str | None) -> Room:
        """The room that a token opens. Raises: RoomRefused; CallOver where its call has ended."""
        if not token:
            raise RoomRefused("There is no token: send the one of the room_info.")
        grant = check_token(self._secret, token, room=name, now_s=self._now().timestamp())
        if isinstance(grant, str):
            raise RoomRefused(f"{grant[0].upper()}{grant[1:]}.")
        room = self._rooms.get(name)
        if room is None or not room.leg.running:
            raise CallOver("The call of this room has ended.")
        return room

    def admit(self, name: str, token: str | None) -> Room:
        """The same for a client that joins. Raises: TooManyJoins as well."""
        room = self.check(name, token)
        self.count_join(room)
        return room

    def count_join(self, room: Room) -> None:
        """A client joins a room it may join. Raises: TooManyJoins for one that does so again and again."""
        now_s = asyncio.get_running_loop().time()
        while room.joins and room.joins[0] < now_s - JOINS_WITHIN_S:
            room.joins.popleft()
        if len(room.joins) >= MAX_JOINS:
            wait_s = ceil(room.joins[0] + JOINS_WITHIN_S - now_s) or 1
            raise TooManyJoins("This room was joined too often.", retry_after_s=wait_s)
        room.joins.append(now_s)

    def _token(self, record: CallRecord) -> str:
        valid_s = record.settings.max_duration_s + LEEWAY_S
        return issue_token(
            self._secret,
            api_key=API_KEY,
            identity=USER,
            room=record.call_id,
            now_s=self._now().timestamp(),
            valid_s=valid_s,
        )

    def forget(self, name: str) -> None:
        """The call is over; may be said again, and of calls that have no room."""
        room = self._rooms.pop(name, None)
        if room is not None:
            figures = room.leg.figures
            self._rejoins += figures.rejoins
            self._past.update(_sums(figures))
            if figures.transport is not None:
                self._ended[figures.transport] += 1


def _sums(figures: RtcFigures) -> Mapping[str, float]:
    return {name: getattr(figures, name) for name in (*COUNTED, *TIMED_MS)}
