"""Phone calls of the call server itself: a carrier's stream at the call's join URL, or a call that it dials."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import httpx
from fastapi import FastAPI, Response

from bridge.brains.base import Brain
from bridge.testing.caller import CallerPlan
from bridge.testing.network import Site
from bridge.testing.phone_call import PhoneCall
from tests.fakes.phone_world import TABLES, PhoneWorld, phone_world

DOCUMENTS = "https://documents.example"
"""Where somebody else answers the carrier, with a stream to the join URL."""
TO, FROM = "+15550100042", "+15550123000"
OUTGOING = {"enabled": True, "prefixes": ["+1555"]}
STAYS = CallerPlan(tail_s=60.0)


@dataclass
class DirectWorld:
    """A call server with one carrier."""

    phones: PhoneWorld
    http: httpx.AsyncClient
    placed: list[PhoneCall]
    """What the carrier was asked to dial, and what came in."""
    documents: dict[str, str]

    @property
    def carrier(self) -> Any:
        return self.phones.carrier

    async def create(self, medium: object, **body: object) -> httpx.Response:
        return await self.http.post("/api/calls", json={"medium": medium, **body})

    async def dial(self, *, to: str = TO, more: object = None, **body: object) -> httpx.Response:
        """Ask for a call to somebody."""
        outgoing = {"to": to, "from": FROM}
        if more is not None:
            outgoing["additionalParams"] = more  # type: ignore[assignment]
        return await self.create({self.carrier.name: {"outgoing": outgoing}}, **body)

    async def get(self, path: str) -> Any:
        return (await self.http.get(path)).json()

    async def ended(self, call_id: str) -> Any:
        """The Call object, once there is nothing open any more."""
        call = await self.get(f"/api/calls/{call_id}")
        assert call["ended"] is not None
        return call

    async def events(self, call_id: str, type_: str) -> list[Any]:
        """The call's events of a type."""
        page = await self.get(f"/api/calls/{call_id}/events")
        return [each for each in page["results"] if each["type"] == type_]

    async def figures(self, call_id: str) -> Any:
        """What the call's one event about figures says."""
        [event] = await self.events(call_id, "phone_call_figures")
        return event["extras"]

    async def ring(
        self, join_url: str, plan: CallerPlan = STAYS, stream: dict[str, str] | None = None
    ) -> PhoneCall:
        """Somebody calls a number that is pointed at the join URL, with these attributes of the stream."""
        given = "".join(f" {name}={quoteattr(value)}" for name, value in (stream or {}).items())
        opened = f"<Connect><Stream url={quoteattr(join_url)}{given}/></Connect>"
        if self.carrier.name == "plivo":
            opened = f"<Stream{given}>{escape(join_url)}</Stream>"
        self.documents["answer"] = f"<Response>{opened}</Response>"
        entry = join_url if self.carrier.name == "exotel" else f"{DOCUMENTS}/answer"
        call: PhoneCall = self.carrier.inbound(entry, plan)
        await call.run()
        return call


@asynccontextmanager
async def direct_world(
    brain: Brain | None = None,
    *,
    name: str = "twilio",
    table: Mapping[str, object] | None = None,
    outgoing: Mapping[str, object] | None = None,
    **world: Any,
) -> AsyncIterator[DirectWorld]:
    """A world for the time of the context; `table`: what the config says of the carrier besides."""
    documents: dict[str, str] = {}
    app = FastAPI()

    @app.api_route("/answer", methods=["GET", "POST"])
    async def answer() -> Response:
        return Response(documents["answer"], media_type="text/xml")

    carrier = name.partition("-")[0]
    tables: dict[str, Any] = {
        "carriers": {carrier: {**TABLES[carrier], **(table or {})}},
        "outgoing": OUTGOING if outgoing is None else outgoing,
        **world,
    }
    async with phone_world(brain, name=name, sites={DOCUMENTS: Site(app)}, **tables) as phones:
        placed: list[PhoneCall] = []
        phones.carrier.on_call = placed.append
        yield DirectWorld(phones, phones.http(), placed, documents)
