"""A client written against the public documentation alone: the standard library and the `websockets` package.

It must not import anything of ours; a test checks that. It streams 8 kHz audio in real time, answers client tools,
types texts, and keeps a log of what the server sent.
"""

import asyncio
import json
import math
import struct
import urllib.request
from typing import Any

import websockets

RATE_HZ = 8_000
FRAME_S = 0.02


def create_call(base_url: str, body: dict[str, Any], api_key: str | None = None) -> dict[str, Any]:
    """POST /api/calls."""
    return request("POST", f"{base_url}/api/calls", body, api_key)


def request(
    method: str, url: str, body: dict[str, Any] | None = None, api_key: str | None = None
) -> dict[str, Any]:
    """One REST request; the answer's JSON."""
    headers = {"Content-Type": "application/json"}
    if api_key is not None:
        headers["X-API-Key"] = api_key
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        parsed: dict[str, Any] = json.loads(answer.read() or b"{}")
        return parsed


def tone(seconds: float) -> bytes:
    """Something loud enough to interrupt with."""
    n_samples = round(seconds * RATE_HZ)
    samples = (round(9_000 * math.sin(i * i * 0.0003)) for i in range(n_samples))
    return struct.pack(f"<{n_samples}h", *samples)


class ForeignClient:
    """One call."""

    def __init__(self, tools: dict[str, str]) -> None:
        self.log: list[dict[str, Any]] = []
        self.audio_bytes = 0
        self._tools = tools
        self._to_say = bytearray()
        self._changed = asyncio.Condition()

    def say(self, audio: bytes) -> None:
        """Put audio after what is being said; silence is streamed otherwise."""
        self._to_say += audio

    async def run(self, join_url: str, story: Any) -> int:
        """Join, let the story happen, return the close code."""
        async with websockets.connect(join_url) as socket:
            self._socket = socket
            async with asyncio.TaskGroup() as group:
                stream = group.create_task(self._stream())
                telling = group.create_task(story(self))
                async for frame in socket:
                    await self._take(frame)
                stream.cancel()
                await telling
            return socket.close_code or 0

    async def send(self, **message: Any) -> None:
        """A data message."""
        await self._socket.send(json.dumps(message))

    async def until(self, **fields: Any) -> dict[str, Any]:
        """Wait for a message with these fields that nobody waited for before."""
        seen = 0
        async with self._changed:
            while True:
                for index in range(seen, len(self.log)):
                    if fields.items() <= self.log[index].items():
                        return self.log[index]
                seen = len(self.log)
                await self._changed.wait()

    def finals(self) -> list[tuple[str, str]]:
        """Role and text of the final transcripts."""
        return [
            (m["role"], m["text"]) for m in self.log if m["type"] == "transcript" and m["final"]
        ]

    async def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.audio_bytes += len(frame)
            return
        message = json.loads(frame)
        if message["type"] == "client_tool_invocation":
            await self.send(
                type="client_tool_result",
                invocationId=message["invocationId"],
                result=self._tools[message["toolName"]],
            )
        async with self._changed:
            self.log.append(message)
            self._changed.notify_all()

    async def _stream(self) -> None:
        loop = asyncio.get_running_loop()
        started, sent = loop.time(), 0
        size = round(RATE_HZ * FRAME_S) * 2
        while True:
            frame = bytes(self._to_say[:size]).ljust(size, b"\0")
            del self._to_say[:size]
            try:
                await self._socket.send(frame)
            except websockets.ConnectionClosed:
                return
            sent += 1
            await asyncio.sleep(max(0.0, started + sent * FRAME_S - loop.time()))
