"""A WebSocket client made of bytes, for saying what no library would say."""

import asyncio
import contextlib
import struct
from urllib.parse import urlsplit

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
_MASK = b"\x01\x02\x03\x04"


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """One frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        length = bytes([size | 0x80 * masked])
    elif size < 65536:
        length = struct.pack("!BH", 126 | 0x80 * masked, size)
    else:
        length = struct.pack("!BQ", 127 | 0x80 * masked, size)
    if masked:
        mask = (_MASK * (size // 4 + 1))[:size]
        payload = _MASK + bytes(a ^ b for a, b in zip(payload, mask, strict=True))
    return bytes([0x80 * fin | rsv << 4 | opcode]) + length + payload


def upgrade(path: str = "/", *headers: str, host: str = "localhost") -> bytes:
    """The request that asks for a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {KEY}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class RawWebSocket:
    """A connection on which frames are read and bytes are written."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, url: str) -> "RawWebSocket":
        """Connect and shake hands."""
        target = urlsplit(url)
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        writer.write(upgrade(target.path))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        return cls(reader, writer)

    def send(self, *frames: bytes) -> None:
        """Write frames in one go."""
        self.writer.write(b"".join(frames))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload; (-1, b"") at the end of the stream."""
        try:
            first, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return -1, b""

    async def close_code(self) -> int:
        """Read on to the close frame; its code, 0 if it has none, -1 if none comes."""
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                return int(struct.unpack("!H", payload[:2])[0]) if payload else 0
            if opcode == -1:
                return -1

    async def leave(self) -> None:
        """Close the connection without a closing handshake."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):  # the other side may be quicker
            await self.writer.wait_closed()

    def reset(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()
