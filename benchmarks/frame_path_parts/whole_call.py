"""Whole phone calls without a network: two sockets each, whose transports cost nothing, on a clock moved by hand."""

import asyncio
import json
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self, cast

import numpy as np
from picows import WSMsgType

from benchmarks.carrier_leg import media_texts, start_text
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.media_socket import CLIENT_LIMITS, SERVER_LIMITS
from bridge.legs.picows_listener import PicowsSocket
from bridge.relay import Relay
from bridge.virtual import VirtualLoop
from bridge.wire.agent_socket import Rates
from bridge.wire.carriers.twilio import TwilioWire

N_CALLS: Final = 20
AT_ONCE: Final = 5
"""Frames that a gateway of a hundred calls finds in one round of its loop, each way."""
AI_HZ: Final = 48_000
FRAME_S: Final = 0.02
_STREAM: Final = "MZ" + "0" * 32


class FreeTransport:
    """Stands for a picows transport and the stream under it; what is sent is kept."""

    is_disconnected = is_close_frame_sent = False

    def __init__(self) -> None:
        self.underlying_transport = self
        self.sent: list[str | bytes] = []

    def set_write_buffer_limits(self, **_limits: int) -> None:
        """Nothing is ever buffered."""

    def get_write_buffer_size(self) -> int:
        """Nothing is ever buffered."""
        return 0

    def send(self, _kind: WSMsgType, message: str | bytes) -> None:
        """Keep it."""
        self.sent.append(message)

    def send_close(self, *_code_and_reason: object) -> None:
        """Nobody listens."""

    def take(self) -> list[str | bytes]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent


class FreeFrame:
    """Stands for a picows frame."""

    fin = True
    rsv1 = rsv2 = rsv3 = False

    def __init__(self, payload: str | bytes) -> None:
        self.msg_type = WSMsgType.TEXT if isinstance(payload, str) else WSMsgType.BINARY
        self._payload = payload

    def get_payload_as_bytes(self) -> bytes:
        """Of a binary frame."""
        return cast("bytes", self._payload)

    def get_payload_as_utf8_text(self) -> str:
        """Of a text frame."""
        return cast("str", self._payload)


class End:
    """One end of a call: a socket and what it hangs on."""

    def __init__(self, socket: PicowsSocket) -> None:
        self.transport = FreeTransport()
        self.socket = socket
        socket.on_ws_connected(cast("Any", self.transport))

    def receive(self, frame: FreeFrame) -> None:
        """A frame arrives."""
        self.socket.on_ws_frame(cast("Any", self.transport), cast("Any", frame))


class PhoneCall:
    """A Twilio call joined to an AI call at 48 kHz."""

    def __init__(self, seed: int) -> None:
        self.carrier = End(PicowsSocket(SERVER_LIMITS, "the carrier"))
        self.ai = End(PicowsSocket(CLIENT_LIMITS, "the AI"))
        noise = np.random.default_rng(seed).normal(0, 3_000, AI_HZ // 50)
        self._said = noise.astype(np.int16).tobytes()
        self._texts: Iterator[str] = media_texts()
        self.task: asyncio.Task[object] | None = None

    async def begin(self) -> None:
        """Set the call up."""
        leg = CarrierLeg(self.carrier.socket, TwilioWire(), media_idle_s=1e9)
        opening = asyncio.create_task(leg.opened())
        await asyncio.sleep(0)
        self.carrier.receive(FreeFrame(start_text()))
        await opening
        relay = Relay(leg, AgentSocketLeg(self.ai.socket, Rates(AI_HZ, AI_HZ)))
        self.task = asyncio.create_task(relay.run())
        self.ai.receive(FreeFrame('{"type": "call_started", "callId": "bench"}'))
        await asyncio.sleep(FRAME_S)

    def frames(self) -> tuple[FreeFrame, FreeFrame]:
        """The next of the caller and of the AI."""
        return FreeFrame(next(self._texts)), FreeFrame(self._said)

    def marks(self) -> list[FreeFrame]:
        """The carrier's echoes of the marks sent since the last time; checks that audio went both ways."""
        texts = [text for text in self.carrier.transport.take() if isinstance(text, str)]
        asked = [json.loads(text)["mark"] for text in texts if '"mark"' in text]
        assert len(texts) - len(asked) == len(self.ai.transport.take()) == 1
        events = ({"event": "mark", "streamSid": _STREAM, "mark": mark} for mark in asked)
        return [FreeFrame(json.dumps(event)) for event in events]


class Calls:
    """So many calls; ended when the context is left."""

    def __init__(self) -> None:
        self._loop = VirtualLoop()
        asyncio.set_event_loop(self._loop)

    def __enter__(self) -> Self:
        self._loop.run_until_complete(self._begin())
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._loop.run_until_complete(self._end())
        asyncio.set_event_loop(None)
        self._loop.close()

    def measure(self, rounds: int) -> dict[str, list[float]]:
        """Microseconds of each round, per frame each way and per mark that comes back."""
        return self._loop.run_until_complete(self._measure(rounds))

    async def _begin(self) -> None:
        self._calls = [PhoneCall(seed) for seed in range(N_CALLS)]
        for call in self._calls:
            await call.begin()

    async def _end(self) -> None:
        tasks = [call.task for call in self._calls if call.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _measure(self, rounds: int) -> dict[str, list[float]]:
        frames_us: list[float] = []
        marks_us: list[float] = []
        for _ in range(rounds):
            self._loop._now_s += FRAME_S  # noqa: SLF001 - the one way to move it by hand
            spent_ns = 0
            for first in range(0, N_CALLS, AT_ONCE):
                spent_ns += await _frames_ns(self._calls[first : first + AT_ONCE])
            frames_us.append(spent_ns / N_CALLS / 1000)
            marks_us += [ns / 1000 for call in self._calls for ns in _marks_ns(call)]
        return {"call: a frame each way": frames_us, "its marks: one comes back": marks_us}


async def _frames_ns(calls: list[PhoneCall]) -> int:
    """One frame each way for each of these calls, in one round of the loop."""
    frames = [(call, *call.frames()) for call in calls]
    began_ns = time.perf_counter_ns()
    for call, said, _ in frames:
        call.carrier.receive(said)
    for call, _, answered in frames:
        call.ai.receive(answered)
    await asyncio.sleep(0)  # what is sent goes out at the round's end
    return time.perf_counter_ns() - began_ns


def _marks_ns(call: PhoneCall) -> Iterator[int]:
    for mark in call.marks():
        began_ns = time.perf_counter_ns()
        call.carrier.receive(mark)
        yield time.perf_counter_ns() - began_ns
