"""Everything that touches the inside of aiortc and aioice, in one place.

Sources: reference webrtc 5. Two paths of aiortc are replaced: what comes goes from the socket through SRTP straight to
our ear, with no decoder thread, queue or task for each packet; what we say goes from our voice through SRTP straight to
the socket. RTCP reports, DTLS, SCTP and negotiation stay aiortc's. Only aiortc 1.16 is known to be built so: the
package pins it, and a test fails when one of the attributes listed here vanishes.
"""

# ruff: noqa: SLF001 - this is the place for it

import asyncio
from collections.abc import Callable, Mapping
from secrets import randbits
from typing import Any, Final, cast

import pylibsrtp
from aioice.candidate import Candidate
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCPeerConnection, clock
from aiortc.rtcdtlstransport import RTCDtlsParameters, RTCDtlsTransport, State
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtcrtptransceiver import RTCRtpTransceiver
from aiortc.rtcsctptransport import RTCSctpTransport
from aiortc.rtp import (
    AnyRtcpPacket,
    HeaderExtensions,
    HeaderExtensionsMap,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
)

from bridge.legs.webrtc.allowance import Allowance
from bridge.legs.webrtc.data_guard import guard_data
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.rtp import RtpWriter, parse_rtp
from bridge.legs.webrtc.source_guard import MAX_SOURCES, GuardedConnection, guard, hush_loggers

TESTED: Final = {"aiortc": "1.16", "aioice": "0.13"}
"""The minor versions that this is written for."""
OPUS: Final = "audio/opus"
CLOCK_HZ: Final = 48_000
MAX_REPORTED: Final = 8
"""Streams of one peer that are reported on."""

_P: Final = "_RTCPeerConnection__"
_R: Final = "_RTCRtpReceiver__"
_S: Final = "_RTCRtpSender__"
RELIED_ON: Final[Mapping[type, tuple[str, ...]]] = {
    RTCPeerConnection: (f"{_P}iceTransports", f"{_P}remoteDtls"),
    RTCIceTransport: ("_connection",),
    RTCDtlsTransport: (
        *("_state", "_rx_srtp", "_tx_srtp", "_transport", "_role", "_set_role", "_send_data"),
        *("_register_rtp_receiver", "_register_rtp_sender"),
    ),
    RTCRtpReceiver: (
        *(f"{_R}started", f"{_R}rtcp_task", f"{_R}remote_streams", f"{_R}transport"),
        *("_run_rtcp", "_handle_rtp_packet"),
    ),
    RTCRtpSender: (
        *(f"{_S}started", f"{_S}rtp_task", f"{_S}rtcp_task", f"{_S}rtp_started", f"{_S}rtp_exited"),
        *(f"{_S}mid", f"{_S}cname", f"{_S}ntp_timestamp", f"{_S}rtp_timestamp"),
        *(f"{_S}octet_count", f"{_S}packet_count", "_run_rtcp", "_handle_rtcp_packet"),
        *("_ssrc", "_stream_id", "_track_id"),
    ),
    RTCRtpTransceiver: ("_codecs", "_offerDirection", "_bundled"),
    RTCSctpTransport: (
        *("_bundled", "_handle_data", "_receive_data_chunk", "_receive", "_abort"),
        *("_inbound_streams", "_advertised_rwnd", "_sack_misordered", "_last_received_tsn"),
        *("_rto", "_srtt", "_rttvar", "_update_rto", "_t1_expired"),
        *("_send_chunk", "_local_port", "_remote_port"),
    ),
    Connection: (
        *("_local_candidates", "_local_candidates_start", "_local_candidates_end", "_protocols"),
        *("_queue", "_nominated", "_use_ipv4", "_use_ipv6", "check_state", "data_received"),
        *("_closing", "query_consent", "_remote_candidates", "add_remote_candidate"),
        *("request_received", "check_incoming"),
        *("respond_error", "get_component_candidates", "gather_candidates"),
        *("stun_server", "turn_server", "turn_username", "turn_password", "turn_ssl"),
        *("turn_transport", "sendto", "close"),
    ),
    StunProtocol: (
        *("receiver", "datagram_received", "send_stun", "request", "local_candidate", "transport"),
    ),
    CandidatePair: ("protocol", "remote_addr"),
    Candidate: ("_network_host",),
}
"""What is private there and used here, in `source_guard` or in `data_guard`."""

PutPacket = Callable[[int, int, bytes, int], None]
"""Takes sequence, timestamp, payload, SSRC."""


