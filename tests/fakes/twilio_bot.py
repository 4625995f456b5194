"""A small application behind a Twilio number, written from Twilio's documents: what the emulator is tested with."""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import Response

from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.legs.media_socket import MediaSocket
from bridge.testing.network import Site
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16

BASE = "https://bot.example"
STREAM_URL = "wss://bot.example/stream"


def twiml(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def connect(url: str = STREAM_URL, inside: str = "", attributes: str = "") -> str:
    return f'<Connect><Stream url="{url}" {attributes}>{inside}</Stream></Connect>'


def tone(seconds: float, hz: float = 300.0, level: int = 8_000, rate_hz: int = 8_000) -> Int16:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * hz * at)).astype(np.int16)


@dataclass
class TwilioBot:
    """Answers with a document, writes down what comes, and does what a test says on its media socket."""

    document: str = field(default_factory=lambda: twiml(connect()))
    talk: Callable[["TwilioBot"], Awaitable[None]] | None = None
    """Runs once the stream has started."""
    refuse: int = 0
    asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    """Method, URL, headers, form fields of each webhook."""
    knocks: list[Knock] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    socket: MediaSocket = field(init=False)
    stream_sid: str = ""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    echo: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def site(self) -> Site:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST"])
        async def answer(path: str, request: Request) -> Response:
            from urllib.parse import parse_qsl

            fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            url = str(request.url)
            self.asked.append((request.method, url, dict(request.headers), fields))
            if path == "status":
                return Response(status_code=204)
            return Response(self.document, media_type="text/xml")

        return Site(app, [MediaRoute(re.compile(r"/stream"), self.admit)])

    async def admit(self, knock: Knock) -> Admission:
        self.knocks.append(knock)
        if self.refuse:
            raise UpgradeRefused(self.refuse, "No.")
        return Admission(self.take)

    def take(self, socket: MediaSocket) -> None:
        self.socket = socket
        socket.start(self)

    def on_text(self, text: str) -> None:
        message = json.loads(text)
        self.messages.append(message)
        self.at_s.append(asyncio.get_running_loop().time())
        if message["event"] == "start":
            self.stream_sid = message["streamSid"]
            self.started.set()
            if self.talk is not None:
                self._tasks.append(asyncio.ensure_future(self.talk(self)))
        if message["event"] == "media" and self.echo:
            self.send("media", {"payload": message["media"]["payload"]})

    def on_bytes(self, data: bytes) -> None:
        raise AssertionError("Twilio sends no binary message")

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def send(self, event: str, body: object = None) -> None:
        message: dict[str, object] = {"event": event, "streamSid": self.stream_sid}
        if body is not None:
            message[event] = body
        self.socket.send_text(json.dumps(message))

    def say(self, samples: Int16) -> None:
        self.send("media", {"payload": base64.b64encode(encode_ulaw(samples)).decode()})

    def mark(self, name: str) -> None:
        self.send("mark", {"name": name})

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["event"] == event]

    def at(self, event: str, n: int = 0) -> float:
        times = [
            at
            for message, at in zip(self.messages, self.at_s, strict=True)
            if message["event"] == event
        ]
        return times[n]

    @property
    def heard(self) -> Int16:
        """The caller's audio so far."""
        payloads = [base64.b64decode(message["media"]["payload"]) for message in self.of("media")]
        return np.concatenate([decode_ulaw(payload) for payload in payloads])
