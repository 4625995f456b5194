"""The process that is measured: answers offers, decodes what comes, and sends it back encoded.

Lines of JSON on standard input, and an answer to each: ``{"offer": sdp}``, ``{"figures": true}``.
"""

import argparse
import asyncio
import gc
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from benchmarks.webrtc_parts.stock import StockCall
from bridge.audio.lane import Lane
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer
from bridge.legs.webrtc.voice import Voice
from bridge.loops import new_event_loop

LANE_MS = 1_000
OPTIONS = RtcOptions(addresses=("127.0.0.1",))


class Call(Protocol):
    """One call under measurement."""

    async def answer(self, offer: str) -> str:
        """The answer to an offer."""
        ...

    async def close(self) -> None:
        """End."""
        ...


class OurCall:
    """An echo: ear, lane, resampler and voice, at the rates of a call."""

    def __init__(self) -> None:
        lane = Lane(OPTIONS.voice_hz, LANE_MS, "drop_oldest", source_hz=OPTIONS.ear_hz)
        self.voice = Voice(lane)
        self._peer = Peer(OPTIONS, name="benchmark")
        self._peer.hear(lane.push)
        self._peer.say(self.voice)

    async def answer(self, offer: str) -> str:
        """See Call."""
        return (await self._peer.answer(offer, needs_audio=True)).sdp

    async def close(self) -> None:
        """See Call."""
        self.voice.close()
        await self._peer.close()


async def serve(make: Callable[[], Call]) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    calls: list[Call] = []
    while line := await reader.readline():
        asked = json.loads(line)
        if "collect" in asked:
            gc.collect()
            gc.freeze()
            said: dict[str, Any] = {"collected": True}
        elif "offer" in asked:
            calls.append(make())
            said = {"answer": await calls[-1].answer(asked["offer"])}
        elif "close" in asked:
            for call in calls:
                await call.close()
            calls.clear()
            said = {"closed": True}
        else:
            if "swept" in asked:
                gc.collect()
            said = figures(calls)
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def figures(calls: list[Call]) -> dict[str, Any]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    late = [call.voice.figures.late_max_ms for call in calls if isinstance(call, OurCall)]
    for call in calls:
        if isinstance(call, OurCall):
            call.voice.figures.late_max_ms = 0.0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "cpu_s": used.ru_utime + used.ru_stime,
        "memory_kb": pages * os.sysconf("SC_PAGE_SIZE") / 1024,
        "late_max_ms": max(late, default=0.0),
    }


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--stock", action="store_true")
    asked.add_argument("--core", type=int)
    asked.add_argument("--profile")
    options = asked.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        work = serve(StockCall if options.stock else OurCall)
        if options.profile:
            import cProfile  # noqa: PLC0415

            cProfile.runctx(
                "runner.run(work)", {}, {"runner": runner, "work": work}, options.profile
            )
        else:
            runner.run(work)


if __name__ == "__main__":
    main()
