"""One connection of a LiveKit client to the room of its call: signalling, and the peer connections it is about.

What the two settle by signalling is worked off by the link's one task (`negotiation`). A client that says nothing for
15 s is gone; one whose media does not come about or breaks is told to join anew.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bridge.errors import BridgeError, RemoteWireError
from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.figures import LinkFigures
from bridge.legs.webrtc.link import NOT_TAKEN, TOO_LONG, LinkUser, Parting
from bridge.legs.webrtc.negotiation import Negotiation
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.served_peers import MakePeer, ServedPeers, make_peer
from bridge.legs.webrtc.signs_of_life import SignsOfLife
from bridge.log import whereabouts
from bridge.wire.close_codes import (
    BAD_TEXT,
    GOING_AWAY,
    NORMAL,
    POLICY,
    PROTOCOL_ERROR,
    TOO_BIG,
)
from bridge.wire.livekit.data import PacketReader, user_packet
from bridge.wire.livekit.events import (
    AddTrack,
    IceServer,
    Ignored,
    LeaveAction,
    LeaveReason,
    Left,
    Muted,
    ServerEvent,
    TrackSetting,
)
from bridge.wire.livekit.intake import NO_USE
from bridge.wire.livekit.join_request import JoinRequest
from bridge.wire.livekit.names import RoomNames
from bridge.wire.livekit.server_session import ServerSession
from bridge_codecs.pcm import Int16

if TYPE_CHECKING:
    from bridge.legs.webrtc.voice import Voice

log = logging.getLogger(__name__)

SILENT_S: Final = 15.0
"""A client that says nothing for so long is gone; it pings every 5 s."""
_PARTINGS: Final[dict[Parting, LeaveReason]] = {
    "over": "room_closed",
    "replaced": "duplicate_identity",
    "server stops": "server_shutdown",
}


class RoomLink:
    """See Link.

    Args:
        socket: of the signalling, not yet started.
        request: what the client said of itself.
        names: of its stay in the room.
        options: of the peer connections.
        chance: for SIDs.
        make: makes a peer connection.
    """

    def __init__(
        self,
        socket: MediaSocket,
        request: JoinRequest,
        names: RoomNames,
        *,
        options: RtcOptions,
        chance: random.Random,
        make: MakePeer = make_peer,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._signalled_s = self._loop.time()
        self._socket = socket
        self._request = request
        self._session = ServerSession(
            request.version, names, chance, ice_servers=_ice_servers(options)
        )
        self._peers = ServedPeers(self, request.version, options, make)
        self._reader = PacketReader(names.user.identity)
        self._identity = names.agent.identity
        self._negotiation = Negotiation(self._session, self._peers, socket.send_bytes, self._note)
        self._signs = SignsOfLife(SILENT_S, lambda: self._signalled_s, self._silent)
        self._user: LinkUser | None = None
        self._announced = False
        self._over = False
        self._work: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def heard_s(self) -> float:
        """See Link."""
        return max(self._signalled_s, self._peers.heard_s)

    @property
    def figures(self) -> LinkFigures:
        """See Link."""
        return LinkFigures(self._request.version, self._request.client, self._peers.heard)

    def start(self, user: LinkUser, voice: "Voice") -> None:
        """See Link."""
        self._user = user
        self._work = self._loop.create_task(self._work_off(voice), name="webrtc room link")
        self._signs.begin()
        self._socket.start(self)

    def send(self, text: str) -> None:
        """See Link."""
        if self._over:
            return
        packet = user_packet(text.encode(), identity=self._identity)
        if not self._peers.send(packet) and self._user is not None:
            self._user.warn(self, "message_not_sent", NOT_TAKEN)

    def stop(self, parting: Parting) -> None:
        """See Link."""
        if not self._over:
            code = GOING_AWAY if parting == "server stops" else NORMAL
            self._leave(_PARTINGS[parting], "disconnect", code)
        self._give_back()

    async def closed(self) -> None:
        """See Link."""
        if self._closing is not None:
            await asyncio.shield(self._closing)

    # A SocketReceiver

    def on_bytes(self, data: bytes) -> None:
        """A signalling message."""
        now_s = self._signalled_s = self._loop.time()
        self._take(lambda: self._session.receive(data, now_s))

    def on_text(self, text: str) -> None:  # noqa: ARG002 - the protocol has none
        """Nothing that the protocol knows."""
        now_s = self._loop.time()
        self._take(lambda: self._session.receive_text(now_s))

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The signalling is over; media may go on until the client is back."""
        if self._over:
            return
        if ours and code in (PROTOCOL_ERROR, BAD_TEXT, POLICY, TOO_BIG):
            self._refuse(RemoteWireError(f"on the signalling socket, {reason}", close_code=code))
        else:
            self._lose(f"the signalling connection closed with code {code}")

    # A ServedPeersUser

    def hear(self, samples: Int16) -> None:
        """Audio of the microphone."""
        if self._user is not None:
            self._user.hear(self, samples)

    def data(self, packet: bytes | str) -> None:
        """A data packet."""
        self._signalled_s = self._loop.time()
        if self._user is None:
            return
        try:
            came = self._reader.read(packet if isinstance(packet, bytes) else packet.encode())
        except RemoteWireError as exc:
            self._user.bad_message(self, str(exc))
        else:
            if came is not None:
                self._user.take(self, came.payload)

    def too_long(self) -> None:
        """A message that is too long to be looked at."""
        if self._user is not None:
            self._user.bad_message(self, TOO_LONG)

    def changed(self) -> None:
        """Something of the peers is up that was not before."""
        if self._announced and self._peers.hears and self._peers.open and self._user is not None:
            self._user.ready(self)

    def broke(self, why: str) -> None:
        """A peer connection is lost: the client shall join anew."""
        if not self._over:
            self._leave("media_failure", "reconnect", NORMAL)
            self._lose(why)

    # Events, one after the other

    def _take(self, receive: Callable[[], list[ServerEvent]]) -> None:
        if self._over:
            return
        try:
            events = receive()
        except RemoteWireError as exc:
            self._refuse(exc)
        else:
            self._negotiation.take(events)

    async def _work_off(self, voice: "Voice") -> None:
        try:
            await self._negotiation.run(self._request, voice)
        except RemoteWireError as exc:
            self._refuse(exc)
        except BridgeError as exc:
            self.broke(str(exc))
        except Exception as exc:  # noqa: BLE001 - the border of a link: a bug costs one connection, and leaves its trace
            log.error("! a connection to a room failed: %s", whereabouts(exc))  # noqa: TRY400 - no words of it
            self.broke("the connection failed inside")

    def _note(self, event: ServerEvent) -> None:
        assert self._user is not None
        match event:
            case AddTrack():
                self._announced = True
                self.changed()
            case TrackSetting(disabled):
                self._user.mute(self, disabled=disabled)
            case Ignored(what, sentence):
                if what != NO_USE:  # clients say much that a server like ours has no use for
                    self._user.warn(self, f"ignored: {what}", sentence)
            case Left():
                self._end()
                self._socket.close(NORMAL)
                self._user.lost(self, "the client left its room", left=True)
                self._give_back()
            case Muted():
                pass  # a muted client sends silence
            case _:
                raise AssertionError(event)

    # Ending

    def _silent(self, why: str) -> None:
        self._lose(why)
        self._socket.close(NORMAL)

    def _refuse(self, exc: RemoteWireError) -> None:
        if not self._over:
            self._leave("join_failure", "disconnect", exc.close_code)
            assert self._user is not None
            self._user.refuse(self, exc)

    def _lose(self, why: str) -> None:
        self._end()
        assert self._user is not None
        self._user.lost(self, why)

    def _leave(self, reason: LeaveReason, action: LeaveAction, code: int) -> None:
        """Tell the client to go, and close the signalling."""
        if self._user is not None:  # else the socket was never started
            self._socket.send_bytes(self._session.leave(reason, action))
        self._end()
        self._socket.close(code)

    def _end(self) -> None:
        """Nothing more is signalled; media goes on until the link is stopped."""
        self._over = True
        self._signs.stop()

    def _give_back(self) -> None:
        if self._closing is None:
            self._closing = self._loop.create_task(self._close(), name="webrtc room link closing")

    async def _close(self) -> None:
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()
            await asyncio.wait((self._work,))
        await self._peers.close()


def _ice_servers(options: RtcOptions) -> list[IceServer]:
    return [
        IceServer((each.url,), each.username or "", each.credential or "")
        for each in options.ice_servers
    ]
