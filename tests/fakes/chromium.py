"""A headless Chromium driven over its debugging protocol: the machine's own, one process for a module of tests.

Nothing to install beside the browser. Protocol: Chrome DevTools Protocol, domains Target, Page, Runtime, Input,
Emulation and Browser. Without a browser `find_chromium` says so, and tests are skipped.
"""

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
START_S: Final = 20.0
STEP_S: Final = 15.0
POLL_S: Final = 0.04
MAX_MESSAGE_BYTES: Final = 64 * 2**20
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
    "--lang=en",
)
KEYS: Final = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
_TEXTS: Final = {"Enter": "\r"}
_PLAYED: Final = "--use-file-for-fake-audio-capture"


class PageError(AssertionError):
    """A script in the page threw, or what was waited for did not come."""


def find_chromium() -> str:
    """Where the browser is; skips the test where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium, which is not installed")
    return found


class Browser:
    """A running browser.

    Attributes:
        context: the id of our window.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}
        self.context = ""

    async def begin(self) -> None:
        """Open a window of our own: no cookies, permissions or pages of anybody else's."""
        self.context = (await self.send("Target.createBrowserContext"))["browserContextId"]

    async def end(self) -> None:
        """Close it and its pages."""
        await self.send("Target.disposeBrowserContext", browserContextId=self.context)

    async def read(self) -> None:
        """Take answers and events until the browser goes."""
        with suppress(ConnectionClosed):
            async for text in self._socket:
                message = json.loads(text)
                if "id" in message:
                    waiting = self._answers.pop(message["id"], None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
                    page.happened(message["method"], message["params"])

    async def send(
        self, method: str, session: str | None = None, /, **params: object
    ) -> dict[str, Any]:
        """One command; its result."""
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        command = {"id": number, "method": method, "params": params}
        if session is not None:
            command["sessionId"] = session
        await self._socket.send(json.dumps(command))
        message = await asyncio.wait_for(answer, STEP_S)
        if "error" in message:
            raise PageError(f"{method}: {message['error']['message']}")
        return dict(message["result"])

    async def sleep(self, seconds: float) -> None:
        """Stop the whole browser for so long, as when the machine below it sleeps."""
        told = await self.send("SystemInfo.getProcessInfo")
        [number] = [each["id"] for each in told["processInfo"] if each["type"] == "browser"]
        group = os.getpgid(number)
        os.killpg(group, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.killpg(group, signal.SIGCONT)

    async def page(self, *, width: int = 1200, height: int = 860) -> "Page":
        """A new page."""
        target = await self.send(
            "Target.createTarget", url="about:blank", browserContextId=self.context
        )
        attached = await self.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self, str(attached["sessionId"]))
        self._pages[attached["sessionId"]] = page
        for domain in ("Page", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        await page.show(width=width, height=height)
        return page


class Page:
    """One page.

    Attributes:
        complaints: errors that scripts threw and that the browser logged.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._session = session

    def happened(self, method: str, params: dict[str, Any]) -> None:
        """An event of the page."""
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            thrown = details.get("exception", {}).get("description") or details["text"]
            self.complaints.append(thrown)
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def send(self, method: str, **params: object) -> dict[str, Any]:
        """One command for this page."""
        return await self._browser.send(method, self._session, **params)

    async def before_each(self, source: str) -> None:
        """Run a script in every document before its own."""
        await self.send("Page.addScriptToEvaluateOnNewDocument", source=source)

    async def goto(self, url: str) -> None:
        """Load a page."""
        told = await self.send("Page.navigate", url=url)
        if told.get("errorText"):
            raise PageError(f"{url}: {told['errorText']}")
        await self.until("document.readyState === 'complete'")

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        told = await self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in told:
            details = told["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description") or details["text"])
        return told["result"].get("value")

    async def until(self, condition: str, limit_s: float = STEP_S) -> Any:
        """Wait until an expression is true; its value, and true for an element."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + limit_s
        while not (
            value := await self.run(f"(value => value instanceof Node || value)({condition})")
        ):
            if loop.time() > deadline_s:
                shown = await self.run("document.body.innerText")
                raise PageError(f"never true: {condition}; {self.complaints}; shown:\n{shown}")
            await asyncio.sleep(POLL_S)
        return value

    async def click(self, selector: str) -> None:
        """Click the middle of an element, as a person would: what lies above it gets the click."""
        place = await self.run(
            f"""(() => {{
                const found = document.querySelector({json.dumps(selector)});
                found.scrollIntoView({{ block: "nearest" }});
                const box = found.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    async def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release a key."""
        code = KEYS.get(key, ord(key[0].upper()))
        text = _TEXTS.get(key, key if len(key) == 1 else "")
        common = {
            "key": key,
            "windowsVirtualKeyCode": code,
            "modifiers": 8 if shift else 0,
        }
        await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    async def write(self, text: str) -> None:
        """Put text where the focus is."""
        await self.send("Input.insertText", text=text)

    async def show(
        self, *, width: int, height: int, dark: bool = False, phone: bool = False
    ) -> None:
        """Be so large (CSS pixels), light or dark, a phone or not."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def download_to(self, folder: Path) -> None:
        """Save downloads there."""
        await self._browser.send(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=str(folder),
            browserContextId=self._browser.context,
        )

    async def picture(self, file: Path) -> None:
        """What is seen, as PNG."""
        told = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(told["data"]))


@contextmanager
def launched(
    folder: Path, *, microphone: Path | None = None, flags: Sequence[str] = ()
) -> Iterator[str]:
    """Run the browser for the time of the context, its profile in `folder`; gives the address for `connected`.

    `microphone` is a WAV file that is played once as the microphone; without it there is a beep each second.
    """
    profile = folder / "chromium"
    spoken = () if microphone is None else (f"{_PLAYED}={microphone}%noloop",)
    process = subprocess.Popen(
        [find_chromium(), *FLAGS, *spoken, *flags, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder), "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
        start_new_session=True,  # its helpers are ended with it
    )
    try:
        yield _address(profile / "DevToolsActivePort")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Browser]:
    """Drive a running browser for the time of the context; its pages are closed at the end."""
    async with connect(address, max_size=MAX_MESSAGE_BYTES, proxy=None) as socket:
        browser = Browser(socket)
        reading = asyncio.create_task(browser.read(), name="read Chromium")
        try:
            await browser.begin()
            yield browser
            await browser.end()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def _address(file: Path) -> str:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        with suppress(OSError, ValueError):
            port, path = file.read_text().split()
            return f"ws://127.0.0.1:{port}{path}"
        time.sleep(POLL_S)
    raise PageError("Chromium did not start")
