"""A phone call between two programs: `tipring serve` and `tipring carrier`, and nothing else."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import soundfile

from tests.fakes.bot import tone
from tests.fakes.free_ports import free_tcp_port
from tests.fakes.serve_process import serve_process

ACCOUNT, TOKEN = "AC" + 32 * "3", "CANARY-TOKEN"
LIMIT_S = 40.0


def config(api_port: int) -> str:
    """A number whose calls are answered in tones and ended after four seconds."""
    return f"""
        [carriers.twilio]
        account_sid = "{ACCOUNT}"
        auth_token = "{TOKEN}"
        api_url = "http://127.0.0.1:{api_port}"
        [[routes]]
        call = {{ model = "tipring/tone", maxDuration = "4s" }}
    """


async def tipring(*arguments: str, **variables: str) -> tuple[int, dict[str, Any], str]:
    """Run a command; its exit code, the JSON it printed, and what it said beside."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", *arguments, "--json"),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert out, err.decode()
    return process.returncode or 0, json.loads(out), err.decode()


async def test_a_call_is_made_end_to_end_and_hung_up_through_the_carriers_api(
    tmp_path: Path,
) -> None:
    said = tmp_path / "caller.wav"
    soundfile.write(said, tone(0.8), 8_000)
    api_port = free_tcp_port()
    async with serve_process(tmp_path, config(api_port)) as served:
        code, report, err = await tipring(
            *("carrier", "twilio", "--call", f"{served.url}/carriers/twilio/answer"),
            *("--in", str(said), "--out", str(tmp_path / "heard.wav")),
            *("--api-port", str(api_port)),
            TWILIO_ACCOUNT_SID=ACCOUNT,
            TWILIO_AUTH_TOKEN=TOKEN,
        )

    assert report["problems"] == [], served.log
    assert (code, report["passed"], report["status"]) == (0, True, "completed")
    assert report["ended_by"] == "application"
    assert "REST" in report["how"]
    assert 3.5 < report["duration_s"] < 6.0
    assert report["heard_s"] > 0.4
    assert report["marks"] == report["marks_returned"] > 0
    samples, rate_hz = soundfile.read(tmp_path / "heard.wav", dtype="int16")
    assert rate_hz == 8_000
    assert abs(samples.size / 8_000 - report["duration_s"]) < 0.05
    assert abs(samples).max() > 1_000
    for secret in (TOKEN, ACCOUNT, "+1555010000"):
        assert secret not in served.log + err


async def test_a_call_with_the_wrong_secret_is_refused_and_said(tmp_path: Path) -> None:
    async with serve_process(tmp_path, config(free_tcp_port())) as served:
        code, report, _ = await tipring(
            *("carrier", "twilio", "--call", f"{served.url}/carriers/twilio/answer"),
            *("--api-port", "0", "--account-sid", ACCOUNT, "--auth-token", "wrong"),
        )

    assert (code, report["passed"], report["status"]) == (1, False, "failed")
    assert "403" in report["problems"][0]
