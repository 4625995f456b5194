"""What a call costs in memory: waiting for its client, live, and over an hour of virtual time.

Resident memory of the whole process divided by the number of calls, after a garbage collection. A live call has the
tone brain, 8 kHz both ways and a recording on disk; its client's half of the in-memory socket is counted with it. With
`--scripted` the live calls have the embedded voice, Silero and the ear instead, whose models are shared or pooled.

Asked: 100 KB idle, 600 KB live, 100 KB of growth in an hour (messages aside).
"""

import argparse
import asyncio
import gc
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from bridge.batch.world import embedded_world
from bridge.brains.registry import TONE, Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.client import CallApi
from bridge.legs.media_socket import MediaSocket
from bridge.virtual import run_virtual

RATE_HZ = 8_000
FRAME = RATE_HZ // 50


class Client:
    """The cheapest client: streams the same two frames, speech and silence, and forgets what comes."""

    def __init__(self, socket: MediaSocket) -> None:
        self._socket = socket
        noise = np.random.default_rng(1).standard_normal(FRAME) * 5_000
        self._speech = noise.astype("<i2").tobytes()
        self._silence = bytes(2 * FRAME)
        socket.start(self)

    def on_text(self, text: str) -> None:
        """Forgotten."""

    def on_bytes(self, data: bytes) -> None:
        """Forgotten."""

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """Forgotten."""

    async def stream(self, seconds: float) -> None:
        """One second of speech in ten."""
        for frame in range(round(seconds * 50)):
            self._socket.send_bytes(self._speech if frame % 500 < 50 else self._silence)
            await asyncio.sleep(0.02)


def resident_kb() -> float:
    """Resident memory of this process, KB, after a collection."""
    gc.collect()
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def body(model: str) -> dict[str, object]:
    medium = {"inputSampleRate": RATE_HZ}
    return {
        "model": model,
        "recordingEnabled": True,
        "joinTimeout": "80000s",
        "maxDuration": "80000s",
        "medium": {"serverWebSocket": medium},
    }


async def measure(n_calls: int, hour_s: float, model: str, kit: SpeechKit) -> dict[str, float]:
    """Create, join and stream; returns the figures."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_world(
            Brains(kit), virtual=True, seed="memory", recordings=Path(folder)
        ) as api:
            await _live(api, 2, model, 30)  # imports and caches
            before = resident_kb()
            created = [await api.create(body(model)) for _ in range(n_calls)]
            idle = resident_kb()
            clients = [Client(await api.join(str(call["joinUrl"]))) for call in created]
            await asyncio.gather(*(client.stream(30) for client in clients))
            live = resident_kb()
            few = clients[:4]
            await asyncio.gather(*(client.stream(hour_s / 10) for client in few))
            start = resident_kb()
            await asyncio.gather(*(client.stream(hour_s) for client in few))
            end = resident_kb()
    return {
        "calls": n_calls,
        "idle_kb": round((idle - before) / n_calls, 1),
        "live_kb": round((live - before) / n_calls, 1),
        "growth_in_an_hour_kb": round((end - start) / len(few), 1),
    }


async def _live(api: CallApi, n_calls: int, model: str, seconds: float) -> None:
    created = [await api.create(body(model)) for _ in range(n_calls)]
    clients = [Client(await api.join(str(call["joinUrl"]))) for call in created]
    await asyncio.gather(*(client.stream(seconds) for client in clients))


async def with_kit(
    make: Callable[[], SpeechKit], n_calls: int, hour_s: float, model: str
) -> dict[str, float]:
    """The figures, with the speech parts closed behind them."""
    kit = make()
    try:
        return await measure(n_calls, hour_s, model, kit)
    finally:
        await kit.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=100, help="how many calls (default 100)")
    parser.add_argument("--hour", type=float, default=3600, help="seconds of the long run")
    parser.add_argument(
        "--scripted", action="store_true", help="the scripted brain with all models"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args()
    model = "ultravox-v0.7" if args.scripted else TONE
    make = SpeechKit.load if args.scripted else lambda: SpeechKit.load(ear="off", vad="energy")
    row = run_virtual(with_kit(make, args.calls, args.hour, model))
    if args.json:
        print(json.dumps(row))
    else:
        print(
            f"{row['calls']} calls of {model}: idle {row['idle_kb']} KB, live {row['live_kb']} KB a call; "
            f"growth in {args.hour:g} s: {row['growth_in_an_hour_kb']} KB a call"
        )


if __name__ == "__main__":
    main()
