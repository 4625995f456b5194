"""What machines ask of the service, as they ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bridge.api.auth import KeyRing
from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.drain import Drain
from bridge.gateway.health import add_health
from bridge.gateway.loop_lag import LoopLag
from bridge.gateway.memory import Bound, MemoryRoom
from bridge.gateway.metrics import Metrics
from bridge.gateway.service_metrics import resident_bytes, service_metrics
from tests.bridge.gateway.test_metrics import samples

KEY = "CANARY-metrics-key"


@asynccontextmanager
async def service(
    keys: tuple[str, ...] = (), drain: Drain | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    drain = drain or Drain()
    admission = Admission(AdmissionLimits(max_calls=0), drain=drain)
    admission.may_take(0)
    admission.may_take(0)
    memory = MemoryRoom(0.85)
    memory.sampled([Bound("group", 1_000, 300), Bound("machine", 5_000, 2_000)])
    source = service_metrics(
        lag=LoopLag(),
        memory=memory,
        admission=admission,
        drain=drain,
        n_connections=lambda: 17,
        n_served=lambda: 4,
    )
    app = FastAPI()
    app.state.keys = KeyRing([SecretStr(key) for key in keys])
    add_health(app, drain=drain, metrics=Metrics([source]))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as http:
        yield http


async def test_a_service_is_ready_until_it_drains() -> None:
    drain = Drain()
    async with service((KEY,), drain) as http:
        before = await http.get("/readyz")
        drain.begin()
        after = await http.get("/readyz")

    assert (before.status_code, before.json()) == (200, {"status": "ready"})
    assert (after.status_code, after.json()) == (503, {"status": "draining"})
    assert after.headers["cache-control"] == "no-store"


async def test_the_page_tells_of_the_process() -> None:
    async with service() as http:
        response = await http.get("/metrics")

    read = samples(response.content)
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert read[("tipring_connections", ())] == 17
    assert read[("tipring_served_calls", ())] == 4
    assert read[("tipring_draining", ())] == 0
    assert read[("tipring_calls_refused_total", ("full",))] == 2
    assert read[("tipring_memory_limit_bytes", ("group",))] == 1_000
    assert read[("tipring_memory_used_bytes", ("group",))] == 300
    assert read[("tipring_memory_used_bytes", ("machine",))] == 2_000
    assert read[("tipring_event_loop_lag_seconds_count", ())] == 0
    assert read[("tipring_resident_memory_bytes", ())] == pytest.approx(resident_bytes(), rel=0.1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 401),
        ({"Authorization": KEY}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer  {KEY}"}, 200),
        ({"X-API-Key": KEY}, 200),
        ({"X-API-Key": "wrong", "Authorization": f"Bearer {KEY}"}, 200),
    ],
)
async def test_the_page_is_for_those_who_have_a_key(headers: dict[str, str], status: int) -> None:
    async with service((KEY,)) as http:
        response = await http.get("/metrics", headers=headers)

    assert response.status_code == status
    assert ("detail" in response.text) == (status == 401)


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
async def test_only_reading_is_possible(path: str) -> None:
    async with service() as http:
        assert (await http.post(path)).status_code == 405


def test_this_process_holds_some_megabytes() -> None:
    assert 10_000_000 < (resident_bytes() or 0) < 10_000_000_000
