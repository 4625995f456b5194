"""A headless Firefox driven over WebDriver BiDi: the machine's own, with a tone for a microphone.

Protocol: W3C WebDriver BiDi, modules session, browsingContext, script and log. Without a browser the test is skipped.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection, connect

START_S: Final = 40.0
STEP_S: Final = 20.0
_LISTENING: Final = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
_PREFERENCES: Final = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "network.proxy.type": 0,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "devtools.jsonview.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
    "services.settings.server": "data:,",
}


class Firefox:
    """One page of a running Firefox.

    Attributes:
        complaints: errors that its scripts have thrown, and what they have written to the console as one.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._ids = itertools.count(1)
        self._context = ""

    async def begin(self) -> None:
        """Open a page."""
        await self._send("session.new", capabilities={})
        told = await self._send("browsingContext.create", type="tab")
        self._context = told["context"]
        await self._send("session.subscribe", events=["log.entryAdded"])

    async def before_each(self, source: str) -> None:
        """Run a script in each page that is loaded from now on, before its own."""
        await self._send("script.addPreloadScript", functionDeclaration=f"() => {{ {source} }}")

    async def goto(self, url: str) -> None:
        """Load a page."""
        await self._send(
            "browsingContext.navigate", context=self._context, url=url, wait="complete"
        )

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited, by way of JSON."""
        told = await self._send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({script})) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"]["value"])

    async def load(self, source: str) -> None:
        """Run a script that has no value."""
        told = await self._send(
            "script.evaluate",
            expression=f"{source}\n;true",
            target={"context": self._context},
            awaitPromise=False,
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]

    async def until(self, condition: str) -> Any:
        """Wait until an expression is true; its value."""
        async with asyncio.timeout(STEP_S):
            while not (value := await self.run(condition)):  # noqa: ASYNC110 - a page tells nobody
                await asyncio.sleep(0.05)
        return value

    async def _send(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._ids)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(STEP_S):
            while True:
                message = json.loads(await self._socket.recv())
                self._note(message)
                if message.get("id") == number:
                    assert message["type"] == "success", message.get("message")
                    return dict(message["result"])

    def _note(self, message: dict[str, Any]) -> None:
        entry = message.get("params", {})
        if message.get("method") == "log.entryAdded" and entry.get("level") == "error":
            self.complaints.append(str(entry.get("text")))


@asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator[Firefox]:
    """Run the browser for the time of the context, its profile in `folder`."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        pytest.skip("needs Firefox, which is not installed")
    profile = folder / "firefox"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    process = await asyncio.create_subprocess_exec(
        *(found, "--headless", "--no-remote", "--remote-debugging-port", "0"),
        *("--profile", str(profile), "about:blank"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        env={**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
        start_new_session=True,  # its helpers are ended with it
    )
    stderr = process.stderr
    assert stderr is not None
    try:
        async with asyncio.timeout(START_S):
            url = b""
            async for line in stderr:
                if match := _LISTENING.search(line):
                    url = match[1]
                    break
        async with connect(f"{url.decode()}/session", max_size=2**24, proxy=None) as socket:
            page = Firefox(socket)
            await page.begin()
            yield page
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
