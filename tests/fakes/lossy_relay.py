"""A lossy network between a browser and a server: both are told that the other one is at the relay.

Candidates in offer and answer are rewritten (RFC 8839), so that the two never learn each other's address. Where only
sound is to suffer, told by its first byte (RFC 7983), it does so on the way to the server, whose way with it is then
measured, and everything else (ICE, DTLS, data) passes at once. Else every packet suffers, in both directions.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from tests.fakes.lossy import fates

_HOST: Final = re.compile(
    r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host", re.MULTILINE | re.IGNORECASE
)
_ANY_CANDIDATE: Final = re.compile(r"^a=candidate:.*\r?\n", re.MULTILINE)
_CANDIDATES: Final = re.compile(r"(?:^a=candidate:.*\r?\n)+", re.MULTILINE)
"""Of one section."""
_FIRST_RTP: Final = 128
_LAST_RTP: Final = 191
_RTCP_TYPES: Final = range(192, 224)

Address = tuple[str, int]


@dataclass(frozen=True)
class Weather:
    """What happens to packets."""

    loss: float = 0.0
    """Share that is lost."""
    jitter_s: float = 0.0
    """The longest delay, s; each delay up to it is equally likely."""
    bursty: bool = False
    """Whether losses come in bursts."""
    everything: bool = False
    """Whether all packets suffer, both ways; else those that carry sound, on the way to the server."""
    seed: int = 1


class _Side(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.pass_on: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.pass_on(data, addr)

    @property
    def port(self) -> int:
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, data: bytes, to: Address) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, to)


class Relay:
    """Two sockets: the browser sends to one, the server to the other.

    Attributes:
        cut: nothing passes, in either direction.
    """

    def __init__(self, weather: Weather, near: _Side, far: _Side) -> None:
        self._weather = weather
        self._near = near
        self._far = far
        self._browser: Address | None = None
        self._server: Address | None = None
        self._chance = random.Random(weather.seed)
        self._comes = {
            side: fates(weather.loss, f"{weather.seed} {name}", bursty=weather.bursty)
            for side, name in ((far, "to the server"), (near, "to the browser"))
        }
        self._lose_next = False
        self.cut = False
        near.pass_on, far.pass_on = self._from_browser, self._from_server

    def lose_next(self) -> None:
        """Lose the next packet that carries sound."""
        self._lose_next = True

    def hide_browser(self, offer: str) -> str:
        """The offer as the server sees it: the browser is at the relay."""
        return self._hidden(offer, self._far.port)

    def hide_server(self, answer: str) -> str:
        """The answer as the browser sees it: the server is at the relay."""
        found = _HOST.search(answer)
        if found is None:
            raise SystemExit("the answer has no host candidate")
        self._server = (found[1], int(found[2]))
        return self._hidden(answer, self._near.port, found[1])

    def _hidden(self, sdp: str, port: int, host: str = "127.0.0.1") -> str:
        if _ANY_CANDIDATE.search(sdp) is None:
            raise SystemExit("the description has no candidate")
        line = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
        return _CANDIDATES.sub(line, sdp)

    def _from_browser(self, data: bytes, addr: Address) -> None:
        self._browser = addr
        if self._server is None or self.cut:
            return
        sound = _is_sound(data)
        if sound and self._lose_next:
            self._lose_next = False
        elif sound or self._weather.everything:
            self._suffer(data, self._far, self._server)
        else:
            self._far.send(data, self._server)

    def _from_server(self, data: bytes, _: Address) -> None:
        if self._browser is None or self.cut:
            return
        if self._weather.everything:
            self._suffer(data, self._near, self._browser)
        else:
            self._near.send(data, self._browser)

    def _suffer(self, data: bytes, side: _Side, to: Address) -> None:
        if next(self._comes[side]):
            delay_s = self._chance.uniform(0, self._weather.jitter_s)
            asyncio.get_running_loop().call_later(delay_s, side.send, data, to)


@asynccontextmanager
async def relay(weather: Weather) -> AsyncIterator[Relay]:
    """A relay for the time of the context."""
    loop = asyncio.get_running_loop()
    sides = [
        await loop.create_datagram_endpoint(_Side, local_addr=("0.0.0.0", 0)) for _ in range(2)
    ]
    try:
        yield Relay(weather, sides[0][1], sides[1][1])
    finally:
        for transport, _ in sides:
            transport.close()


def _is_sound(data: bytes) -> bool:
    return len(data) > 1 and _FIRST_RTP <= data[0] <= _LAST_RTP and data[1] not in _RTCP_TYPES
