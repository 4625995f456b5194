"""One peer connection: descriptions in and out, an ear for the peer's audio, a voice for ours, data channels.

Sources: reference webrtc 2 to 5, reliability 4.10. It serves both roles, the one who offers and the one who answers,
and knows nothing of who is behind it or of how descriptions travel. All sections share one transport. What a peer says
wrong is a `RemoteWireError` in one sentence; the connection is to be closed then.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp

from bridge.errors import BridgeError, RemoteWireError
from bridge.legs.webrtc import inside, sdp_text
from bridge.legs.webrtc.channel import Channel
from bridge.legs.webrtc.ear import Ear
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.voice import Voice
from bridge_codecs.pcm import Int16

CONNECT_S: Final = 30.0
"""From the second description to a connection that works."""
CLOSE_S: Final = 2.0
MAX_CHANNELS: Final = 16
MAX_CANDIDATE_CHARS: Final = 1_024

PeerState: TypeAlias = Literal["new", "connecting", "connected", "failed", "closed"]


class Answer(NamedTuple):
    """Our answer, and the ``mid`` of the section on which our voice is sent; None if the offer had no place for it."""

    sdp: str
    voice_mid: str | None


class Peer:
    """A connection to one peer; to be closed in any case.

    Args:
        options: how to connect.
        name: for task names and sentences.
    """

    def __init__(self, options: RtcOptions, *, name: str) -> None:
        self.on_state: Callable[[PeerState], None] | None = None
        """Called when the state changes; not after `close`."""
        self.on_channel: Callable[[Channel], None] | None = None
        """Called for each channel that the peer opens, before its first message."""
        self.state: PeerState = "new"
        self.ear: Ear | None = None
        """What hears the peer; None before `hear`."""
        self._options = options
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._connection = RTCPeerConnection(_configuration(options))
        self._connection.on("connectionstatechange", self._changed)
        self._connection.on("datachannel", self._opened)
        self._lock = asyncio.Lock()
        self._candidates: list[dict[str, Any]] = []
        """Those that came before there was a description to add them to."""
        self._n_candidates = 0
        self._described = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._deadline: asyncio.TimerHandle | None = None
        self._channels: list[Channel] = []
        self._voice: Voice | None = None
        self._names: tuple[str, str] | None = None
        self._speaking: RTCRtpTransceiver | None = None
        self._out: inside.RtpOut | None = None
        self._closing: asyncio.Task[None] | None = None

    # Before the first description, or between two

    def hear(self, sink: Callable[[Int16], None]) -> None:
        """Decode what the peer says: `sink` gets mono int16 at the options' ``ear_hz``, gapless from the first packet.

        However many tracks the peer has or publishes one after the other, it is one stream: that of the track that
        is sent.
        """
        if self.ear is not None:
            self.ear.close()
        self.ear = Ear(sink, self._options.ear_hz)

    def expect_audio(self) -> None:
        """The next `offer` asks for a track of the peer."""
        self._add_transceiver("recvonly")

    def say(self, voice: Voice, msid: tuple[str, str] | None = None) -> None:
        """Send `voice`: it is attached when the connection is up, and detached when it goes.

        With an answer it takes the first section on which the peer offers to receive and not to send, else one where
        it does both; with an offer of ours, a section of its own, which `offer` makes. `msid` is what the SDP calls
        its stream and its track.
        """
        self._voice = voice
        self._names = msid
        if self._speaking is not None and msid is not None:
            inside.name_track(self._speaking.sender, *msid)
        if self._out is not None:
            voice.attach(self._out)

    def speak(self) -> str:
        """The next `offer` has a section for our voice; returns what the SDP calls its track."""
        self._speak_on(self._add_transceiver("sendonly"))
        assert self._speaking is not None
        return inside.track_id(self._speaking.sender)

    def open_channel(self, label: str, *, reliable: bool = True) -> Channel:
        """A channel of ours: ordered and reliable, or neither."""
        if reliable:
            channel = self._connection.createDataChannel(label)
        else:
            channel = self._connection.createDataChannel(label, ordered=False, maxRetransmits=0)
        return self._kept(Channel(channel))

    # Descriptions

    async def answer(self, offer_sdp: str, *, needs_audio: bool = False) -> Answer:
        """Take an offer, the first or a later one, and answer it.

        Raises: RemoteWireError for one that cannot be used, or, with `needs_audio`, has none; BridgeError if no socket
            can be opened.
        """
        async with self._lock:
            await self._take(offer_sdp, "offer", needs_audio=needs_audio)
            self._choose_section()
            sdp = await self._settle("answer")
            speaking = self._speaking
            return Answer(sdp, speaking.mid if speaking is not None else None)

    async def offer(self) -> str:
        """Make an offer, with all that was asked for until now. Raises: BridgeError if no socket can be opened."""
        async with self._lock:
            self._adopt()
            inside.share_transport(self._connection)
            return await self._settle("offer")

    async def accept(self, answer_sdp: str) -> None:
        """Take the answer to our offer. Raises: RemoteWireError for one that cannot be used."""
        async with self._lock:
            await self._take(answer_sdp, "answer", needs_audio=False)

    def add_candidate(self, init: str | dict[str, Any]) -> None:
        """Take a trickled candidate, as JSON or as an object; never waits, and one of no use is passed over."""
        candidate = _parsed(init)
        if candidate is None or self._n_candidates >= sdp_text.MAX_CANDIDATES:
            return
        self._n_candidates += 1
        if self._described:
            self._start(self._add(candidate), "candidate")
        else:
            self._candidates.append(candidate)

    # The end

    async def close(self) -> None:
        """Give everything back; may be called again, and never fails."""
        if self._closing is None:
            self._closing = self._loop.create_task(self._close(), name=f"{self._name}: closing")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self.on_state = self.on_channel = None
        self.state = "closed"
        if self._deadline is not None:
            self._deadline.cancel()
        if self._voice is not None and self._out is not None:
            self._voice.detach(self._out)
        if self.ear is not None:
            self.ear.close()
        for channel in self._channels:
            channel.forget()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.wait(
            (self._loop.create_task(self._connection.close(), name=f"{self._name}: connection"),),
            timeout=CLOSE_S,
        )

    # Inside

    async def _take(self, sdp: str, kind: Literal["offer", "answer"], *, needs_audio: bool) -> None:
        self._must_live()
        text = sdp_text.checked(sdp, needs_audio=needs_audio)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(text, kind))
        except Exception as exc:  # noqa: BLE001 - whatever it stumbles over, the description is to blame
            self._must_live()
            raise RemoteWireError(f"the {kind} cannot be used: {_reason(exc)}") from None
        self._adopt()
        for transceiver in self._connection.getTransceivers():
            elsewhere = transceiver.kind != "audio" or transceiver.mid is None
            if not elsewhere and not inside.only_opus(transceiver):
                raise RemoteWireError(f"the {kind} has audio without Opus; offer opus/48000/2")
        self._described = True
        candidates, self._candidates = self._candidates, []
        for candidate in candidates:
            self._start(self._add(candidate), "candidate")
        if self._deadline is None:
            self._deadline = self._loop.call_later(CONNECT_S, self._too_late)

    async def _settle(self, kind: Literal["offer", "answer"]) -> str:
        """Make our description, open sockets, and say it."""
        connection = self._connection
        try:
            made = await (
                connection.createOffer() if kind == "offer" else connection.createAnswer()
            )
            await connection.setLocalDescription(made)
        except BridgeError:
            raise
        except Exception as exc:  # noqa: BLE001 - an offer of a strange shape
            self._must_live()
            raise RemoteWireError(f"no {kind} could be made: {_reason(exc)}") from None
        return sdp_text.ours(connection.localDescription.sdp, self._options.external_address)

    def _must_live(self) -> None:
        if self._closing is not None:
            raise BridgeError("the connection is closed")

    def _adopt(self) -> None:
        inside.adopt(self._connection, self._options, self._put, self._ready, self._flooded)

    def _add_transceiver(self, direction: str) -> RTCRtpTransceiver:
        return self._connection.addTransceiver("audio", direction=direction)

    def _choose_section(self) -> None:
        """Where our voice goes, once it is there and the offer has a place."""
        if self._voice is None or self._speaking is not None:
            return
        audio = [one for one in self._connection.getTransceivers() if one.kind == "audio"]
        for wanted in ("sendonly", "sendrecv"):
            for transceiver in audio:
                if inside.may_send(transceiver) == wanted:
                    transceiver.direction = wanted
                    self._speak_on(transceiver)
                    return

    def _speak_on(self, transceiver: RTCRtpTransceiver) -> None:
        self._speaking = transceiver
        if self._names is not None:
            inside.name_track(transceiver.sender, *self._names)

    def _put(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        if self.ear is not None:
            self.ear.put(sequence, timestamp, payload, ssrc)

    def _ready(self, out: inside.RtpOut) -> None:
        """There is a way out; only the section of our voice has use for one."""
        speaking = self._speaking
        if speaking is None or not out.is_of(speaking.sender) or self._closing is not None:
            return
        self._out = out
        if self._voice is not None:
            self._voice.attach(out)

    def _opened(self, channel: Any) -> None:
        if len(self._channels) >= MAX_CHANNELS:
            channel.close()
        elif self.on_channel is not None:
            self.on_channel(self._kept(Channel(channel)))

    def _kept(self, channel: Channel) -> Channel:
        self._channels.append(channel)
        return channel

    async def _add(self, candidate: dict[str, Any]) -> None:
        found = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
        found.sdpMid = candidate.get("sdpMid")
        found.sdpMLineIndex = candidate.get("sdpMLineIndex")
        await self._connection.addIceCandidate(found)

    def _start(self, work: Any, what: str) -> None:
        task = self._loop.create_task(work, name=f"{self._name}: {what}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a candidate that cannot be added is passed over

    def _changed(self) -> None:
        state = cast("PeerState", self._connection.connectionState)
        if state == "connected" and self._deadline is not None:
            self._deadline.cancel()
        self._become(state)

    def _flooded(self) -> None:
        self._become("failed")

    def _too_late(self) -> None:
        if self.state != "connected":
            self._become("failed")

    def _become(self, state: PeerState) -> None:
        if state != self.state and self.state not in ("failed", "closed"):
            self.state = state
            if self.on_state is not None:
                self.on_state(state)


def _configuration(options: RtcOptions) -> RTCConfiguration:
    servers = [
        RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
        for server in options.ice_servers
    ]
    # An empty list, not none at all: without it a public STUN server is asked.
    return RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)


def _parsed(init: str | dict[str, Any]) -> dict[str, Any] | None:
    """A candidate that can be added."""
    if isinstance(init, str):
        if len(init) > MAX_CANDIDATE_CHARS:
            return None
        try:
            init = json.loads(init)
        except (ValueError, RecursionError):  # the latter for brackets without end
            return None
    if not isinstance(init, dict):
        return None
    text, mid, index = (init.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
    if not isinstance(text, str) or len(text) > MAX_CANDIDATE_CHARS or not sdp_text.is_usable(text):
        return None
    known_mid, known_index = isinstance(mid, str), isinstance(index, int)
    if not (known_mid or known_index):
        return None
    return {
        "candidate": text,
        "sdpMid": mid if known_mid else None,
        "sdpMLineIndex": index if known_index else None,
    }


def _reason(exc: Exception) -> str:
    """What aiortc says is wrong, if it says it in words of its own; never what the peer has sent."""
    told = str(exc)
    # Python's own sentences begin small, or are of other kinds; they quote what they stumbled over.
    if isinstance(exc, ValueError | InvalidStateError | OperationError) and told[:1].isupper():
        return told
    return "it is not written as WebRTC wants it"