def adopt(
    connection: RTCPeerConnection,
    options: RtcOptions,
    put: PutPacket,
    ready: Callable[["RtpOut"], None],
    on_flood: Callable[[], None],
) -> None:
    """Take what a description has made of a connection: guard its sockets, replace its senders and receivers.

    To be called after each description and before the next wait; what is adopted already stays as it is. `put` gets
    the audio that comes, `ready` the way out once there is one; `on_flood` is called when the peer sends more on its
    data channels than can wait.
    """
    hush_loggers()
    if connection.sctp is not None:
        guard_data(connection.sctp, on_flood)
    for transport in _ice_transports(connection):
        guard(transport._connection, options)
    _lead_handshakes(connection)
    for transceiver in connection.getTransceivers():
        if transceiver.kind != "audio":
            transceiver.direction = "inactive"
            continue
        if type(transceiver.receiver) is RTCRtpReceiver:
            transceiver.receiver.__class__ = EarReceiver
            cast("EarReceiver", transceiver.receiver).put = put
        if type(transceiver.sender) is RTCRtpSender:
            transceiver.sender.__class__ = VoiceSender
            cast("VoiceSender", transceiver.sender).ready = ready


def _lead_handshakes(connection: RTCPeerConnection) -> None:
    """Where the peer leaves the choice to us, it begins the DTLS handshake.

    Who begins has the last flight but one: it gets the last one again only for a flight that it makes anew, and ours is
    made anew by OpenSSL's timer alone. A browser's timer is faster, and the last flight is then ours to repeat.
    """
    offered = cast(
        "dict[RTCRtpTransceiver | RTCSctpTransport, RTCDtlsParameters]",
        getattr(connection, f"{_P}remoteDtls"),
    )
    for part, parameters in offered.items():
        transport = (part if isinstance(part, RTCSctpTransport) else part.receiver).transport
        undecided = transport is not None and parameters is not None  # a damaged offer has neither
        if undecided and parameters.role == "auto" and transport._role == "auto":
            transport._set_role("server")


def share_transport(connection: RTCPeerConnection) -> None:
    """Before an offer: the first section leads the bundle, whichever was made first.

    Else aiortc takes the shared transport of a channel that was made before the audio for one of its own and closes it.
    """
    sctp, transceivers = connection.sctp, connection.getTransceivers()
    if sctp is not None and sctp.mid is None and transceivers:
        first = transceivers[0]
        if first.receiver.transport is sctp.transport:
            sctp._bundled, first._bundled = True, False


def only_opus(transceiver: RTCRtpTransceiver) -> bool:
    """Agree on nothing but Opus; whether the peer has it."""
    codecs = [codec for codec in transceiver._codecs if codec.mimeType.lower() == OPUS]
    transceiver._codecs = codecs
    return bool(codecs)


def may_send(transceiver: RTCRtpTransceiver) -> str:
    """In which direction the peer's offer lets us send on this section: ``sendonly``, ``sendrecv``, or not: ``""``."""
    offered = transceiver._offerDirection
    return offered if offered in ("sendonly", "sendrecv") else ""


def name_track(sender: RTCRtpSender, stream_id: str, track_id: str) -> None:
    """What the SDP calls the sender's stream and track; before the description is made."""
    sender._stream_id = stream_id
    sender._track_id = track_id


def track_id(sender: RTCRtpSender) -> str:
    """What the SDP calls the sender's track."""
    return sender._track_id


def refused(connection: RTCPeerConnection) -> int:
    """Datagrams that the guard has thrown away."""
    guarded = [transport._connection for transport in _ice_transports(connection)]
    return sum(one.refused for one in guarded if isinstance(one, GuardedConnection))


def _ice_transports(connection: RTCPeerConnection) -> set[RTCIceTransport]:
    return cast("set[RTCIceTransport]", getattr(connection, f"{_P}iceTransports"))


