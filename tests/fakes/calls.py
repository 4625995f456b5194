"""A call service without calls: records in memory, ids that count, a clock that ticks by the second."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

import httpx
from fastapi import FastAPI, Request
from pydantic import SecretStr

from bridge.api.app import create_app
from bridge.api.ports import Injected
from bridge.calls.errors import InvalidSettings, NotLive, RecordingNotFound, StillLive
from bridge.calls.paging import Page, Window
from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.records import (
    CallRecord,
    EventRecord,
    MessageRecord,
    StageRecord,
    ToolRecord,
)
from bridge.calls.settings import CallSettings
from bridge.calls.store import MemoryStore

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "AbCdEf12.0123456789abcdef0123456789abcdef"
BASE = "http://tipring.test"
MEDIUM: dict[str, object] = {"serverWebSocket": {"inputSampleRate": 16_000}}


@dataclass
class FakeCalls:
    """Meets `bridge.api.ports.Calls`; tests reach into `store` and `sent`."""

    store: MemoryStore = field(default_factory=MemoryStore)
    recordings: dict[str, Path] = field(default_factory=dict)
    sent: list[Injected] = field(default_factory=list)
    names: Sequence[str] = ("ultravox-v0.7", "tipring/echo", "tipring/tone")
    n_ids: int = 0

    def new_id(self) -> str:
        self.n_ids += 1
        return str(UUID(int=self.n_ids))

    async def create(self, settings: CallSettings) -> CallRecord:
        if settings.model not in self.names:
            raise InvalidSettings("model", "no such model; did you mean ultravox-v0.7?")
        created = EPOCH + timedelta(seconds=self.n_ids)
        call = CallRecord(self.new_id(), settings, created, join_token="token")
        tools = tuple(ToolRecord(self.new_id(), spec) for spec in settings.tools)
        await self.store.add_call(call)
        await self.store.add_stage(
            StageRecord(self.new_id(), call.call_id, created, settings, tools)
        )
        return call

    async def get(self, call_id: str) -> CallRecord:
        return await self.store.call(call_id)

    async def list(self, query: CallQuery, window: Window) -> Page[CallRecord]:
        return await self.store.calls(query, window)

    async def delete(self, call_id: str) -> None:
        call = await self.store.call(call_id)
        if call.ended is None:
            raise StillLive("the call has not ended")
        await self.store.delete_call(call_id, EPOCH)

    async def messages(
        self, call_id: str, query: MessageQuery, window: Window
    ) -> Page[MessageRecord]:
        return await self.store.messages(call_id, query, window)

    async def events(self, call_id: str, query: EventQuery, window: Window) -> Page[EventRecord]:
        return await self.store.events(call_id, query, window)

    async def stages(self, call_id: str, window: Window) -> Page[StageRecord]:
        return await self.store.stages(call_id, window)

    async def stage(self, call_id: str, stage_id: str | None = None) -> StageRecord:
        return await self.store.stage(call_id, stage_id)

    async def recording_path(self, call_id: str) -> Path:
        await self.store.call(call_id)
        if call_id not in self.recordings:
            raise RecordingNotFound("the call was not recorded")
        return self.recordings[call_id]

    async def send_data_message(self, call_id: str, message: Injected) -> None:
        call = await self.store.call(call_id)
        if not call.live:
            raise NotLive("the call is not joined")
        self.sent.append(message)

    def models(self) -> Sequence[str]:
        return self.names


def app_over(calls: FakeCalls, *, keys: tuple[str, ...] = (KEY,)) -> FastAPI:
    """The application over this service: one for each set of keys, as making it takes a while."""
    app = _app(keys)
    app.state.calls = calls
    return app


@cache
def _app(keys: tuple[str, ...]) -> FastAPI:
    def join_url(call: CallRecord, request: Request) -> str:
        return f"ws://{request.headers['host']}/join/{call.call_id}?token={call.join_token}"

    secrets = [SecretStr(key) for key in keys]
    return create_app(FakeCalls(), api_keys=secrets, join_url=join_url)


@asynccontextmanager
async def rest(calls: FakeCalls | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the REST API over this service, with a key, without a socket."""
    transport = httpx.ASGITransport(app_over(calls or FakeCalls()))
    async with httpx.AsyncClient(
        transport=transport, base_url=BASE, headers={"X-API-Key": KEY}
    ) as client:
        yield client


async def made(client: httpx.AsyncClient, **asked: object) -> str:
    """The id of a new call."""
    response = await client.post("/api/calls", json={"medium": MEDIUM, **asked})
    assert response.status_code == 201, response.text
    return str(response.json()["callId"])
