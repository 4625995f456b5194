"""A server that takes a call's socket and never says anything: each command ends, with one sentence and code 1."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.fakes.recordings import encoded

SILENT = "the agent's side said nothing for 15 s"
ENOUGH_S = 50.0


async def endure(client: ServerConnection) -> None:
    """Read and say nothing."""
    async for _ in client:
        pass


async def run(*arguments: str) -> tuple[int, str]:
    """The exit code of a command whose standard input stays open, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", *arguments), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(ENOUGH_S):
        said = b"".join(await asyncio.gather(process.stdout.read(), process.stderr.read()))
        return await process.wait(), said.decode()


@pytest.mark.slow
async def test_calls_and_talks_with_a_mute_server_end_in_one_sentence(tmp_path: Path) -> None:
    async with serve(endure, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = ("--join-url", f"ws://127.0.0.1:{port}/calls/1")
        said = tmp_path / "said.wav"
        said.write_bytes(encoded("WAV"))
        caller = ("--in", str(said), "--out", str(tmp_path / "out"))
        ends = await asyncio.gather(
            run("call", *caller, *url), run("talk", "--text", "--plain", *url)
        )

    for code, words in ends:
        assert code == 1, words
        assert SILENT in words
        assert "Traceback" not in words
