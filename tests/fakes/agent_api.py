"""A hosted API in front of our own server: it knows one agent and one key, and its calls are our server's."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

AGENT = "agent-of-the-test"
KEY = "CANARY-key-of-the-api"


@dataclass
class AgentApi:
    """What it was asked, and where it is."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Each request: its first line's method and path, and its key."""


@asynccontextmanager
async def agent_api(
    http: httpx.AsyncClient, agent: Mapping[str, object]
) -> AsyncIterator[AgentApi]:
    """Serve for the time of the context.

    `http` is a client of our server, `agent` the fields of a call that the agent brings.
    """
    api = AgentApi()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        first, *lines = head.splitlines()
        fields = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
        asked = json.loads(
            await reader.readexactly(int(fields.get("content-length", "0"))) or b"{}"
        )
        key = fields.get("x-api-key", "")
        api.asked.append((first.rpartition(" ")[0], key))
        if first.startswith(f"POST /api/agents/{AGENT}/calls ") and key == KEY:
            answer = await http.post("/api/calls", json={**agent, **asked})
            status, body = answer.status_code, answer.content
        else:
            status, body = 404, b'{"detail": "Not found."}'
        writer.write(
            f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        )
        writer.write(body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield api
