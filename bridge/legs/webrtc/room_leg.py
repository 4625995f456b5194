"""The room leg: we are the client of a remote (or local) AI call over WebRTC.

Source: reference webrtc 1 and 3, ultravox 3.1. The join socket has told where the room is; it stays open for the whole
call, takes our messages that are too long for the data channel, and the call is over when it closes. A connection that
is lost is had back by joining the room anew, within bounds. What the caller said before the room was there is caught up
(`bridge.legs.webrtc.uplink`).
"""

import asyncio
from typing import Final

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused, LocalWireError, RemoteWireError
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.first_word import FirstWord
from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.come_back import ComeBack
from bridge.legs.webrtc.hush import Hush
from bridge.legs.webrtc.join_feed import JoinFeed
from bridge.legs.webrtc.later import Later
from bridge.legs.webrtc.room import Access, MakeRoom, Room
from bridge.legs.webrtc.stays import Stays
from bridge.legs.webrtc.uplink import Uplink
from bridge.legs.wire_feed import WireFeed
from bridge.wire.agent_socket import (
    AgentSocket,
    AnswerAgain,
    AudioReceived,
    ClearBuffer,
    Closed,
    Ignored,
    Message,
    MessageReceived,
    Rates,
    SocketEvent,
)
from bridge.wire.close_codes import GOING_AWAY, NORMAL, POLICY
from bridge.wire.livekit.events import LeaveReason
from bridge.wire.messages import PlaybackClearBuffer, RoomInfo
from bridge.wire.strict_json import utf8_size
from bridge_codecs.pcm import Int16

JOIN_S: Final = 10.0
"""From the join socket's room to a call that is heard."""
ON_CHANNEL_BYTES: Final = 1024
"""A longer message goes by the join socket, as all clients send it."""
PARTING_S: Final = 2.0
"""How long the join socket may stay open after the room has sent us away."""


