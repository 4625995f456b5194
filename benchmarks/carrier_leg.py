"""What the carrier leg costs for a frame of 20 ms, each way, with a socket that costs nothing.

    python -m benchmarks.carrier_leg [--json] [--rounds 40]

*in*: a Twilio media event, as text, becomes samples in the lane to the agent (at 8 kHz, and resampled to 48 kHz) and is
pulled from there. *out*: the agent's samples go through the lane to the socket as a media event, live (each frame goes
out the moment it comes, marks included) and paced (each frame waits for its timer). The clock is moved by hand, 20 ms
a frame, so that pacing behaves as in a call. Microseconds per frame, best of many short rounds; then the parts alone.
"""

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial

# Counts only before numpy is loaded; hence the imports below this line.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.rounds import noise_percent, path_line, print_rows, read_options
from bridge.audio.lane import Lane
from bridge.legs.base import LegEvent, Port
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.media_socket import SocketReceiver
from bridge.virtual import VirtualLoop
from bridge.wire.carriers.twilio import TwilioWire
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16

FRAMES_PER_ROUND = 500
FRAME_S = 0.02


class FreeSocket:
    """A media socket that takes everything and costs nothing; a mark is not echoed."""

    buffered_bytes = 0
    peer = "nobody"

    def __init__(self) -> None:
        self.receiver: SocketReceiver | None = None
        self.n_sent = 0

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self.receiver = receiver

    def send_text(self, text: str) -> None:  # noqa: ARG002 - only counted
        """See MediaSocket."""
        self.n_sent += 1

    def send_bytes(self, data: bytes) -> None:  # noqa: ARG002
        """See MediaSocket."""
        self.n_sent += 1

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Nothing to close."""


def start_text() -> str:
    start = {
        "callSid": "CA" + "0" * 32,
        "accountSid": "AC" + "0" * 32,
        "streamSid": "MZ" + "0" * 32,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    return json.dumps({"event": "start", "streamSid": "MZ" + "0" * 32, "start": start})


def media_texts() -> Iterator[str]:
    """Media events without end, as Twilio sends them."""
    noise = np.random.default_rng(1).normal(0, 3_000, 160).astype(np.int16)
    payload = base64.b64encode(encode_ulaw(noise)).decode()
    number = 0
    while True:
        number += 1
        media = {
            "track": "inbound",
            "chunk": str(number),
            "timestamp": str(20 * (number - 1)),
            "payload": payload,
        }
        event = {"event": "media", "sequenceNumber": str(number + 1), "media": media}
        yield json.dumps({**event, "streamSid": "MZ" + "0" * 32})


class Bench:
    """A leg in a call whose clock is moved by hand."""

    def __init__(self, loop: VirtualLoop, agent_hz: int) -> None:
        self.loop = loop
        self.socket = FreeSocket()
        self.texts = media_texts()
        self.uplink = Lane(agent_hz, 2_000, "drop_oldest", source_hz=8_000)
        self.downlink = Lane(8_000, 32_000, "drop_newest", source_hz=agent_hz)
        noise = np.random.default_rng(1).normal(0, 3_000, agent_hz // 50)
        self.frame: Int16 = noise.astype(np.int16)
        self.task: asyncio.Task[object] | None = None
        self.uplink.on_ready = self._pull

    async def begin(self) -> None:
        """Open the leg and run it."""
        leg = CarrierLeg(self.socket, TwilioWire(), media_idle_s=1e9)
        opening = asyncio.create_task(leg.opened())
        await asyncio.sleep(0)
        assert self.socket.receiver is not None
        self.receive = self.socket.receiver.on_text
        self.receive(start_text())
        await opening
        port = Port(self.uplink, self.downlink, _drop, _nothing)
        self.task = asyncio.create_task(leg.run(port))
        await asyncio.sleep(0)

    async def end(self) -> None:
        """Stop it."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def _pull(self) -> None:
        self.uplink.pull(self.frame.size)

    def tick(self) -> None:
        """The next frame's instant."""
        self.loop._now_s += FRAME_S  # noqa: SLF001 - the one way to move it by hand


def _drop(event: LegEvent) -> None:
    """Nobody watches."""


def _nothing() -> None:
    """Nobody is cleared."""


def timed(work: Callable[[], object], before: Callable[[], object] = _nothing) -> float:
    """Microseconds per frame of one round; what `before` does is not counted."""
    spent = 0
    for _ in range(FRAMES_PER_ROUND):
        before()
        began = time.perf_counter_ns()
        work()
        spent += time.perf_counter_ns() - began
    return spent / FRAMES_PER_ROUND / 1000


