"""What `tipring talk` costs: its screen, a call with the screen on, the silence it owes, the time until one can talk.

    python -m benchmarks.talk [--seconds 20] [--starts 5] [--clears 40] [--json]

*screen*: the screen alone in a terminal of 120 x 40 (a pty), with meters that move, a transcript that grows by four
words a second and figures that change, at ten redraws a second; percent of a core, and the p99 of the time between two
redraws. *call*: `tipring talk` joined to a `tipring serve` of its own, whose agent speaks all the time, screen on,
through PortAudio and PulseAudio's null sinks, without and with echo cancellation; the percentage is that of the talk
process with all its threads, from /proc. *start*: from the start of the process to the screen's first state of the
agent, with the embedded agent and with the remote one; best and worst. *silence*: from the agent's
``playback_clear_buffer`` on the socket to the last sound in a recording of the loudspeaker (`talk_parts.silence`), with
lines in the place of the screen.

Asked: screen at most 5 %, call at most 8 % and 15 %, starts at most 2.5 s and 1.5 s. Silence is asked of the fake sound
system only (`benchmarks.device`).
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import re
import struct
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import Final

import numpy as np

from benchmarks.calls_per_core_parts.machine import cpu_s, description
from benchmarks.talk_parts.silence import QUIET_S, interrupted_agent, listening
from tests.fakes.pulse import PulseUnavailable, present, pulse_server
from tests.fakes.serve_process import serve_process

WIDTH: Final = 120
HEIGHT: Final = 40
START_S: Final = 20.0
SETTLE_S: Final = 4.0
"""The first redraws, the opening of devices and the loading of parts are not what a call costs."""
LIVE: Final = re.compile(rb"listening|speaking|thinking")
MODEL: Final = "tipring/script:monologue"
TALK: Final = (sys.executable, "-m", "bridge", "talk")


class Screen:
    """A program that draws into a pty."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self.drawn = bytearray()
        self.live = asyncio.Event()
        self.gone = asyncio.Event()
        self._loop.add_reader(descriptor, self._read)

    async def end(self) -> int:
        """Hang up; the exit code."""
        with suppress(OSError):  # it has gone already
            os.write(self._descriptor, b"\x03")
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), 10)
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        status = await self._loop.run_in_executor(None, os.waitpid, self.pid, 0)
        return os.waitstatus_to_exitcode(status[1])

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65_536)
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._descriptor)
            self.gone.set()
            return
        self.drawn += data
        if LIVE.search(self.drawn):
            self.live.set()


@asynccontextmanager
async def drawn(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Screen]:
    """Run a command in a terminal of its own for the time of the context."""
    settings = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe(command[0], list(command), {**environment, **settings})
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    screen = Screen(pid, descriptor)
    try:
        yield screen
    finally:
        code = await screen.end()
        if code:
            tail = screen.drawn[-500:].decode(errors="replace")
            print(f"{command[3:]} ended with {code}: {tail}", file=sys.stderr)


async def cpu_percent(screen: Screen, seconds: float) -> float:
    """Of one core, with all threads."""
    await asyncio.wait_for(screen.live.wait(), START_S)
    await asyncio.sleep(SETTLE_S)
    before_s, began_s = cpu_s(screen.pid), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (cpu_s(screen.pid) - before_s) / (time.monotonic() - began_s)


async def start_s(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """From the start of the process to the first state of the agent on the screen, s."""
    began_s = time.monotonic()
    async with drawn(command, environment) as screen:
        await asyncio.wait_for(screen.live.wait(), START_S)
        return time.monotonic() - began_s


async def screen_alone(seconds: float) -> dict[str, object]:
    with tempfile.NamedTemporaryFile() as told:
        command = (sys.executable, "-m", "benchmarks.talk_parts.screen", told.name)
        async with drawn(command, os.environ) as screen:
            percent = await cpu_percent(screen, seconds)
        gaps_ms = [float(line) for line in told.read().split()]
    return {
        "what": "screen alone",
        "cpu_percent": round(percent, 1),
        "redraw_p99_ms": round(quantiles(gaps_ms, n=100)[98], 1),
        "asked": "5 %",
    }


async def calls(seconds: float, starts: int) -> AsyncIterator[dict[str, object]]:
    """The rows that need a sound system and a service."""
    with tempfile.TemporaryDirectory() as name, pulse_server() as server, present(server):
        environment = server.environment
        async with serve_process(Path(name)) as service:
            remote = (*TALK, "--api-url", service.url, "--model", MODEL)
            for what, options, asked in (
                ("call, no echo cancellation", ("--no-aec",), "8 %"),
                ("call, echo cancellation", (), "15 %"),
            ):
                async with drawn((*remote, *options), environment) as screen:
                    percent = await cpu_percent(screen, seconds)
                yield {"what": what, "cpu_percent": round(percent, 1), "asked": asked}
            for what, command, asked in (
                ("start, embedded agent", TALK, "2.5 s"),
                ("start, remote agent", remote, "1.5 s"),
            ):
                times = sorted([await start_s(command, environment) for _ in range(starts)])
                best, worst = round(times[0], 2), round(times[-1], 2)
                yield {"what": what, "best_s": best, "worst_s": worst, "asked": asked}


async def silence(trials: int) -> dict[str, object]:
    """From a clear to the last sound, ms."""
    with pulse_server() as server, listening(server) as ear:
        async with interrupted_agent(trials) as (agent, url):
            program = await asyncio.create_subprocess_exec(
                *(*TALK, "--json", "--no-aec", "--join-url", url),
                env=server.environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
            )
            try:
                await asyncio.wait_for(agent.done.wait(), START_S + 4 * trials)
            finally:
                program.terminate()
                await program.wait()
        clears_s = agent.cleared_s
        silences_ms = [1000 * (ear.last_sound_s(at, at + QUIET_S) - at) for at in clears_s]
    p50, p99 = np.percentile(silences_ms, (50, 99))
    return {
        "what": "silence after a clear",
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "worst_ms": round(max(silences_ms), 1),
        "asked": "to be reported",
    }


async def measure(options: argparse.Namespace) -> None:
    as_json: bool = options.json
    if as_json:
        print(json.dumps(description()))

    def show(row: Mapping[str, object]) -> None:
        if as_json:
            print(json.dumps(row), flush=True)
            return
        figures = ", ".join(f"{name} {value}" for name, value in row.items() if name != "what")
        print(f"{row['what']:<28} {figures}", flush=True)

    show(await screen_alone(options.seconds))
    try:
        async for row in calls(options.seconds, options.starts):
            show(row)
        show(await silence(options.clears))
    except PulseUnavailable as exc:
        print(f"calls are not measured: {exc}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each CPU measurement")
    parser.add_argument("--starts", type=int, default=5, help="of each kind")
    parser.add_argument(
        "--clears", type=int, default=40, help="of speech in midst, to hear the silence"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