class EarReceiver(RTCRtpReceiver):
    """aiortc's receiver without its jitter buffer and its decoder's thread."""

    put: PutPacket
    payload_types: frozenset[int | None]
    stopped = False

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Begin, once; not when the connection was closed while it came about: nobody would stop it again."""
        if self.stopped or getattr(self, f"{_R}started"):
            return
        self.payload_types = frozenset(
            codec.payloadType for codec in parameters.codecs if codec.mimeType.lower() == OPUS
        )
        transport = self.transport
        transport._register_rtp_receiver(self, parameters)
        setattr(self, f"{_R}rtcp_task", asyncio.ensure_future(self._run_rtcp()))
        setattr(self, f"{_R}started", True)
        connection = transport._transport._connection
        if isinstance(connection, GuardedConnection):
            connection.on_srtp = self._srtp(transport)

    async def stop(self) -> None:
        """Stop for good."""
        self.stopped = True
        await super().stop()

    def _srtp(self, transport: RTCDtlsTransport) -> Callable[[bytes], None]:
        """Takes the peer's SRTP."""
        unprotect = transport._rx_srtp.unprotect
        sources: set[bytes] = set()
        allowance = Allowance()

        def take(data: bytes) -> None:
            source = data[8:12]
            if source not in sources and len(sources) >= MAX_SOURCES:
                return
            try:
                plain = unprotect(data)
            except pylibsrtp.Error:
                return  # forged, replayed, cut off
            sources.add(source)  # whether it is taken or not: to decrypt it has made its state
            if not allowance.takes():
                return
            packet = parse_rtp(plain)
            if packet is not None and packet.payload_type in self.payload_types:
                self._count(packet.ssrc, packet)
                self.put(packet.sequence_number, packet.timestamp, packet.payload, packet.ssrc)

        return take

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:  # noqa: ARG002
        """By aiortc's own way: what came before there was ours."""
        if packet.payload_type in self.payload_types:
            self._count(packet.ssrc, packet)
            self.put(packet.sequence_number, packet.timestamp, packet.payload, packet.ssrc)

    def _count(self, ssrc: int, packet: Any) -> None:
        streams = cast("dict[int, StreamStatistics]", getattr(self, f"{_R}remote_streams"))
        stream = streams.get(ssrc)
        if stream is None:
            if len(streams) >= MAX_REPORTED:
                return
            stream = streams[ssrc] = StreamStatistics(CLOCK_HZ)
        stream.add(packet)


class VoiceSender(RTCRtpSender):
    """aiortc's sender without its track and its encoder."""

    ready: Callable[["RtpOut"], None]
    lost: float
    """What the peer says it loses, of 1; smoothed."""
    stopped = False

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Begin, once; not when the connection was closed while it came about."""
        if self.stopped or getattr(self, f"{_S}started"):
            return
        self.lost = 0.0
        self.transport._register_rtp_sender(self, parameters)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        setattr(self, f"{_S}cname", parameters.rtcp.cname)
        setattr(self, f"{_S}mid", parameters.muxId)
        setattr(self, f"{_S}rtp_task", done)
        getattr(self, f"{_S}rtp_started").set()
        getattr(self, f"{_S}rtp_exited").set()
        setattr(self, f"{_S}rtcp_task", asyncio.ensure_future(self._run_rtcp()))
        setattr(self, f"{_S}started", True)
        self.ready(RtpOut(self, parameters))

    async def stop(self) -> None:
        """Stop for good."""
        self.stopped = True
        await super().stop()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._ssrc:
                    self.lost += 0.3 * (report.fraction_lost / 256 - self.lost)
        await super()._handle_rtcp_packet(packet)


class RtpOut:
    """The way out to one peer: a `voice.Sender`."""

    def __init__(self, sender: VoiceSender, parameters: RTCRtpSendParameters) -> None:
        extensions = HeaderExtensionsMap()
        extensions.configure(parameters)
        self._sender = sender
        self._transport = sender.transport
        self._connection = self._transport._transport._connection
        self._origin = randbits(32)
        self._writer = RtpWriter(
            parameters.codecs[0].payloadType or 0,
            sender._ssrc,
            randbits(15),
            extensions.set(HeaderExtensions(mid=parameters.muxId)),
        )
        self._packets = 0
        self._octets = 0

    def is_of(self, sender: RTCRtpSender) -> bool:
        """Whether this is the way out of that sender."""
        return self._sender is sender

    @property
    def loss_percent(self) -> int:
        """How much the peer loses, roughly: 0, 5, 10 or 20."""
        lost = self._sender.lost
        return next((step for step in (20, 10, 5) if lost > step / 200), 0)

    def send(self, payload: bytes, timestamp: int) -> None:
        """See voice.Sender; nothing goes out before or after the connection."""
        pair = self._connection._nominated.get(1)
        if pair is None or self._transport._state != State.CONNECTED:
            return
        timestamp = (timestamp + self._origin) & 0xFFFF_FFFF
        data = self._transport._tx_srtp.protect(self._writer.write(payload, timestamp))
        pair.protocol.transport.sendto(data, pair.remote_addr)
        self._packets += 1
        self._octets += len(payload)
        sender = self._sender
        setattr(sender, f"{_S}packet_count", self._packets)
        setattr(sender, f"{_S}octet_count", self._octets)
        setattr(sender, f"{_S}rtp_timestamp", timestamp)
        setattr(sender, f"{_S}ntp_timestamp", clock.current_ntp_time())
