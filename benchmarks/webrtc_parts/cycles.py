"""What calls leave behind: the memory of a server's process while calls connect and close, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from benchmarks.webrtc_parts.generator import LoadCall

WARM: Final = 20
"""Cycles before the first figure counts."""
STEP: Final = 20
TALK_S: Final = 0.1


async def cycles(
    n_cycles: int,
    connected: Callable[[], Awaitable[LoadCall]],
    ask: Callable[..., Awaitable[dict[str, Any]]],
    say: Callable[[str], object],
) -> None:
    """Print the memory as it goes, and the growth from cycle `WARM` on."""
    say("cycles  memory MB")
    warm_kb = now_kb = 0.0
    for n in range(1, n_cycles + 1):
        call = await connected()
        await asyncio.sleep(TALK_S)
        await call.close()
        await ask(close=True)
        if n % STEP == 0 or n == n_cycles:
            now_kb = (await ask(figures=True, swept=True))["memory_kb"]
            warm_kb = warm_kb or now_kb
            say(f"{n:>6}  {now_kb / 1024:>9.1f}")
    say(f"growth from cycle {WARM} to {n_cycles}: {(now_kb - warm_kb) / 1024:+.2f} MB")
