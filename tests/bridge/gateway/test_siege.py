"""Connections that are held and not used: each is closed in time, and a normal client notices nothing (promise S5)."""

import asyncio
from pathlib import Path

import pytest

from bridge.gateway.door import DoorLimits
from tests.fakes.front_door import front_door
from tests.fakes.serve_process import serve_process
from tests.fakes.siege import HALF_A_BODY, HALF_A_HEAD, Besieger, Siege, besiege

PROBE = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def army(n: int, large: bytes) -> list[Besieger]:
    """A third each: half-sent heads, half-sent bodies, and those who ask for much and read nothing."""
    never_reads = Besieger(large, rcvbuf=4_096)
    return [Besieger(HALF_A_HEAD), Besieger(HALF_A_BODY), never_reads] * (n // 3)


def judge(siege: Siege, n: int, longest_s: float) -> None:
    assert len(siege.lasted_s) >= n
    assert max(siege.lasted_s) <= longest_s
    assert siege.served_p99_s() <= 0.2


async def test_connections_that_are_held_are_closed_in_time_and_others_are_served() -> None:
    limits = DoorLimits(request_s=0.5, stall_s=0.5, linger_s=0.1)
    endless = b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with front_door(limits=limits) as house:
        siege = await besiege(
            house.port, army(60, endless), lasts_s=0.8, probe=PROBE % b"/hello", open_at_once=60
        )

    judge(siege, 60, longest_s=1.5)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_five_hundred_connections_held_for_a_minute(tmp_path: Path) -> None:
    large = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
    async with asyncio.timeout(120), serve_process(tmp_path) as service:
        siege = await besiege(
            service.port, army(501, large), lasts_s=60, probe=PROBE % b"/healthz", open_at_once=50
        )

    judge(siege, 500, longest_s=11.0)
