"""What a call over WebRTC costs: CPU with Opus both ways, calls per process, memory, connecting and closing.

A server in a process of its own decodes what comes, passes it through a lane with a resampler, and encodes it again;
the load comes from this process, which encodes and decodes nothing. CPU is what the server's process has used. A frame
is late if it comes more than 40 ms after the earliest one would let expect. How late the voices of
the server and of the load were themselves stands beside it: on a busy machine neither gets a core in time, and the run
says nothing. The same with ``--stock``: aiortc by itself.

Asked: 0.030 core a call with 10 calls, 30 calls and more with no frame late, 1.2 MB a call.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.webrtc_parts.cycles import cycles
from benchmarks.webrtc_parts.generator import LoadCall, speech_packets
from bridge.loops import new_event_loop

RECORDING = Path(__file__).parents[1] / "bridge/assets/recordings/elephants.flac"
WARM_UP_S = 2.0
LATE_S = 0.040
PIPE_BYTES = 1 << 20


class Server:
    """The other process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, **asked: Any) -> dict[str, Any]:
        """One line there, one line back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        said: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return said

    async def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


@dataclass
class Point:
    """One line of the table."""

    calls: int
    core_per_call: float
    frames_per_s: float
    late: int
    late_max_ms: float
    server_late_ms: float
    load_late_ms: float
    memory_mb: float
    connect_ms: float

    def line(self) -> str:
        """Below `HEAD`."""
        return (
            f"{self.calls:>5}  {self.core_per_call:>10.4f}  {self.core_per_call * self.calls:>6.2f}  "
            f"{self.frames_per_s:>8.1f}  {self.late:>6}  {self.late_max_ms:>8.1f}  "
            f"{self.server_late_ms:>6.1f}  {self.load_late_ms:>6.1f}  {self.memory_mb:>9.2f}  "
            f"{self.connect_ms:>7.0f}"
        )


HEAD = (
    "calls  core a call   cores  frames/s    late  late max  server    load  MB a call  connect ms"
)


async def start_server(options: argparse.Namespace) -> Server:
    arguments = ["-m", "benchmarks.webrtc_parts.server"]
    arguments += ["--stock"] if options.stock else []
    arguments += ["--profile", options.profile] if options.profile else []
    if options.pin:
        arguments += ["--core", "0"]
        os.sched_setaffinity(0, {1})
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=PIPE, stdout=PIPE, limit=PIPE_BYTES
    )
    return Server(process)


async def measure(options: argparse.Namespace, n_calls: int) -> Point:
    packets = speech_packets(str(RECORDING))
    server = await start_server(options)
    warm = await connected(server, packets)
    await asyncio.sleep(0.5)
    await server.ask(collect=True)
    empty_kb = (await server.ask(figures=True))["memory_kb"]
    calls, taken = [warm], []
    for _ in range(n_calls - 1):
        started = time.perf_counter()
        calls.append(await connected(server, packets))
        taken.append(time.perf_counter() - started)
    await server.ask(collect=True)
    gc.collect()
    gc.freeze()
    await asyncio.sleep(WARM_UP_S)
    before, began = await server.ask(figures=True), time.perf_counter()
    for call in calls:
        call.take_transits()
        call.take_own_lateness()
    await asyncio.sleep(options.seconds)
    load_late_ms = max(call.take_own_lateness() for call in calls)
    transits = [call.take_transits() for call in calls]
    after, lasted = await server.ask(figures=True), time.perf_counter() - began
    for call in calls:
        await call.close()
    await server.ask(close=True)
    await server.stop()
    lateness = [transit - min(of_call) for of_call in transits if of_call for transit in of_call]
    return Point(
        n_calls,
        (after["cpu_s"] - before["cpu_s"]) / lasted / n_calls,
        len(lateness) / lasted / n_calls,
        sum(late > LATE_S for late in lateness),
        1000 * max(lateness, default=0.0),
        after["late_max_ms"],
        load_late_ms,
        (after["memory_kb"] - empty_kb) / 1024 / max(1, n_calls - 1),
        1000 * sorted(taken)[len(taken) // 2] if taken else 0.0,
    )


async def connected(server: Server, packets: list[bytes]) -> LoadCall:
    call = LoadCall(packets)
    await call.accept((await server.ask(offer=await call.offer()))["answer"])
    return call


async def count_cycles(options: argparse.Namespace) -> None:
    packets, server = speech_packets(str(RECORDING)), await start_server(options)
    await cycles(options.cycles, lambda: connected(server, packets), server.ask, print)
    await server.stop()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--calls", type=int, nargs="+", default=[1, 10, 20, 30])
    asked.add_argument("--seconds", type=float, default=12.0)
    asked.add_argument("--stock", action="store_true", help="aiortc by itself")
    asked.add_argument(
        "--pin", action="store_true", help="the server on core 0, the load on core 1"
    )
    asked.add_argument("--profile", help="write a cProfile of the server here")
    asked.add_argument(
        "--echo", type=int, metavar="BEEPS", help="the round trip in Chromium instead"
    )
    asked.add_argument(
        "--connect",
        type=int,
        metavar="SEEDS",
        help="how soon peers connect on a lossy network instead",
    )
    asked.add_argument(
        "--quality",
        type=int,
        metavar="SEEDS",
        help="STOI and duration of speech on a lossy network instead",
    )
    asked.add_argument(
        "--cycles", type=int, metavar="N", help="memory over calls that connect and close instead"
    )
    options = asked.parse_args()
    if options.quality:
        from benchmarks.webrtc_parts.quality import quality  # noqa: PLC0415 - with the tests' network

        quality(options.quality, print)
        return
    if options.cycles:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(count_cycles(options))
        return
    if options.connect:
        from benchmarks.webrtc_parts.connecting import connecting  # noqa: PLC0415 - with the tests' relay

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(connecting(options.connect, print))
        return
    if options.echo:
        from benchmarks.webrtc_parts.echo import echo_trips  # noqa: PLC0415 - needs a browser

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(echo_trips(options.echo, print))
        return
    print("aiortc by itself" if options.stock else "ours", HEAD, sep="\n")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        for n_calls in options.calls:
            print(runner.run(measure(options, n_calls)).line(), flush=True)


if __name__ == "__main__":
    main()
