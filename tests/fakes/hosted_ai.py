"""An Ultravox-style API elsewhere, in virtual time: one route that makes calls, join sockets that a test drives."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.legs.media_socket import MediaSocket
from bridge.testing.network import Site

AI_BASE = "https://ai.example"
JOIN_TOKEN = "CANARY-join-token"


@dataclass
class Joined:
    """One join socket, and what came."""

    socket: MediaSocket
    messages: list[dict[str, Any]] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    closed: tuple[int, str] | None = None

    def on_text(self, text: str) -> None:
        self.messages.append(json.loads(text))

    def on_bytes(self, data: bytes) -> None:
        self.audio.append(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def send(self, **message: object) -> None:
        self.socket.send_text(json.dumps(message))

    def speak(self, seconds: float, rate_hz: int = 8_000) -> None:
        """A tone, all at once, as an agent's client buffer allows."""
        self.send(type="state", state="speaking")
        at = np.arange(round(seconds * rate_hz)) / rate_hz
        samples = (8_000 * np.sin(2 * np.pi * 440 * at)).astype("<i2")
        frame = rate_hz // 50
        for start in range(0, samples.size, frame):
            self.socket.send_bytes(samples[start : start + frame].tobytes())


@dataclass
class HostedAi:
    """The API.

    Attributes:
        on_join: what it does with a call that is joined.
        status: what it answers to a request for a call.
        create_s: how long that takes.
        refuse_join: the status that refuses the upgrade; 0: none.
        join_s: how long the upgrade takes.
        answer: what it answers instead of the call; None: the call.
        greets: whether a joined call begins with its first message.
    """

    on_join: Callable[[Joined], None] = lambda joined: joined.speak(1.0)
    status: int = 201
    create_s: float = 0.0
    refuse_join: int = 0
    join_s: float = 0.0
    answer: bytes | None = None
    greets: bool = True
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    joined: list[Joined] = field(default_factory=list)

    @property
    def site(self) -> Site:
        app = FastAPI()
        for path in ("/api/calls", "/api/agents/{agent}/calls"):
            app.add_api_route(path, self._create, methods=["POST"], response_model=None)
        return Site(app, [MediaRoute(re.compile(r"/join/[\w-]+"), self._admit)])

    async def _create(self, request: Request) -> Response:
        self.paths.append(request.url.path)
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.json())
        await asyncio.sleep(self.create_s)
        if self.answer is not None:
            return Response(self.answer, self.status, media_type="application/json")
        call = {
            "callId": f"ai-{len(self.bodies)}",
            "joinUrl": f"wss://ai.example/join/{JOIN_TOKEN}",
        }
        return JSONResponse(call if self.status == 201 else {"detail": "No."}, self.status)

    async def _admit(self, knock: Knock) -> Admission:
        await asyncio.sleep(self.join_s)
        if self.refuse_join:
            raise UpgradeRefused(self.refuse_join, f"No call at {knock.target}.")
        return Admission(self._take)

    def _take(self, socket: MediaSocket) -> None:
        joined = Joined(socket)
        self.joined.append(joined)
        socket.start(joined)
        if self.greets:
            joined.send(type="call_started", callId="ai-1")
        self.on_join(joined)
