"""A call server with calls over WebRTC on loopback, in this process, and calls of an agent that tests know by heart."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.calls.rooms import Rooms
from bridge.gateway.listener import Exposure, front_door, listening
from bridge.gateway.server import CallServer, call_server
from bridge.legs.picows_listener import PicowsSocket
from bridge.legs.webrtc.leg import WebRtcLeg
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room_link import RoomLink

KEY: Final = "a-key-for-tests"
SCRIPT: Final = """
description = "What clients are tried with: greets, looks at things, talks at length, says goodbye."

[variables]
seen = ""

[[tools]]
name = "look"
description = "Look."
parameters.where = { type = "string" }

[[steps]]
say = "Hello, what can I do for you today?"

[[steps]]
label = "ask"
wait.expect = [
  { phrases = ["look"], goto = "look" },
  { phrases = ["talk"], say = "One two three four five six seven eight nine ten eleven twelve.", goto = "ask" },
  { phrases = ["bye"], goto = "bye" },
]
wait.otherwise = { say = "Pardon?", repeats = 20, goto = "ask" }

[[steps]]
label = "look"
tool.name = "look"
tool.arguments = { where = "outside" }
tool.on = [{ has = ["seen"], say = "I see {seen}.", goto = "ask" }]
tool.error = { say = "I see nothing.", goto = "ask" }

[[steps]]
say = "Looked."

[[steps]]
goto = "ask"

[[steps]]
label = "bye"
hang_up = "Goodbye then."
"""
TOOL: Final = {
    "temporaryTool": {
        "modelToolName": "look",
        "description": "Look.",
        "client": {},
        "dynamicParameters": [
            {
                "name": "where",
                "location": "PARAMETER_LOCATION_BODY",
                "schema": {"type": "string"},
                "required": True,
            }
        ],
    }
}


async def until(fits: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(limit_s):
        while not fits():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class RtcServed:
    """A call server that listens."""

    server: CallServer
    port: int
    http: httpx.AsyncClient

    @property
    def rooms(self) -> Rooms:
        assert self.server.rooms is not None
        return self.server.rooms

    async def created(self, **more: object) -> dict[str, Any]:
        """Make a call; the answer."""
        body = {"model": "tipring/script:clients", "selectedTools": [TOOL], **more}
        response = await self.http.post("/api/calls", json=body)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def leg(self, call_id: str) -> WebRtcLeg:
        room = self.rooms.room(call_id)
        assert room is not None
        return room.leg

    def cut_signalling(self, call_id: str) -> None:
        """Lose the client's signalling connection, as a network does."""
        link = self.leg(call_id)._links.current
        assert isinstance(link, RoomLink)
        assert isinstance(link._socket, PicowsSocket)
        link._socket.abort()

    async def ended(self, call_id: str, limit_s: float = 10.0) -> dict[str, Any]:
        """Wait for the end of a call; its record."""
        async with asyncio.timeout(limit_s):
            while True:
                record: dict[str, Any] = (await self.http.get(f"/api/calls/{call_id}")).json()
                if record["ended"] is not None:
                    return record
                await asyncio.sleep(0.05)

    async def events(self, call_id: str) -> list[dict[str, Any]]:
        """What stands in the record of a call."""
        url = f"/api/calls/{call_id}/events?minimum_severity=debug"
        return list((await self.http.get(url)).json()["results"])


@asynccontextmanager
async def rtc_served(
    folder: Path,
    *,
    voice: str = "tone",
    api_keys: Sequence[str] = (),
    rtc: RtcOptions = RtcOptions(),  # noqa: B008 - frozen
) -> AsyncIterator[RtcServed]:
    """Serve for the time of the context; recordings are kept in `folder`."""
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "clients.toml").write_text(SCRIPT)
    kit = SpeechKit.load(voice=voice, ear="off", vad="energy")  # type: ignore[arg-type]
    keys = [SecretStr(key) for key in api_keys]
    await asyncio.sleep(0)  # to make the application takes 25 ms: a step of its own
    async with call_server(
        Brains(kit, scripts), recordings=folder, rtc=rtc, api_keys=keys
    ) as server:
        door = front_door(server, Exposure(keyed=bool(keys)))
        async with (
            listening(server, host="127.0.0.1", port=0, door=door) as port,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                trust_env=False,
                headers={"X-API-Key": keys[0].get_secret_value()} if keys else {},
            ) as http,
        ):
            yield RtcServed(server, port, http)
    await kit.close()
