"""A client over WebRTC without LiveKit: offers by HTTP, speaks, hears, and exchanges messages on a data channel."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.webrtc.channel import Channel
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer
from bridge.legs.webrtc.voice import Voice
from bridge_codecs.pcm import Int16

HZ: Final = 24_000
LOUD: Final = 500
WAIT_S: Final = 10.0


class WhipClient:
    """One client; its peer connection is made before the call is."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        self.messages: list[dict[str, Any]] = []
        self.loud_s: list[float] = []
        """When something loud was heard, loop time."""
        self.n_heard = 0
        self.peer = Peer(RtcOptions(ear_hz=HZ), name="a page")
        self.lane = Lane(HZ, 5_000, "drop_oldest")
        self.voice = Voice(self.lane)
        self.channel: Channel | None = None
        self._loop = asyncio.get_running_loop()
        self.peer.hear(self._hear)

    async def offer(self, *, channel: bool = True, speaks: bool = True, hears: bool = True) -> str:
        """What a page would offer."""
        if channel:
            self.channel = self.peer.open_channel("tipring")
            self.channel.on_message = lambda text: self.messages.append(json.loads(text))
        if speaks:
            self.peer.say(self.voice)
            self.peer.speak()
        if hears:
            self.peer.expect_audio()
        return await self.peer.offer()

    async def post(self, http: httpx.AsyncClient, offer: str, **headers: str) -> httpx.Response:
        return await http.post(self.url, content=offer, headers={**self.headers, **headers})

    async def join(self, http: httpx.AsyncClient, **offered: bool) -> httpx.Response:
        response = await self.post(http, await self.offer(**offered))
        assert response.status_code == 201, response.text
        await self.peer.accept(response.text)
        return response

    def say(self, **message: object) -> None:
        assert self.channel is not None
        self.channel.send(json.dumps(message))

    def speak(self, seconds: float) -> None:
        """Have a tone said."""
        t = np.arange(round(seconds * HZ)) / HZ
        self.lane.push((8_000 * np.sin(2 * np.pi * 300 * t)).astype(np.int16))
        self.lane.end_segment()

    async def message(self, type_: str, **fields: object) -> dict[str, Any]:
        """Wait for a message with these fields."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for each in self.messages:
                    if each["type"] == type_ and fields.items() <= each.items():
                        return each
                await asyncio.sleep(0.01)

    async def heard(self) -> float:
        """Wait until something loud was heard; when."""
        async with asyncio.timeout(WAIT_S):
            while not self.loud_s:  # noqa: ASYNC110 - the ear tells nobody else
                await asyncio.sleep(0.005)
        return self.loud_s[0]

    def _hear(self, samples: Int16) -> None:
        self.n_heard += samples.size
        if np.abs(samples.astype(np.int32)).max(initial=0) > LOUD:
            self.loud_s.append(self._loop.time())


@asynccontextmanager
async def whip_client(call: dict[str, Any], port: int) -> AsyncIterator[WhipClient]:
    """A client for this call, for the time of the context."""
    token = call["joinUrl"].split("/")[-2]
    client = WhipClient(f"http://127.0.0.1:{port}/calls/{call['callId']}/whip", token)
    try:
        yield client
    finally:
        client.voice.close()
        await client.peer.close()
