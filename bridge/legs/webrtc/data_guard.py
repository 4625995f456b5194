"""A peer's data channels before anything is read from them: what waits for the rest of its message is bounded.

Source: reliability 4.10 (B5). aiortc says how much it takes and then keeps whatever comes: a message that never ends
would fill the memory, and a gap that is never closed costs time with each piece that comes after it. Here the first
ends the connection, and pieces too far ahead wait at the peer's, who sends again what is not acknowledged. A message
that cannot be read is passed over; by aiortc's own way it ends the connection with a trace in the log. What is lost is
said again after half a second, as browsers do; aiortc waits 3 s for an answer to its first word, 1 s for the others.

This module stands on aiortc's private parts; see `inside`, which holds the list of them.
"""

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from aiortc.rtcsctptransport import (
    Chunk,
    DataChunk,
    InitChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    serialize_packet,
)

MAX_PIECES: Final = 2_048
"""Pieces of messages that wait for the rest; a message of 256 KiB has some hundred."""
MAX_AHEAD: Final = 1_024
"""Pieces that may come before one that was lost."""
MAX_STREAMS: Final = 256
"""Streams on which something may wait; each channel has one."""
FIRST_WAIT_S: Final = 0.5
"""For an answer, before there is a measure of how long one takes."""
LEAST_WAIT_S: Final = 0.4
"""For an answer: a browser may keep an acknowledgement back for 0.2 s."""
MOST_WAIT_S: Final = 3.0
"""For an answer to the first word."""


class GuardedSctp(RTCSctpTransport):
    """aiortc's transport of data channels, with bounds. Made by `guard_data`, never by hand."""

    on_flood: Callable[[], None]
    """Called once, when the peer has sent more than can wait; nothing is taken any more."""
    flooded: bool
    stopped = False

    async def start(self, remoteCaps: RTCSctpCapabilities | None, remotePort: int) -> None:  # noqa: N803 - aiortc's
        """Begin; not when the connection was closed while it came about: nobody would stop it again."""
        if not self.stopped:
            await super().start(remoteCaps, remotePort)

    async def stop(self) -> None:
        """Stop for good."""
        self.stopped = True
        await super().stop()

    async def _handle_data(self, data: bytes) -> None:
        if not self.flooded:
            await super()._handle_data(data)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if self.flooded:
            return
        if self._has_too_much(chunk):
            self.flooded = True
            self._inbound_streams.clear()
            await self._abort()
            self.on_flood()
        elif len(self._sack_misordered) < MAX_AHEAD or self._is_next(chunk):
            await super()._receive_data_chunk(chunk)

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        # No text, no channel, or one that is there already.
        with suppress(AssertionError, UnicodeDecodeError, struct.error):
            await super()._receive(stream_id, pp_id, data)

    async def _send_chunk(self, chunk: Chunk) -> None:
        """The first word bears no tag (RFC 9260 8.5.1): aiortc's second copy does, once the peer's has come.

        Two that begin at once, and lose each other's answers, would wait for ever.
        """
        if isinstance(chunk, InitChunk):
            ports = (self._local_port, cast("int", self._remote_port))
            await self.transport._send_data(serialize_packet(*ports, 0, chunk))  # noqa: SLF001 - see `inside`
        else:
            await super()._send_chunk(chunk)

    def _update_rto(self, R: float) -> None:  # noqa: N803 - aiortc's
        super()._update_rto(R)
        measured_s = cast("float", self._srtt) + 4 * cast("float", self._rttvar)
        self._rto = min(self._rto, max(LEAST_WAIT_S, measured_s))

    def _t1_expired(self) -> None:
        self._rto = min(1.5 * self._rto, MOST_WAIT_S)
        super()._t1_expired()

    def _has_too_much(self, chunk: DataChunk) -> bool:
        streams = self._inbound_streams
        if chunk.stream_id not in streams and len(streams) >= MAX_STREAMS:
            return True
        n_pieces = sum(len(stream.reassembly) for stream in streams.values())
        return n_pieces >= MAX_PIECES or self._advertised_rwnd < len(chunk.user_data)

    def _is_next(self, chunk: DataChunk) -> bool:
        """Whether it is the one that all the others wait for."""
        last = cast("int", self._last_received_tsn)
        return cast("int", chunk.tsn) == (last + 1) & 0xFFFF_FFFF


def guard_data(transport: RTCSctpTransport, on_flood: Callable[[], None]) -> None:
    """Bound what a transport keeps, before its connection is up; may be said again."""
    if isinstance(transport, GuardedSctp):
        return
    transport.__class__ = GuardedSctp
    guarded = cast("GuardedSctp", transport)
    guarded.on_flood = on_flood
    guarded.flooded = False
    guarded._rto = FIRST_WAIT_S  # noqa: SLF001 - it is of our class
