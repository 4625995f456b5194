from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fakes.calls import FakeCalls, rest


@pytest.fixture
def calls() -> FakeCalls:
    return FakeCalls()


@pytest.fixture
async def client(calls: FakeCalls) -> AsyncIterator[httpx.AsyncClient]:
    async with rest(calls) as client:
        yield client