async def frames_in(loop: VirtualLoop, agent_hz: int, rounds: int) -> list[float]:
    bench = Bench(loop, agent_hz)
    await bench.begin()
    made = []
    for _ in range(rounds):
        texts = iter([next(bench.texts) for _ in range(FRAMES_PER_ROUND)])
        made.append(timed(partial(_receive, bench, texts), bench.tick))
    await bench.end()
    return made


async def frames_out(
    loop: VirtualLoop, agent_hz: int, rounds: int, *, paced: bool = False
) -> list[float]:
    bench = Bench(loop, agent_hz)
    await bench.begin()
    if paced:
        bench.downlink.push(np.zeros(agent_hz, np.int16))
    made = []
    for _ in range(rounds):
        before = bench.socket.n_sent
        made.append(await _paced(bench) if paced else timed(lambda: _push(bench), bench.tick))
        assert bench.socket.n_sent - before >= FRAMES_PER_ROUND
        await asyncio.sleep(0)  # timers that are due
    await bench.end()
    return made


def _receive(bench: Bench, texts: Iterator[str]) -> None:
    bench.receive(next(texts))


def _push(bench: Bench) -> None:
    bench.downlink.push(bench.frame)


async def _paced(bench: Bench) -> float:
    """Frames that find enough ahead of them: pushed, and sent by a timer."""
    spent = 0
    for _ in range(FRAMES_PER_ROUND):
        began = time.perf_counter_ns()
        bench.downlink.push(bench.frame)
        await asyncio.sleep(FRAME_S)
        spent += time.perf_counter_ns() - began
    return spent / FRAMES_PER_ROUND / 1000


async def idle(rounds: int) -> list[float]:
    """What `_paced` costs without a leg: the loop's own round and the benchmark's timer."""
    made = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        for _ in range(FRAMES_PER_ROUND):
            await asyncio.sleep(FRAME_S)
        made.append((time.perf_counter_ns() - began) / FRAMES_PER_ROUND / 1000)
    return made


def parts(rounds: int) -> dict[str, list[float]]:
    """The steps by themselves."""
    wire, texts = TwilioWire(), media_texts()
    wire.receive_text(start_text(), 0.0)
    clock = iter(range(10**9))
    payload = encode_ulaw(np.random.default_rng(1).normal(0, 3_000, 160).astype(np.int16))
    samples = decode_ulaw(payload)
    lane = Lane(8_000, 2_000, "drop_oldest")

    def through_lane() -> None:
        lane.push(samples)
        lane.pull(160)

    def wire_in() -> list[float]:
        batch = iter([next(texts) for _ in range(FRAMES_PER_ROUND)])
        return [timed(lambda: wire.receive_text(next(batch), next(clock) * FRAME_S))]

    return {
        "part: clock of this benchmark": [timed(_nothing) for _ in range(rounds)],
        "part: wire in": [each for _ in range(rounds) for each in wire_in()],
        "part: mu-law to samples": [timed(lambda: decode_ulaw(payload)) for _ in range(rounds)],
        "part: lane push and pull": [timed(through_lane) for _ in range(rounds)],
        "part: samples to mu-law": [timed(lambda: encode_ulaw(samples)) for _ in range(rounds)],
        "part: wire out": [timed(lambda: wire.audio(payload)) for _ in range(rounds)],
    }


def measure(rounds: int) -> dict[str, list[float]]:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    run = loop.run_until_complete
    try:
        return {
            "in, agent at 8 kHz": run(frames_in(loop, 8_000, rounds)),
            "in, agent at 48 kHz": run(frames_in(loop, 48_000, rounds)),
            "out live, agent at 8 kHz": run(frames_out(loop, 8_000, rounds)),
            "out live, agent at 48 kHz": run(frames_out(loop, 48_000, rounds)),
            "out paced, agent at 8 kHz": run(frames_out(loop, 8_000, rounds, paced=True)),
            "  of which the loop itself": run(idle(rounds)),
            **parts(rounds),
        }
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def main() -> None:
    options = read_options(__doc__, rounds=40)
    rows = [
        {
            "path": name,
            "us": round(min(made), 2),
            "noise_percent": noise_percent(made),
        }
        for name, made in measure(options.rounds).items()
    ]
    print_rows(rows, path_line, as_json=options.json)


if __name__ == "__main__":
    main()
