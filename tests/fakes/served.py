"""The whole call server on an ephemeral loopback port, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.gateway.listener import listening
from bridge.gateway.server import CallServer, call_server

CALL = {"model": "tipring/echo", "medium": {"serverWebSocket": {"inputSampleRate": 8_000}}}


@dataclass(frozen=True)
class Served:
    """A call server that listens."""

    server: CallServer
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def created(self) -> str:
        """Make a call; its join URL."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            response = await http.post("/api/calls", json=CALL)
        assert response.status_code == 201, response.text
        return str(response.json()["joinUrl"])


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """Serve for the time of the context."""
    kit = SpeechKit.load(voice="tone", ear="off", vad="energy")
    await asyncio.sleep(0)  # to make the application takes 25 ms: a step of its own
    async with (
        call_server(Brains(kit), recordings=None) as server,
        listening(server, host="127.0.0.1", port=0) as port,
    ):
        await asyncio.sleep(0)
        yield Served(server, port)
    await kit.close()
