"""Calls of a session in virtual time: with a brain of the test at our own server, or a far end that the test plays."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np

from bridge.brains.base import Act, CallTool, Cue, Greeting, Say, ToolsReturned
from bridge.client import CallApi
from bridge.errors import JoinRefused
from bridge.gateway.in_process import in_process
from bridge.gateway.server import call_server
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.talk.events import SessionEvent, StatusChanged
from bridge.talk.join import ProgramCall, program_call
from bridge.talk.plan import TalkPlan, create_body
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.tools import Tool, make_tool
from bridge.talk.world import Place
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge_codecs.pcm import Int16
from tests.fakes.call_world import ActingBrain, OneBrain

T = TypeVar("T")
RATES = Rates(16_000, 24_000)
GREETING = "Hello, this is a test."
SECRET_URL = "ws://far.example/calls/1/CANARY-join-token"

Reply = Callable[[Cue], Sequence[Act]]


def tone(seconds: float, rate_hz: int = RATES.input_hz, level: int = 8_000) -> Int16:
    """A loud tone."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * 300 * at)).astype(np.int16)


def polite(cue: Cue) -> Sequence[Act]:
    """Greets, and repeats that it has heard."""
    return [Say(GREETING if isinstance(cue, Greeting) else "I have heard you.")]


def asks(tool: str, **arguments: object) -> Reply:
    """Calls a tool at once, and says that it has returned and what."""

    def reply(cue: Cue) -> Sequence[Act]:
        if isinstance(cue, Greeting):
            return [CallTool(tool, dict(arguments))]
        if isinstance(cue, ToolsReturned):
            returned = cue.results[0]
            return [Say(f"It says {returned.error or returned.result}.")]
        return [Say("I have heard you.")]

    return reply


@asynccontextmanager
async def own_server(reply: Reply = polite, *, heard: str = "hello") -> AsyncIterator[CallApi]:
    """Our own server in process, whose agent answers as the test says."""
    brain = OneBrain(ActingBrain(reply, heard))
    async with (
        call_server(brain, recordings=None, seed="talk") as server,
        in_process(server) as api,
    ):
        yield api


@asynccontextmanager
async def own_call(
    reply: Reply = polite,
    *,
    heard: str = "hello",
    tools: Sequence[Tool | Callable[..., Any]] = (),
    record: Path | None = None,
    body: Mapping[str, object] | None = None,
    rates: Rates = RATES,
) -> AsyncIterator[ProgramCall]:
    """A program's call with that agent."""
    made = [each if isinstance(each, Tool) else make_tool(each) for each in tools]
    async with own_server(reply, heard=heard) as api:
        asked = create_body(TalkPlan(rates=rates, body=body or {}), made, [])
        created = await api.create(asked)
        place = Place(str(created["joinUrl"]), api)
        async with program_call(place, rates, made, record) as call:
            yield call


@dataclass
class FarEnd:
    """The server's end of a join socket, played by a test."""

    socket: MediaSocket
    messages: list[dict[str, Any]] = field(default_factory=list)
    n_bytes: int = 0
    closed: tuple[int, str] | None = None

    def on_text(self, text: str) -> None:
        self.messages.append(json.loads(text))

    def on_bytes(self, data: bytes) -> None:
        self.n_bytes += len(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def send(self, type_: str, **fields: object) -> None:
        self.socket.send_text(json.dumps({"type": type_, **fields}))

    def live(self) -> None:
        """What every call begins with."""
        self.send("call_started", callId="c0ffee")
        self.send("state", state="listening")

    def says(self, ordinal: int, *words: str) -> None:
        """The agent's words, the last of them final if it is the whole text."""
        for number, word in enumerate(words):
            key = "text" if number == 0 else "delta"
            fields = {"role": "agent", "medium": "voice", "final": False, "ordinal": ordinal}
            self.send("transcript", **fields, **{key: word})

    def speak(self, seconds: float, level: int = 8_000) -> None:
        """Audio, all at once, as a client buffer allows."""
        samples = tone(seconds, RATES.output_hz, level).astype("<i2")
        frame = RATES.output_hz // 50
        for start in range(0, samples.size, frame):
            self.socket.send_bytes(samples[start : start + frame].tobytes())

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == type_]


@dataclass
class FarCall:
    """A program's call and the far end that the test plays."""

    call: ProgramCall
    far: FarEnd
    events: list[SessionEvent] = field(default_factory=list)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def far_call(*, record: Path | None = None, by_hand: bool = False) -> AsyncIterator[FarCall]:
    """A call that is live, with a far end in the test's hand."""
    ours, theirs = memory_pair(asyncio.get_running_loop())
    far = FarEnd(theirs)
    theirs.start(far)

    async def connect(_url: str) -> MediaSocket:
        return ours

    transport = httpx.MockTransport(_nobody)
    async with httpx.AsyncClient(transport=transport, base_url="http://far.example") as http:
        leg = ProgramLeg(source_hz=RATES.input_hz, sink_hz=RATES.output_hz)
        api = CallApi(http, connect)
        call = ProgramCall(leg, rates=RATES, api=api, record=record, by_hand=by_hand)
        seen = FarCall(call, far)
        stop = [call.on(kind, seen.events.append) for kind in _kinds()]
        async with call:
            await call.join_call(SECRET_URL)
            far.live()
            await call.ready()
            yield seen
        for each in stop:
            each()


def far_played(talk: Callable[[FarCall], Awaitable[T]], **options: object) -> T:
    """A call with such a far end in virtual time, for as long as the talk takes."""

    async def call() -> T:
        async with far_call(**options) as joined:  # type: ignore[arg-type]
            return await talk(joined)

    return run_virtual(call())


async def soon() -> None:
    """When what was sent has come."""
    await asyncio.sleep(0.1)


async def refuse(_url: str) -> MediaSocket:
    """A far end that takes nobody in."""
    raise JoinRefused("far.example:80 refused the join with 409: the call is joined already")


def _kinds() -> tuple[type[Any], ...]:
    from typing import get_args

    return get_args(SessionEvent)


def _nobody(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(404, json={"detail": "not here"})


async def until_listening(call: ProgramCall) -> None:
    """Wait until the agent listens."""
    async with asyncio.timeout(30):
        async for event in call.events():
            if isinstance(event, StatusChanged) and event.status == "listening":
                return
