"""A call out between three programs: `tipring serve`, `tipring carrier --listen` and `tipring dial`."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.calls.test_two_programs import ACCOUNT, LIMIT_S, TOKEN, tipring
from tests.fakes.free_ports import free_tcp_port
from tests.fakes.serve_process import serve_process

TO, FROM = "+15550100042", "+15550123000"


def config(port: int, api_port: int) -> str:
    return f"""
        public_url = "http://127.0.0.1:{port}"
        [outgoing]
        enabled = true
        prefixes = ["+1555"]
        [carriers.twilio]
        account_sid = "{ACCOUNT}"
        auth_token = "{TOKEN}"
        api_url = "http://127.0.0.1:{api_port}"
    """


@asynccontextmanager
async def listening_carrier(api_port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`tipring carrier --listen` for one call, once it listens; killed if it has not ended by then."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "carrier", "twilio", "--listen", "--calls", "1"),
        *("--api-port", str(api_port), "--tail", "30", "--json"),
        stdout=PIPE,
        stderr=PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
        },
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(LIMIT_S):
            while b"answers" not in (line := await process.stderr.readline()):
                assert line, "it has ended before it listened"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def dial(url: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    return await tipring("dial", TO, "--from", FROM, "--api-url", url, *arguments)


async def test_a_call_is_dialled_answered_and_hung_up_between_three_programs(
    tmp_path: Path,
) -> None:
    port, api_port = free_tcp_port(), free_tcp_port()
    async with (
        serve_process(tmp_path, config(port, api_port), port=port) as served,
        listening_carrier(api_port) as carrier,
    ):
        how = ("--model", "tipring/tone", "--max-duration", "3")
        code, call, said = await dial(served.url, *how)
        async with asyncio.timeout(LIMIT_S):
            out, _ = await carrier.communicate()
        report = json.loads(out)

    assert (code, call["endReason"]) == (0, "timeout"), served.log
    assert call["requestContext"]["phoneCallId"] == report["call_id"]
    assert report["problems"] == []
    assert (report["status"], report["ended_by"]) == ("completed", "application")
    assert "REST" in report["how"]
    assert report["heard_s"] > 0.4
    for secret in (TOKEN, ACCOUNT, TO, FROM):
        assert secret not in served.log + said
