"""One connection of a client without LiveKit: its offer, our answer, and a data channel that it opens (WHIP).

The data channel may have any label; it carries the same JSON messages both ways, of any length that a message may have.
A device whose offer has no data channel is there as soon as it is connected. There is no signalling besides: a
connection that breaks is lost, and the client comes back with another offer (reference webrtc 4). One that merely falls
silent, as when a laptop sleeps, goes on with whatever comes on it.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from bridge.errors import BridgeError, RemoteWireError
from bridge.legs.webrtc.figures import LinkFigures
from bridge.legs.webrtc.link import NOT_TAKEN, TOO_LONG, LinkUser, Parting
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import PeerState
from bridge.legs.webrtc.sdp_text import checked
from bridge.legs.webrtc.served_peers import MakePeer, make_peer
from bridge.legs.webrtc.signs_of_life import SignsOfLife
from bridge.log import whereabouts
from bridge.wire.livekit.sdp_look import has_channel, sends_audio
from bridge_codecs.pcm import Int16

if TYPE_CHECKING:
    from bridge.legs.webrtc.channel import Channel
    from bridge.legs.webrtc.voice import Voice

log = logging.getLogger(__name__)

SILENT_S: Final = 12.0
"""A client sends sound all the time, from when it has our answer, also when it is muted; one without a microphone may
send but a ping every 5 s. One of which nothing at all comes for so long is gone."""

_OVER = "the call is over"
_FAILED = "the connection failed inside"


class WhipLink:
    """See Link.

    Args:
        offer: the client's, with all its candidates.
        options: of the peer connection.
        make: makes it.

    Raises: RemoteWireError for an offer that cannot be one, before anything is made of it.
    """

    def __init__(self, offer: str, options: RtcOptions, make: MakePeer = make_peer) -> None:
        self._offer = offer  # as it came: it is checked again where it is taken
        readable = checked(offer, needs_audio=True)
        if not sends_audio(readable):
            raise RemoteWireError("the offer sends no audio: offer a microphone")
        self._needs_channel = has_channel(readable)
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[str] = self._loop.create_future()
        self._signs_s = self._loop.time()
        self._options = options
        self._make = make
        self._user: LinkUser | None = None
        self._channel: Channel | None = None
        self._over = False
        self._missed_s: float | None = None
        """When a client that said nothing was given up; None while it is not."""
        self._work: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._signs = SignsOfLife(SILENT_S, lambda: self.heard_s, self._miss)

    @property
    def heard_s(self) -> float:
        """See Link."""
        ear = self._peer.ear if self._user is not None else None
        return max(self._signs_s, 0.0 if ear is None else ear.came_s)

    @property
    def figures(self) -> LinkFigures:
        """See Link."""
        ear = self._peer.ear if self._user is not None else None
        return LinkFigures("whip", ear=None if ear is None else ear.figures)

    async def answered(self) -> str:
        """Our answer, once the call has begun. Raises: BridgeError; RemoteWireError if the offer is of no use."""
        return await asyncio.shield(self._answer)

    def start(self, user: LinkUser, voice: "Voice") -> None:
        """See Link."""
        peer = self._peer = self._make(self._options, "the client's connection")
        self._user = user
        peer.on_state = self._became
        peer.on_channel = self._opened
        peer.hear(self._hear)
        peer.say(voice)
        self._work = self._loop.create_task(self._take_offer(), name="webrtc whip link")

    def send(self, text: str) -> None:
        """See Link."""
        if self._over or self._user is None or self._channel is None:
            return
        if not self._channel.send(text):
            self._user.warn(self, "message_not_sent", NOT_TAKEN)

    def stop(self, parting: Parting) -> None:  # noqa: ARG002 - there is nobody to tell
        """See Link."""
        self._over = True
        self._signs.stop()
        if not self._answer.done():
            self._fail(BridgeError(_OVER))
        if self._closing is None and self._user is not None:
            self._closing = self._loop.create_task(self._close(), name="webrtc whip link closing")

    async def closed(self) -> None:
        """See Link."""
        if self._closing is not None:
            await asyncio.shield(self._closing)

    # From the client

    def _hear(self, samples: Int16) -> None:
        if self._missed_s is not None and self.heard_s > self._missed_s:
            self._alive()
        if self._user is not None:
            self._user.hear(self, samples)

    def _opened(self, channel: "Channel") -> None:
        if self._channel is not None and self._channel.open:
            return  # one is enough
        self._channel = channel
        channel.on_message = self._message
        channel.on_too_long = self._too_long
        channel.on_open = self._alive
        self._alive()

    def _message(self, message: bytes | str) -> None:
        self._alive()
        if self._user is not None:
            self._user.take(self, message)

    def _too_long(self) -> None:
        if self._user is not None:
            self._user.bad_message(self, TOO_LONG)

    def _became(self, state: PeerState) -> None:
        if self._over:
            return
        if state == "connected":
            self._alive()
        elif state in ("failed", "closed"):
            self._lose(f"the media connection {state}")

    def _alive(self) -> None:
        """Something came: if it was missed, the client is back on this connection."""
        self._signs_s = self._loop.time()
        if self._missed_s is not None and not self._over:
            self._missed_s = None
            self._signs.begin()
        self._look()

    def _look(self) -> None:
        """Whether everything is there."""
        if self._over or self._user is None or self._peer.state != "connected":
            return
        if not self._needs_channel or (self._channel is not None and self._channel.open):
            self._user.ready(self)

    # Inside

    async def _take_offer(self) -> None:
        try:
            answer = await self._peer.answer(self._offer, needs_audio=True)
        except BridgeError as exc:
            self._fail(exc)
            assert self._user is not None
            if isinstance(exc, RemoteWireError):
                self._user.refuse(self, exc)
            else:
                self._lose(str(exc))
        except Exception as exc:  # noqa: BLE001 - the border of a link: a bug costs one connection, and leaves its trace
            log.error("! an offer could not be answered: %s", whereabouts(exc))  # noqa: TRY400 - no words of it
            self._fail(BridgeError(_FAILED))
            self._lose(_FAILED)
        else:
            if not self._answer.done():
                self._answer.set_result(answer.sdp)
                self._signs_s = self._loop.time()
                self._signs.begin()  # ICE would take half a minute to miss them

    def _fail(self, exc: BridgeError) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)
            self._answer.exception()  # whoever waits gets it; nobody has to

    def _miss(self, why: str) -> None:
        """Nothing comes. The connection stays: the client may be back on it before it knows that it was gone."""
        self._missed_s = self._loop.time()
        assert self._user is not None
        self._user.lost(self, why)

    def _lose(self, why: str) -> None:
        if not self._over:
            self._over = True
            self._signs.stop()
            assert self._user is not None
            if self._missed_s is None:  # else it has been told
                self._user.lost(self, why)

    async def _close(self) -> None:
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()
            await asyncio.wait((self._work,))
        await self._peer.close()
