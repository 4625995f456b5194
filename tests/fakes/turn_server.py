"""A STUN and TURN server of somebody else's: coturn on loopback, where it is installed."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.free_ports import free_tcp_port, free_udp_ports

USER: Final = "caller"
WORD: Final = "CANARY-turn-credential"
HOST: Final = "127.0.0.1"
N_RELAYS: Final = 20
START_S: Final = 10.0


@dataclass(frozen=True)
class TurnServer:
    """One that listens."""

    port: int
    relays: range
    """The ports that it gives away."""

    @property
    def stun(self) -> str:
        return f"stun:{HOST}:{self.port}"

    def turn(self, transport: str) -> str:
        return f"turn:{HOST}:{self.port}?transport={transport}"


@asynccontextmanager
async def turn_server(folder: Path) -> AsyncIterator[TurnServer]:
    """Run one for the time of the context; skips where there is none."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("needs coturn's turnserver, which is not installed")
    server = TurnServer(free_tcp_port(), free_udp_ports(N_RELAYS))
    log = folder / "turnserver.log"
    process = await asyncio.create_subprocess_exec(
        program,
        *("-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers", "--no-rfc5780"),
        *("--listening-ip", HOST, "--relay-ip", HOST, "--listening-port", str(server.port)),
        *("--min-port", str(server.relays[0]), "--max-port", str(server.relays[-1])),
        *("--lt-cred-mech", "--user", f"{USER}:{WORD}", "--realm", "tipring.test"),
        *("--log-file", str(log), "--simple-log", "--pidfile", str(folder / "turnserver.pid")),
        *("--userdb", str(folder / "turndb"), "--relay-threads", "1"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        await _until_it_listens(process, server.port)
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_it_listens(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(START_S):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"turnserver ended with {process.returncode}")
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
