"""Ends of a call that a test holds in its hand: a leg, a socket, a port, a recorder."""

import asyncio
from dataclasses import dataclass, field

from bridge.audio.lane import Lane
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port
from bridge.legs.media_socket import SocketReceiver
from bridge_codecs.pcm import Int16


class HandLeg:
    """A leg that does what the test says; writes down what is done to it."""

    def __init__(self, name: str, rate_hz: int = 8_000) -> None:
        self.name = name
        self.source_hz = rate_hz
        self.sink_hz = rate_hz
        self.done: list[str] = []
        self.events: list[LegEvent] = []
        self.port: Port | None = None
        self.end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.heard_all = asyncio.Event()
        self.deaf_to_cancel_s = 0.0

    async def run(self, port: Port) -> Ended:
        self.port = port
        self.done.append("run")
        try:
            return await self.end
        except asyncio.CancelledError:
            if self.deaf_to_cancel_s:
                await asyncio.sleep(self.deaf_to_cancel_s)
            raise
        finally:
            self.done.append("over")

    def clear(self) -> None:
        self.done.append("clear")

    def receive(self, event: LegEvent) -> None:
        self.events.append(event)

    async def drain(self) -> None:
        self.done.append("drain")
        await self.heard_all.wait()
        self.done.append("drained")


@dataclass
class HandRecorder:
    """Counts what it is given."""

    caller: int = 0
    agent: list[tuple[int, float | None]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)

    def heard(self, samples: Int16) -> None:
        self.caller += samples.size

    def sent(self, samples: Int16, *, plays_in_s: float | None) -> None:
        self.agent.append((samples.size, plays_in_s))

    def cleared(self, *, unplayed_s: float) -> None:
        self.cuts.append(unplayed_s)


class HandSocket:
    """A media socket without a peer: the test plays the peer through `receiver`."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time
        self.sent: list[tuple[float, str | bytes]] = []
        self.closed: list[tuple[int, str]] = []
        self.receiver: SocketReceiver | None = None
        self.buffered_bytes = 0
        self.peer = "a test"

    def start(self, receiver: SocketReceiver) -> None:
        self.receiver = receiver

    def send_text(self, text: str) -> None:
        if not self.closed:
            self.sent.append((self.now(), text))

    def send_bytes(self, data: bytes) -> None:
        if not self.closed:
            self.sent.append((self.now(), data))

    def close(self, code: int = 1000, reason: str = "") -> None:
        if not self.closed:
            self.closed.append((code, reason))

    @property
    def texts(self) -> list[str]:
        return [sent for _, sent in self.sent if isinstance(sent, str)]

    @property
    def frames(self) -> list[tuple[float, bytes]]:
        return [(at, sent) for at, sent in self.sent if isinstance(sent, bytes)]


@dataclass
class HandPort:
    """A port whose far side is the test."""

    outgoing: Lane
    incoming: Lane
    events: list[LegEvent] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)

    @property
    def port(self) -> Port:
        loop = asyncio.get_running_loop()

        def clear_far() -> None:
            self.clears.append(loop.time())
            self.outgoing.clear()
            self.outgoing.ledger.flush(loop.time())

        return Port(self.outgoing, self.incoming, self.events.append, clear_far)

    @property
    def messages(self) -> list[object]:
        return [event.message for event in self.events if isinstance(event, MessageEvent)]


def hand_port(
    *, outgoing_hz: int = 8_000, incoming_hz: int = 8_000, max_ms: float = 32_000
) -> HandPort:
    """A port with empty lanes."""
    return HandPort(
        Lane(outgoing_hz, max_ms, "drop_newest"), Lane(incoming_hz, max_ms, "drop_newest")
    )