class RoomLeg:
    """The AI side of a call over WebRTC that somebody else serves.

    Args:
        socket: the join socket, whose first message was `info`; not started.
        info: where the room is, and the token for it.
        rates: of what the agent hears, and of what we hear, Hz; both rates that Opus has.
        make_room: makes a stay in the room.
        may_go_away: whether an agent whose server goes away (1001) has ended the call, or is lost.
    """

    name = "room"

    def __init__(
        self,
        socket: MediaSocket,
        info: RoomInfo,
        rates: Rates,
        make_room: MakeRoom,
        *,
        may_go_away: bool = True,
    ) -> None:
        self.source_hz = rates.output_hz
        self.sink_hz = rates.input_hz
        self.rejoins = 0
        """How often the connection was lost and had back."""
        self._socket = socket
        self._may_go_away = may_go_away
        self.uplink = Uplink(rates.input_hz)
        """What the caller says, in front of the room."""
        self._wire = AgentSocket("client", rates)
        self._feed = WireFeed(self._wire, self._take, self._refuse)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._ended.add_done_callback(self._leave)
        access = Access(info.room_url, info.token)
        self._stays = Stays(
            lambda: make_room(access, self, self.uplink.lane), self._ended, self._messages_lost
        )
        self._come_back = ComeBack(self._stays.enter, self._back, self._give_up)
        self._has_spoken = False
        self._first_word = FirstWord(lambda: self._has_spoken, self._post, self._end)
        self._parting: asyncio.TimerHandle | None = None
        self._later = Later()
        self._hush = Hush(rates.output_hz, self._push, self._end_segment)

    # Joining, and the whole call

    async def join(self) -> None:
        """Return when we can be heard. Raises: JoinRefused; nothing is left of the call then."""
        self._socket.start(JoinFeed(self._feed.on_text, self._emit, self._socket_closed))
        try:
            async with asyncio.timeout(JOIN_S):
                await self._stays.enter()
        except TimeoutError:
            await self._give_back()
            raise JoinRefused(f"the agent's room did not take us in within {JOIN_S:g} s") from None
        except BaseException:
            await self._give_back()
            raise

    async def run(self, port: Port) -> Ended:
        """Relay until the agent's side ends the call; on cancellation, leave it."""
        lane = port.incoming
        lane.on_ready = lambda: self._send_audio(lane)
        self._later.begin(port)
        self._send_audio(lane)
        if self._stays.current is not None:  # else when the lost connection is back
            self._first_word.begin()
        try:
            return await self._ended
        finally:
            lane.on_ready = None
            await self._give_back()

    async def _give_back(self) -> None:
        self._end(Ended("hangup"))
        self._leave()
        self._socket.close(NORMAL)
        await self._stays.closed()

    def _leave(self, _ended: object = None) -> None:
        if self._parting is not None:
            self._parting.cancel()
        self._first_word.stop()
        self._come_back.stop()
        self._stays.leave()

    # From the room

    def hear(self, room: Room, samples: Int16) -> None:
        """See RoomUser."""
        if room is self._stays.current:
            self._hush.hear(samples)

    def take(self, room: Room, payload: bytes) -> None:
        """See RoomUser."""
        if room is not self._stays.current or self._ended.done():
            return
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self.warn(room, "ignored: bad message", "a data message is not UTF-8")
        else:
            self._feed.on_text(text)

    def lost(self, room: Room, why: str) -> None:
        """See RoomUser."""
        if room is not self._stays.current or self._ended.done() or self._parting is not None:
            return
        self._stays.leave()
        self._first_word.stop()
        self._hush.reset()
        self._emit(Warned("connection_lost", why))
        self._come_back.lost(why)

    def sent_away(self, room: Room, reason: LeaveReason) -> None:
        """See RoomUser."""
        if room is self._stays.current and self._parting is None:
            self._parting = self._loop.call_later(PARTING_S, self._room_is_over, reason)

    def warn(self, room: Room, type_: str, sentence: str) -> None:
        """See RoomUser."""
        if room is self._stays.current:
            self._emit(Warned(type_, sentence))

    def _messages_lost(self, n: int) -> None:
        sentence = f"{n} messages for a room that was away were too many"
        self._emit(Warned("message_not_sent", sentence))

    def _back(self) -> None:
        self.rejoins += 1
        self._first_word.begin()
        self._emit(Warned("reconnected", "the room has taken us in again"))

    def _give_up(self, why: str) -> None:
        self._end(Ended("connection_error", why))

    def _room_is_over(self, reason: LeaveReason) -> None:
        if reason in ("room_deleted", "room_closed", "participant_removed"):
            self._end(Ended("agent_hangup"))
        else:
            self._end(Ended("connection_error", f"the room has sent us away: {reason}"))

    # From the agent

    def _take(self, event: SocketEvent) -> None:
        match event:
            case MessageReceived(message=RoomInfo()):
                pass  # said once; a second one must not move the call
            case MessageReceived(message=message):
                self._has_spoken = True
                self._emit(MessageEvent(message))
            case ClearBuffer():
                self._later.do(_clear_far)
            case AnswerAgain(answer=answer):
                self._post(answer)
            case Ignored(reason=reason, detail=detail):
                self._emit(Warned(f"ignored: {reason}", detail))
            case Closed(code=code, orderly=orderly, detail=detail):
                orderly = orderly and (self._may_go_away or code != GOING_AWAY)
                self._end(Ended("agent_hangup" if orderly else "connection_error", detail))
            case AudioReceived():
                pass  # the join socket carries none: its feed does not let any through

    def _socket_closed(self, code: int, reason: str, ours: bool) -> None:
        self._feed.on_close(code, reason, ours=ours)

    def _push(self, samples: Int16) -> None:
        self._has_spoken = True
        self._later.do(lambda port: port.outgoing.push(samples))

    def _end_segment(self) -> None:
        self._later.do(lambda port: port.outgoing.end_segment())

    def _emit(self, event: LegEvent) -> None:
        self._later.do(lambda port: port.emit(event))

    # To the agent

    def clear(self) -> None:
        """Drop what has not become a packet yet."""
        self.uplink.clear()

    def receive(self, event: LegEvent) -> None:
        """Pass the caller's data messages on; what is out of order by now is left out, too large warned of."""
        if isinstance(event, MessageEvent) and self._wire.may_send(event.message):
            self._post(event.message)

    async def drain(self) -> None:
        """Nothing to wait for: the agent is not told goodbye."""

    def _post(self, message: Message) -> None:
        try:
            text = self._wire.text(message)
        except LocalWireError as exc:
            self._emit(Warned("message_not_sent", str(exc)))
            return
        if utf8_size(text) > ON_CHANNEL_BYTES:
            self._socket.send_text(text)
        else:
            self._stays.post(text)

    def _send_audio(self, lane: Lane) -> None:
        while (samples := lane.pull(max(1, lane.depth_samples))).size:
            self.uplink.push(samples)
            lane.ledger.sent(samples.size, self._loop.time())

    # Ending

    def _refuse(self, exc: RemoteWireError) -> None:
        self._socket.close(exc.close_code or POLICY, "protocol error")
        self._end(Ended("connection_error", f"the agent's side broke the protocol: {exc}"))

    def _end(self, ended: Ended) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)


def _clear_far(port: Port) -> None:
    port.clear_far()
    port.emit(MessageEvent(PlaybackClearBuffer()))
