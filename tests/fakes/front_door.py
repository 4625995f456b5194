"""A front door on an ephemeral port with a small REST application and media routes that need no call server."""

import asyncio
import re
import ssl as tls
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from bridge.gateway.door import DoorLimits
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.gateway.proxies import NO_PROXIES, TrustedProxies
from bridge.legs.media_socket import MediaSocket
from tests.fakes.socket_log import SocketLog


@dataclass
class House:
    """What stands behind the door, and what has come through it."""

    door: FrontDoor = field(init=False)
    port: int = 0
    logs: list[SocketLog] = field(default_factory=list)
    sockets: list[MediaSocket] = field(default_factory=list)
    asked: list[Knock] = field(default_factory=list)
    asking: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    lifespan: list[str] = field(default_factory=list)
    disconnects: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def admit(self, knock: Knock) -> Admission:
        """Echo by default; `/media/409` and the like refuse, `/media/slow` waits for `answer`."""
        self.asked.append(knock)
        self.asking.set()
        word = knock.target.partition("?")[0].rsplit("/", 1)[-1]
        if word.isdigit():
            wait_s = 7 if word == "503" else None
            raise UpgradeRefused(int(word), f"Refused with {word}.", retry_after_s=wait_s)
        if word == "bug":
            raise KeyError(word)
        if word == "slow":
            await self.answer.wait()
        offered = knock.subprotocols
        taker = self.take_and_raise if word == "raise" else self.take
        return Admission(taker, "invented" if word == "invented" else next(iter(offered), None))

    def take(self, socket: MediaSocket) -> None:
        """Echo what comes."""
        log = SocketLog(
            lambda message: (
                socket.send_text(message)
                if isinstance(message, str)
                else socket.send_bytes(message)
            )
        )
        self.sockets.append(socket)
        self.logs.append(log)
        socket.start(log)

    def take_and_raise(self, socket: MediaSocket) -> None:
        """A taker with a bug."""
        self.take(socket)
        raise KeyError("bug")

    def app(self) -> FastAPI:
        """A few routes that behave in all the ways a route can."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            self.lifespan.append("started")
            yield
            self.lifespan.append("stopped")

        app = FastAPI(lifespan=lifespan)

        @app.get("/hello")
        async def hello() -> dict[str, str]:
            return {"hello": "world"}

        @app.get("/who")
        async def who(request: Request) -> list[str]:
            assert request.client is not None
            return [request.client.host, request.url.scheme]

        @app.post("/size")
        async def size(request: Request) -> int:
            return len(await request.body())

        @app.get("/slow")
        async def slow() -> str:
            self.asking.set()
            await self.answer.wait()
            return "done"

        @app.get("/endless")
        async def endless() -> StreamingResponse:
            async def zeros() -> AsyncIterator[bytes]:
                try:
                    while True:
                        yield bytes(65_536)
                        await asyncio.sleep(0)  # or nobody could tell it that the client left
                finally:
                    self.disconnects.append("endless")
                    self.answer.set()

            return StreamingResponse(zeros())

        return app


@asynccontextmanager
async def front_door(
    policy: HostPolicy | None = None,
    limits: DoorLimits | None = None,
    ssl: tls.SSLContext | None = None,
    proxies: TrustedProxies = NO_PROXIES,
) -> AsyncIterator[House]:
    """Open a house; everything in it ends within ten seconds."""
    house = House()
    routes = [MediaRoute(re.compile(r"/media/\w+"), house.admit)]
    house.door = FrontDoor(
        house.app(), routes, policy or HostPolicy(), ssl, limits=limits, proxies=proxies
    )
    async with asyncio.timeout(10):
        house.port = await house.door.start("127.0.0.1", 0)
        try:
            yield house
        finally:
            await house.door.close(grace_s=1)


async def exchange(port: int, *chunks: bytes) -> bytes:
    """Send chunks on a new connection and read until the server closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def client(house: House) -> httpx.AsyncClient:
    """An HTTP client for the house."""
    return httpx.AsyncClient(base_url=house.url, trust_env=False)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    while not holds():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)
