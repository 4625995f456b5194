"""A client in a call over WebRTC that does its worst: ``python -m … WHIP_URL JOIN_URL TOKEN KIND SECONDS``.

It prints how much it has sent, and how long it has waited for a processor, s.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer
from bridge.wire.livekit import client_frames
from bridge.wire.livekit.client_session import ClientSession
from bridge.wire.livekit.join_url import signal_url
from tests.fakes.whip_client import WhipClient

PER_S: Final = 10_000
"""So much a rogue sends; one that sends what it can measures the machine, not the service."""
SOURCES: Final = 500
N_CANDIDATES: Final = 1_000
HEADS: Final = (
    b"\x14",
    b"\x16",
    b"\x17",
    b"\x3f",
    b"\x80\x60",
    b"\x80\xc8",
    b"\x90\x6f",
    b"\xbf\xff",
)
"""DTLS, RTP and RTCP by their first octets."""
GARBAGE: Final = ("", "v=0", "v=0\r\nm=audio\r\n" * 1_000, "\x00" * 60_000)
"""Descriptions that end a call."""
NOISE: Final = os.urandom(1_400)


async def at_rate(seconds: float, send: Callable[[int], None]) -> int:
    """Send `PER_S` a second, in bursts of what a millisecond or more has left behind."""
    loop = asyncio.get_running_loop()
    began_s, n = loop.time(), 0
    while (passed_s := loop.time() - began_s) < seconds:
        while n < passed_s * PER_S:
            send(n)
            n += 1
        await asyncio.sleep(0.001)
    return n


class Flood:
    """What a connected client can send."""

    def __init__(self, client: WhipClient) -> None:
        out = client.peer._section._out
        assert out is not None
        self._writer, self._srtp = out._writer, out._transport._tx_srtp
        pair = out._connection._nominated[1]
        self._pair = pair
        self._own = self._writer._ssrc
        self._sources = cycle(range(1_000, 1_000 + SOURCES))
        self._once = self._protected(0)

    def rtp(self, n: int) -> None:
        """Packets of its own stream, two hundred times real time."""
        self._send(self._protected(n))

    def foreign(self, n: int) -> None:
        """Packets of hundreds of streams, each encrypted as it should be."""
        self._writer._ssrc = next(self._sources)
        self._send(self._protected(n))
        self._writer._ssrc = self._own

    def replayed(self, _: int) -> None:
        """One packet again and again."""
        self._send(self._once)

    def junk(self, n: int) -> None:
        """Bytes that begin like something."""
        self._send((HEADS[n % len(HEADS)] + NOISE)[: 1 + 7 * n % 1_400])

    def _send(self, data: bytes) -> None:
        self._pair.protocol.transport.sendto(data, self._pair.remote_addr)

    def _protected(self, n: int) -> bytes:
        data: bytes = self._srtp.protect(self._writer.write(b"\x48" + NOISE[:60], 960 * n))
        return data


async def messages(client: WhipClient, seconds: float) -> int:
    """As many as the channel takes."""
    loop = asyncio.get_running_loop()
    until_s, n = loop.time() + seconds, 0
    text = json.dumps({"type": "user_text_message", "text": "x" * 900})
    assert client.channel is not None
    while loop.time() < until_s and client.channel.open:
        n += client.channel.send(text)
        await asyncio.sleep(0)
    return n


async def candidates(base: str, join_url: str, seconds: float) -> int:
    """In one call after the other a thousand addresses and descriptions that are none, until it is thrown out."""
    loop = asyncio.get_running_loop()
    began_s, n = loop.time(), 0
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        while loop.time() < began_s + seconds:
            async with connect(f"{join_url}?clientVersion=rogue&apiVersion=1", proxy=None) as join:
                n += await _signal(json.loads(await join.recv()))
            join_url = await _another(http)
            await asyncio.sleep(began_s + n / PER_S - loop.time())
    return n


async def _another(http: httpx.AsyncClient) -> str:
    body = {"model": "tipring/echo", "medium": {"webRtc": {}}}
    while (made := await http.post("/api/calls", json=body)).status_code == 503:  # noqa: ASYNC110
        await asyncio.sleep(0.2)  # too busy just now
    return str(made.json()["joinUrl"])


async def _signal(info: Mapping[str, Any]) -> int:
    session, peer, sent = ClientSession("v1"), Peer(RtcOptions(), name="a rogue"), count()
    peer.expect_audio()
    url = signal_url(info["roomUrl"], "v1", info["token"], session.first_offer(await peer.offer()))
    try:
        async with connect(url, proxy=None) as room:
            for n in range(N_CANDIDATES):
                line = f"candidate:{n} 1 udp 99 10.{n % 250}.{n // 250}.9 {2_000 + n} typ host"
                init = json.dumps({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0})
                await room.send(session.trickle("publisher", init))
                next(sent)
            for text in GARBAGE:
                await room.send(client_frames.offer(2 + next(sent), text))
            async with asyncio.timeout(0.2):
                while True:
                    await room.recv()
    except (ConnectionClosed, TimeoutError):
        pass
    finally:
        await peer.close()
    return next(sent)


async def main(whip: str, join_url: str, token: str, kind: str, asked_s: str) -> None:
    seconds = float(asked_s)
    if kind == "candidates":
        n = await candidates(whip.partition("/calls/")[0], join_url, seconds)
    else:
        client = WhipClient(whip, token)
        async with httpx.AsyncClient(trust_env=False) as http:
            await client.join(http)
            await client.message("call_started")
            client.speak(0.2)
            await client.heard()
            if kind == "messages":
                n = await messages(client, seconds)
            else:
                n = await at_rate(seconds, getattr(Flood(client), kind))
        client.voice.close()
        await client.peer.close()
    sys.stdout.write(f"{n} {_waited_s()}\n")


def _waited_s() -> float:
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
