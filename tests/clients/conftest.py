"""A call server in this process, for clients in others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.rtc_served import RtcServed, rtc_served


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[RtcServed]:
    """A server with the agent that all clients are tried with."""
    async with rtc_served(tmp_path) as served:
        yield served
