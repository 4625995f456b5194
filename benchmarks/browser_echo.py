"""The echo round trip of a browser's call: a beep out of an AudioWorklet, and the same worklet hears it come back.

    python -m benchmarks.browser_echo [--beeps 20] [--loss 0.05] [--jitter 20] [--json]

Headless Chromium calls `tipring/echo` of a `tipring serve` of its own, both on this machine. The sample clock of one
AudioWorklet times each beep from its first sample out to the first loud sample back, so everything is in it: the
browser's Opus and its own jitter buffer, ours, decoding, the echo, encoding, and all that waits in between.

A relay in this program passes the packets on and may lose or delay those that carry sound, on the way to the server:

*clean*: none is lost. *one lost*: a call is measured before and after a single packet is lost: a buffer that grows and
never shrinks shows here. *loss*: as many at random as `--loss` says. *jitter*: each delayed by up
to `--jitter` ms, none lost. The figures are ms; `missed` counts beeps that did not come back within a second.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.fakes.chromium import Browser, Page, connected, launched
from tests.fakes.lossy_relay import Relay, Weather, relay
from tests.fakes.serve_process import ServeProcess, serve_process

SCRIPT: Final = Path(__file__).with_suffix(".js")
SETTLE_BEEPS: Final = 3
"""Until the browser's own buffer has found its size."""
CALL: Final = {"model": "tipring/echo", "medium": {"webRtc": {}}}


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    name: str
    weather: Weather
    one_lost: bool = False


@dataclass(frozen=True)
class Figures:
    """Round trips, ms."""

    name: str
    median: float
    p90: float
    longest: float
    n: int
    missed: int
    browser_buffer: float
    """Of the browser's own jitter buffer, mean."""


async def measure(browser: Browser, service: ServeProcess, plan: Plan, beeps: int) -> list[Figures]:
    """One call."""
    page = await browser.page()
    await page.send("Page.setBypassCSP", enabled=True)
    await page.goto(service.url)
    await page.run(await asyncio.to_thread(SCRIPT.read_text))
    async with relay(plan.weather) as between:
        hang_up = await join(page, service, between)
        await heard(page, SETTLE_BEEPS)
        measured = []
        if plan.one_lost:
            measured.append(await figures(page, f"{plan.name}: before", beeps))
            between.lose_next()
            await heard(page, 1)
        measured.append(await figures(page, plan.name, beeps))
        await hang_up()
    return measured


async def join(page: Page, service: ServeProcess, between: Relay) -> Any:
    """Make a call and join it through the relay; gives what hangs up."""
    async with service.http() as http:
        made = await create(http)
        token = made["joinUrl"].rsplit("/", 2)[1]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        place = f"/calls/{made['callId']}/whip"
        offer = between.hide_browser(await page.run("echo.offer()"))
        answer = (await http.post(place, content=offer, headers=headers)).raise_for_status().text
    await page.run(f"echo.answer({json.dumps(between.hide_server(answer))})")
    await page.until("echo.channel.readyState === 'open'")

    async def hang_up() -> None:
        async with service.http() as http:
            await http.delete(place, headers=headers)
        await page.run("echo.pc.close(), echo.context.close()")

    return hang_up


async def create(http: httpx.AsyncClient) -> Any:
    """A new call, as soon as the service takes one: starting up has kept its loop from its work."""
    for _ in range(30):
        response = await http.post("/api/calls", json=CALL)
        if response.status_code != 503:
            return response.raise_for_status().json()
        await asyncio.sleep(1)
    raise SystemExit("the service takes no call: the machine is too busy to measure on")


async def heard(page: Page, beeps: int) -> list[float | None]:
    """The next round trips; None for a beep that did not come back."""
    await page.run("void (echo.trips.length = 0)")
    await page.until(f"echo.trips.length >= {beeps}", limit_s=beeps + 15)
    return list(await page.run("echo.trips"))


async def figures(page: Page, name: str, beeps: int) -> Figures:
    """The next beeps, and how long the browser's own buffer kept sound meanwhile."""
    before = await page.run("echo.playout()")
    trips = await heard(page, beeps)
    after = await page.run("echo.playout()")
    back = sorted(trip for trip in trips if trip is not None)
    if not back:
        raise SystemExit(f"{name}: no beep came back")
    return Figures(
        name=name,
        median=statistics.median(back),
        p90=back[min(len(back) - 1, round(0.9 * len(back)))],
        longest=back[-1],
        n=len(back),
        missed=len(trips) - len(back),
        browser_buffer=1000 * (after[0] - before[0]) / max(1, after[1] - before[1]),
    )


async def run(address: str, folder: Path, options: argparse.Namespace) -> list[Figures]:
    plans = (
        Plan("clean", Weather()),
        Plan("one lost", Weather(), one_lost=True),
        Plan(f"loss {options.loss:.0%}", Weather(loss=options.loss)),
        Plan(f"jitter {options.jitter:.0f} ms", Weather(jitter_s=options.jitter / 1000)),
    )
    measured: list[Figures] = []
    async with serve_process(folder) as service, connected(address) as browser:
        for plan in plans:
            print(f"{plan.name} …", file=sys.stderr, flush=True)
            measured += await measure(browser, service, plan, options.beeps)
    return measured


def table(rows: Sequence[Figures]) -> str:
    lines = [f"{'':<18}{'median':>8}{'p90':>8}{'longest':>9}{'missed':>8}{'browser buffer':>16}"]
    lines += [
        f"{row.name:<18}{row.median:>8.0f}{row.p90:>8.0f}{row.longest:>9.0f}{row.missed:>8}"
        f"{row.browser_buffer:>16.0f}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--beeps", type=int, default=20, metavar="N")
    parser.add_argument("--loss", type=float, default=0.05, metavar="SHARE")
    parser.add_argument("--jitter", type=float, default=20.0, metavar="MS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, launched(Path(folder)) as address:
        rows = asyncio.run(run(address, Path(folder), options))
    print(json.dumps([vars(row) for row in rows]) if options.json else table(rows))


if __name__ == "__main__":
    main()
