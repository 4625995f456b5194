"""A server without the extra `webrtc`: everything else works, and one sentence says what to install."""

import subprocess
import sys

from bridge.legs.webrtc.installed import WHAT_TO_DO, missing_webrtc

PROGRAM = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("aiortc", "aioice", "livekit", "pylibsrtp"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())

import asyncio
import httpx
from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.gateway.listener import front_door, Exposure
from bridge.gateway.server import call_server
from bridge.legs.webrtc.options import RtcOptions

async def main():
    kit = SpeechKit.load(voice="tone", ear="off", vad="energy")
    async with call_server(Brains(kit), recordings=None, rtc=RtcOptions()) as server:
        front_door(server, Exposure())
        transport = httpx.ASGITransport(app=server.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as http:
            answer = await http.post("/api/calls", json={})
            print(answer.status_code, answer.json())
            asked = {"medium": {"serverWebSocket": {"inputSampleRate": 8000}}}
            print((await http.post("/api/calls", json=asked)).status_code)
    await kit.close()

asyncio.run(main())
"""


def test_without_the_extra_a_call_over_webrtc_is_refused_and_others_are_made() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=40, check=False
    )
    assert done.returncode == 0, done.stderr
    refused, made = done.stdout.splitlines()
    assert refused == f"400 { ({'medium': [WHAT_TO_DO]})!r}"
    assert made == "201"


def test_here_everything_is_installed() -> None:
    assert missing_webrtc() is None
