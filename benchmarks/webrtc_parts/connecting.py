"""How long two peers take from an offer to a connection, and to an open channel, where packets of all kinds are lost.

Both are in this process; a relay between them loses and delays every packet, both ways, by a seed.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tests.fakes.lossy_relay import Weather, relay
from tests.fakes.rtc_pair import sides

LOSSES: Final = (0.01, 0.05, 0.2)
JITTER_S: Final = 0.02
GIVE_UP_S: Final = 30.0
AT_ONCE: Final = 4
HEAD: Final = "  loss  losses      connected: median     max    channel: median     max  s"


async def connecting(seeds: int, say: Callable[[str], object]) -> None:
    """Print a table, over so many seeds for each line."""
    say(HEAD)
    turns = asyncio.Semaphore(AT_ONCE)
    for loss in LOSSES:
        for bursty in (False, True):
            weathers = [Weather(loss, JITTER_S, bursty, True, seed) for seed in range(seeds)]
            both = await asyncio.gather(*(_in_turn(turns, weather) for weather in weathers))
            first, second = (sorted(each) for each in zip(*both, strict=True))
            n = seeds // 2
            say(
                f"{loss:>6.0%}  {'in bursts' if bursty else 'random':<10}"
                f"{first[n]:>18.2f}{first[-1]:>8.2f}{second[n]:>19.2f}{second[-1]:>8.2f}"
            )


async def _in_turn(turns: asyncio.Semaphore, weather: Weather) -> tuple[float, float]:
    async with turns:
        return await _once(weather)


async def _once(weather: Weather) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    times = [GIVE_UP_S, GIVE_UP_S]
    async with relay(weather) as between, sides() as (caller, answerer):
        channel = caller.peer.open_channel("tipring")
        caller.peer.expect_audio()
        caller.peer.speak()
        offer = between.hide_browser(await caller.peer.offer())
        began_s = loop.time()
        answer = await answerer.peer.answer(offer)
        await caller.peer.accept(between.hide_server(answer.sdp))
        try:
            async with asyncio.timeout(GIVE_UP_S):
                await caller.connected.wait()
                await answerer.connected.wait()
                times[0] = loop.time() - began_s
                while not channel.open:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.005)
                times[1] = loop.time() - began_s
        except TimeoutError:
            pass
    return times[0], times[1]
