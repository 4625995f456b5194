"""The softphone page, served and opened."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.gateway.listener import listening
from bridge.gateway.server import call_server
from bridge.gateway.web import add_page
from tests.fakes.chromium import Browser, Page, PageError

FAR_END: Final = Path(__file__).with_name("softphone_far_end.js")


@asynccontextmanager
async def page_served(api_keys: Sequence[str] = ()) -> AsyncIterator[str]:
    """Serve the page beside a call server's REST API; gives the page's address."""
    kit = SpeechKit.load(voice="tone", ear="off", vad="energy")
    keys = [SecretStr(key) for key in api_keys]
    await asyncio.sleep(0)
    async with call_server(Brains(kit), recordings=None, api_keys=keys) as server:
        await asyncio.get_running_loop().run_in_executor(None, add_page, server.app)
        async with listening(server, host="127.0.0.1", port=0) as port:
            yield f"http://127.0.0.1:{port}/"
    await kit.close()


async def softphone(browser: Browser, url: str, before: str = "") -> Page:
    """The page with another end of its own: its REST answers and its WebRTC peer, `far` in its scripts.

    `before` is a script that runs before the page's own.
    """
    page = await browser.page()
    far_end = await asyncio.to_thread(FAR_END.read_text)
    await page.before_each(f"{far_end}\n{before}")
    await page.goto(url)
    await page.until("document.body.dataset.ready")
    return page


async def in_call(browser: Browser, url: str) -> Page:
    """The page in a call with its other end."""
    page = await softphone(browser, url)
    await page.click("#call-button")
    await page.until("document.body.dataset.phase === 'live'")
    return page


async def place_call(page: Page, limit_s: float = 40.0) -> None:
    """Press call, with whatever the form holds, until the service takes it: a machine of two cores may be too busy.

    Raises: PageError.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + limit_s
    while True:
        await page.run("document.getElementById('setup').requestSubmit()")
        await page.until(
            "document.body.dataset.phase === 'live' || document.getElementById('trouble').textContent"
        )
        if await page.run("document.body.dataset.phase === 'live'"):
            return
        trouble = await page.run("document.getElementById('trouble').textContent")
        if "too busy" not in trouble or loop.time() > deadline_s:
            raise PageError(trouble)
        await asyncio.sleep(1)


async def said_by_page(page: Page) -> list[dict[str, Any]]:
    """The messages that the other end has had, pings left out."""
    return list(await page.run("far.heard"))
