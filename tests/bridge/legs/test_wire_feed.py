import asyncio
import json
from collections.abc import Callable

import numpy as np

from bridge.errors import RemoteWireError
from bridge.legs.wire_feed import WireFeed
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import (
    AgentSocket,
    AudioReceived,
    Closed,
    Ignored,
    MessageReceived,
    Rates,
    SocketEvent,
)
from bridge.wire.close_codes import POLICY, TOO_BIG
from bridge.wire.messages import Ping

PING = json.dumps({"type": "ping", "timestamp": 1.0})


class Bench:
    """A feed in the server's role, and what came out of it."""

    def __init__(self) -> None:
        self.events: list[SocketEvent] = []
        self.refused: list[RemoteWireError] = []
        wire = AgentSocket("server", Rates(8_000, 8_000))
        self.feed = WireFeed(wire, self.events.append, self.refused.append)


def fed(act: Callable[[Bench], None]) -> Bench:
    async def call() -> Bench:
        bench = Bench()
        act(bench)
        return bench

    return run_virtual(call())


def test_texts_bytes_and_the_close_become_events_in_their_order() -> None:
    def act(bench: Bench) -> None:
        bench.feed.on_bytes(np.array([1, -2], "<i2").tobytes())
        bench.feed.on_text(PING)
        bench.feed.on_text("{")
        bench.feed.on_close(1000, "bye")

    audio, message, ignored, closed = fed(act).events

    assert isinstance(audio, AudioReceived)
    assert audio.samples.tolist() == [1, -2]
    assert message == MessageReceived(Ping(timestamp=1.0))
    assert isinstance(ignored, Ignored)
    assert ignored.reason == "bad message"
    assert isinstance(closed, Closed)
    assert closed.orderly


def test_too_large_a_frame_is_refused_and_nothing_comes_after_it() -> None:
    def act(bench: Bench) -> None:
        bench.feed.on_bytes(bytes(64 * 1024 + 2))
        bench.feed.on_bytes(bytes(2))

    bench = fed(act)

    assert [refusal.close_code for refusal in bench.refused] == [TOO_BIG]
    assert [type(event) for event in bench.events] == [Ignored]


def test_the_loops_clock_decides_whether_messages_come_too_fast() -> None:
    async def call(pause_s: float) -> list[int | None]:
        bench = Bench()
        for _ in range(300):
            bench.feed.on_text(PING)
            await asyncio.sleep(pause_s)
        return [refusal.close_code for refusal in bench.refused]

    assert run_virtual(call(0.011)) == []
    assert run_virtual(call(0.001)) == [POLICY]
