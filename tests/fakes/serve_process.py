"""`tipring serve` as a process of its own, as its users run it."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fakes.served import CALL

_COMMAND = "from bridge.cli import main; main()"
_LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({n}, {n})); "
START_S = 30.0
TONES = 'voice = "tone"\near = "off"\nvad = "energy"\n'
EMBEDDED = 'voice = "espeak"\near = "pocketsphinx"\nvad = "silero"\n'


@dataclass
class ServeProcess:
    """A running service."""

    process: Process
    url: str
    stderr: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def log(self) -> str:
        """What it has said on standard error."""
        return self.stderr.read_text(errors="replace")

    def http(self) -> httpx.AsyncClient:
        """A client of its REST API."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10)

    async def created(self, http: httpx.AsyncClient) -> str:
        """Make a call of the embedded server; its join URL."""
        response = await http.post("/api/calls", json=CALL)
        assert response.status_code == 201, response.text
        return str(response.json()["joinUrl"])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, limit_s: float) -> int:
        """Wait for its end; the exit code."""
        return await asyncio.wait_for(self.process.wait(), limit_s)


@asynccontextmanager
async def serve_process(
    folder: Path,
    config: str = "",
    *,
    max_fds: int | None = None,
    prefix: Sequence[str] = (),
    port: int = 0,
    speech: str = TONES,
) -> AsyncIterator[ServeProcess]:
    """Run it with a config file for the time of the context; killed if it has not ended by then.

    `prefix` is a command that runs it, `max_fds` how many descriptors it may have; port 0 is any that is free;
    `speech` is the table of that name.
    """
    file, stderr = _files(folder, config, speech)
    limited = "" if max_fds is None else _LIMITED.format(n=max_fds)
    with stderr.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *prefix,
            *(sys.executable, "-c", limited + _COMMAND, "serve", "--json", "--port", str(port)),
            *("--config", str(file)),
            stdout=PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    try:
        assert process.stdout is not None
        told = await asyncio.wait_for(process.stdout.readline(), START_S)
        assert told, stderr.read_text()
        yield ServeProcess(process, json.loads(told)["url"], stderr)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _files(folder: Path, config: str, speech: str) -> tuple[Path, Path]:
    file = folder / "serve.toml"
    recordings = json.dumps(str(folder / "recordings"))
    file.write_text(f"[speech]\n{speech}[server]\nrecordings = {recordings}\n{config}")
    return file, folder / "stderr.txt"
