"""What a media socket costs the server: CPU time for each echoed audio frame.

    python benchmarks/sockets.py [--connections 100] [--seconds 5] [--json]

Each server runs in a process of its own and echoes 640-byte frames, which a load generator in a second process
sends on every connection every 20 ms. *us*: microseconds of the server's CPU time, user and kernel, for one frame
received and sent back; *p50*, *p99*: milliseconds until the echo is back at the generator, the generator's own
lateness included. `ours` is the whole front door; `bare` is picows with nothing around it, the floor.
"""

import argparse
import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import picows
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.media_route import Admission, Knock, MediaRoute
from bridge.legs.media_socket import MediaSocket

FRAME = bytes(640)
FRAME_S = 0.020
WARM_UP_S = 1.0
HOST = "127.0.0.1"
PATH = "/media/echo"


@dataclass(frozen=True)
class Figures:
    """One server under load."""

    server: str
    connections: int
    frames: int
    us_per_frame: float
    p50_ms: float
    p99_ms: float


class Count:
    """How many frames a server has echoed."""

    def __init__(self) -> None:
        self.frames = 0


class Echo:
    """A receiver that echoes."""

    def __init__(self, socket: MediaSocket, count: Count) -> None:
        self._socket = socket
        self._count = count

    def on_text(self, text: str) -> None:
        """Send it back."""
        self._socket.send_text(text)

    def on_bytes(self, data: bytes) -> None:
        """Count it and send it back."""
        self._count.frames += 1
        self._socket.send_bytes(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """Nothing to clean up."""


async def serve_ours(count: Count) -> int:
    def take(socket: MediaSocket) -> None:
        socket.start(Echo(socket, count))

    async def admit(_knock: Knock) -> Admission:
        return Admission(take)

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise NotImplementedError

    door = FrontDoor(app, [MediaRoute(re.compile(PATH), admit)], HostPolicy(loopback_only=True))
    return await door.start(HOST, 0)


async def serve_bare(count: Count) -> int:
    class Listener(picows.WSListener):
        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            if frame.msg_type == picows.WSMsgType.BINARY:
                count.frames += 1
                transport.send(picows.WSMsgType.BINARY, frame.get_payload_as_bytes())

    server = await picows.ws_create_server(lambda _request: Listener(), HOST, 0)
    return int(server.sockets[0].getsockname()[1])


async def serve_websockets(count: Count) -> int:
    async def echo(peer: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):  # the generator leaves without a word
            async for message in peer:
                count.frames += 1
                await peer.send(message)

    server = await serve(echo, HOST, 0, compression=None)
    return int(server.sockets[0].getsockname()[1])


SERVERS: dict[str, tuple[Callable[[Count], Awaitable[int]], bool]] = {
    "bare, uvloop": (serve_bare, True),
    "ours, uvloop": (serve_ours, True),
    "websockets, uvloop": (serve_websockets, True),
    "bare, asyncio": (serve_bare, False),
    "ours, asyncio": (serve_ours, False),
    "websockets, asyncio": (serve_websockets, False),
}


async def run_server(name: str) -> None:
    """Print the port, then CPU time and frames so far for each line that comes in."""
    count = Count()
    port = await SERVERS[name][0](count)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print(port, flush=True)
    while await lines.readline():
        print(json.dumps([time.process_time(), count.frames]), flush=True)


class Caller(picows.WSListener):
    """A connection of the load generator."""

    def __init__(self, round_trips: list[float]) -> None:
        super().__init__()
        self._sent_at_s: deque[float] = deque()
        self._round_trips = round_trips

    def send(self, transport: picows.WSTransport) -> None:
        """Send a frame."""
        self._sent_at_s.append(time.perf_counter())
        transport.send(picows.WSMsgType.BINARY, FRAME)

    def on_ws_frame(self, _transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """An echo is back."""
        if frame.msg_type == picows.WSMsgType.BINARY:
            self._round_trips.append(time.perf_counter() - self._sent_at_s.popleft())


async def run_load(port: int, n_connections: int, seconds: float) -> None:
    """Send on all connections at their own phases; print the quantiles at the end."""
    round_trips: list[float] = []
    callers: list[tuple[picows.WSTransport, Caller]] = []
    for _ in range(n_connections):
        transport, caller = await picows.ws_connect(
            lambda: Caller(round_trips), f"ws://{HOST}:{port}{PATH}"
        )
        assert isinstance(caller, Caller)
        callers.append((transport, caller))
    print("go", flush=True)
    started_s = time.perf_counter()
    for n_sent in range(int(n_connections * seconds / FRAME_S)):
        due_s = started_s + n_sent * FRAME_S / n_connections
        if (early_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(early_s)
        elif n_sent % n_connections == 0:
            await asyncio.sleep(0)
        transport, caller = callers[n_sent % n_connections]
        caller.send(transport)
    round_trips.sort()
    quantiles = [1000 * round_trips[int(q * (len(round_trips) - 1))] for q in (0.5, 0.99)]
    print(json.dumps(quantiles), flush=True)


def measure(name: str, n_connections: int, seconds: float) -> Figures:
    server = _spawn("--serve", name)
    port = _line(server)
    load = _spawn(
        "--load",
        port,
        "--connections",
        str(n_connections),
        "--seconds",
        str(seconds + 2 * WARM_UP_S),
    )
    _line(load)
    time.sleep(WARM_UP_S)
    cpu_before_s, frames_before = _ask(server)
    time.sleep(seconds)
    cpu_s, frames = _ask(server)
    p50_ms, p99_ms = json.loads(_line(load))
    for process in (load, server):
        process.communicate(timeout=10)
    n_frames = int(frames - frames_before)
    us_per_frame = 1e6 * (cpu_s - cpu_before_s) / n_frames
    return Figures(name, n_connections, n_frames, us_per_frame, p50_ms, p99_ms)


def _spawn(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _ask(process: "subprocess.Popen[str]") -> tuple[float, float]:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    cpu_s, frames = json.loads(_line(process))
    return cpu_s, frames


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU time for each echoed frame of a media socket")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    parser.add_argument("--load", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve or options.load:
        fast = bool(options.load) or SERVERS[options.serve][1]
        work = (
            run_load(options.load, options.connections, options.seconds)
            if options.load
            else run_server(options.serve)
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop if fast else None) as runner:
            runner.run(work)
        return
    results = [measure(name, options.connections, options.seconds) for name in SERVERS]
    if options.json:
        print(json.dumps([asdict(figures) for figures in results], indent=1))
        return
    print(f"{'server':22}{'us/frame':>10}{'p50 ms':>9}{'p99 ms':>9}")
    for figures in results:
        print(
            f"{figures.server:22}{figures.us_per_frame:10.1f}{figures.p50_ms:9.2f}{figures.p99_ms:9.2f}"
        )


if __name__ == "__main__":
    main()
