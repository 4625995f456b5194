"""The AI side of the rig: an Ultravox-style API with one route, and join sockets that echo what they hear.

    python -m benchmarks.calls_per_core_parts.ai_peer

Says the ports of both. Orders: ``clears`` interrupts the calls one after another, in the order in which they were
joined: half a second of audio at once, as an agent's client buffer allows, and 100 ms later
``playback_clear_buffer``; answers with the instants of sending.
"""

import asyncio
import gc
import json
import time
from collections.abc import Mapping
from typing import Any, Final

import picows
import uvloop

from benchmarks.calls_per_core_parts.steering import Order, obey, say

HOST: Final = "127.0.0.1"
BUFFERED_FRAMES: Final = 25
BEFORE_CLEAR_S: Final = 0.1
_BINARY = picows.WSMsgType.BINARY
_TEXT = picows.WSMsgType.TEXT


class Join(picows.WSListener):
    """One joined call: echoes."""

    def __init__(self, joined: "list[Join]") -> None:
        super().__init__()
        self._joined = joined
        self._last = b""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Begin as the vendor does."""
        self._transport = transport
        self._joined.append(self)
        self.send({"type": "call_started", "callId": "bench"})
        self.send({"type": "state", "state": "speaking"})

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Echo audio, forget messages."""
        if frame.msg_type == _BINARY:
            self._last = frame.get_payload_as_bytes()
            transport.send(_BINARY, self._last)
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """One call fewer."""
        self._joined.remove(self)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a data message."""
        self._transport.send(_TEXT, json.dumps(message))

    def speak(self) -> None:
        """Fill the client's buffer with the loudest that is at hand: what was heard last."""
        for _ in range(BUFFERED_FRAMES):
            self._transport.send(_BINARY, self._last)


class Peer:
    """The API and the calls joined."""

    def __init__(self) -> None:
        self._joined: list[Join] = []
        self._n_created = 0
        self._socket_port = 0

    async def start(self) -> dict[str, int]:
        """Listen; returns both ports."""
        sockets = await picows.ws_create_server(lambda _request: Join(self._joined), HOST, 0)
        api = await asyncio.start_server(self._serve, HOST, 0)
        self._socket_port = int(sockets.sockets[0].getsockname()[1])
        return {
            "socket_port": self._socket_port,
            "api_port": int(api.sockets[0].getsockname()[1]),
        }

    async def obey(self, order: Order) -> Mapping[str, Any]:
        """Interrupt `n` times, one call every `every_s`."""
        clears: list[tuple[int, float]] = []
        calls = list(self._joined)
        loop = asyncio.get_running_loop()

        def clear(i: int) -> None:
            clears.append((i, time.perf_counter()))
            calls[i].send({"type": "playback_clear_buffer"})

        started_s = time.perf_counter()
        for n in range(order["n"]):
            await asyncio.sleep(started_s + n * order["every_s"] - time.perf_counter())
            i = n % len(calls)
            calls[i].speak()
            loop.call_later(BEFORE_CLEAR_S, clear, i)
        await asyncio.sleep(2 * BEFORE_CLEAR_S)
        return {"clears": clears}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: any POST creates a call."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        _, _, length = head.partition("content-length:")
        await reader.readexactly(int(length.partition("\r\n")[0] or 0))
        self._n_created += 1
        call_id = f"00000000-0000-4000-8000-{self._n_created:012d}"
        join_url = f"ws://{HOST}:{self._socket_port}/calls/{call_id}/server_web_socket"
        call = json.dumps(
            {"callId": call_id, "joinUrl": join_url, "created": "2026-01-01T00:00:00Z"}
        )
        writer.write(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n"
            + f"Content-Length: {len(call)}\r\n\r\n{call}".encode()
        )
        await writer.drain()
        writer.close()


async def run() -> None:
    peer = Peer()
    ports = await peer.start()
    obey(peer.obey)
    gc.collect()
    gc.disable()  # its pauses would be taken for the gateway's
    say(**ports)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(run())
