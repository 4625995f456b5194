"""A small application behind a carrier: webhooks in, documents out, one media socket. A test says what it does."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import Response

from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.legs.media_socket import MediaSocket
from bridge.testing.network import Site
from bridge_codecs.pcm import Int16

BASE = "https://bot.example"
STREAM_URL = "wss://bot.example/stream"


def tone(seconds: float, hz: float = 300.0, level: int = 8_000, rate_hz: int = 8_000) -> Int16:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * hz * at)).astype(np.int16)


@dataclass(frozen=True)
class Asked:
    """One webhook."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found


async def nothing(_bot: "Bot") -> None:
    """Say nothing."""


async def no_answer(_bot: "Bot", _asked: Asked) -> Response:
    return Response(status_code=200)


@dataclass
class Bot:
    """Answers webhooks, writes down what comes, and does what a test says on its media socket."""

    answer: Callable[["Bot", Asked], Awaitable[Response]] = no_answer
    talk: Callable[["Bot"], Awaitable[None]] = nothing
    """Runs once the stream has started."""
    hear: Callable[["Bot", Any], None] = lambda _bot, _message: None
    """Gets each message."""
    starts_with: str = "start"
    """The event that starts the stream; empty: the first message, whatever it is."""
    refuse: int = 0
    subprotocol: str | None = None
    asked: list[Asked] = field(default_factory=list)
    knocks: list[Knock] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    """JSON of text messages, bytes of binary ones."""
    at_s: list[float] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    socket: MediaSocket = field(init=False)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def site(self) -> Site:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST", "PUT"])
        async def webhook(path: str, request: Request) -> Response:
            asked = Asked(
                request.method, str(request.url), dict(request.headers), await request.body()
            )
            self.asked.append(asked)
            return await self.answer(self, asked)

        return Site(app, [MediaRoute(re.compile(r"/stream"), self.admit)])

    async def admit(self, knock: Knock) -> Admission:
        self.knocks.append(knock)
        if self.refuse:
            raise UpgradeRefused(self.refuse, "No.")
        return Admission(self.take, self.subprotocol)

    def take(self, socket: MediaSocket) -> None:
        self.socket = socket
        socket.start(self)

    def on_text(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            message = text
        self._got(message)

    def on_bytes(self, data: bytes) -> None:
        self._got(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)
        for task in self.tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def send(self, **message: object) -> None:
        self.socket.send_text(json.dumps(message))

    def do(self, work: Awaitable[None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def of(self, event: str, key: str = "event") -> list[dict[str, Any]]:
        return [m for m in self.messages if isinstance(m, dict) and m.get(key) == event]

    def at(self, event: str, n: int = 0, key: str = "event") -> float:
        pairs = zip(self.messages, self.at_s, strict=True)
        return [at for m, at in pairs if isinstance(m, dict) and m.get(key) == event][n]

    @property
    def binary(self) -> list[bytes]:
        return [message for message in self.messages if isinstance(message, bytes)]

    @property
    def start(self) -> dict[str, Any]:
        return self.of(self.starts_with)[0]

    def _got(self, message: Any) -> None:
        self.messages.append(message)
        self.at_s.append(asyncio.get_running_loop().time())
        event = message.get("event") if isinstance(message, dict) else None
        if not self.started.is_set() and self.starts_with in ("", event):
            self.started.set()
            self.do(self.talk(self))
        self.hear(self, message)
