"""A peer's data channels before anything is read from them: what waits for the rest of its message is bounded.

Source: reliability 4.10 (B5). aiortc says how much it takes and then keeps whatever comes: a message that never ends
would fill the memory, and a gap that is never closed costs time with each piece that comes after it. Here the first
ends the connection, and pieces too far ahead wait at the peer's, who sends again what is not acknowledged. A message
that cannot be read is passed over; by aiortc's own way it ends the connection with a trace in the log.

This module stands on aiortc's private parts; see `inside`, which holds the list of them.
"""

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport

MAX_PIECES: Final = 2_048
"""Pieces of messages that wait for the rest; a message of 256 KiB has some hundred."""
MAX_AHEAD: Final = 1_024
"""Pieces that may come before one that was lost."""
MAX_STREAMS: Final = 256
"""Streams on which something may wait; each channel has one."""


class GuardedSctp(RTCSctpTransport):
    """aiortc's transport of data channels, with bounds. Made by `guard_data`, never by hand."""

    on_flood: Callable[[], None]
    """Called once, when the peer has sent more than can wait; nothing is taken any more."""
    flooded: bool

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
