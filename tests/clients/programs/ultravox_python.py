"""A call with the vendor's Python SDK, unmodified: told what to do on standard input, tells what happens on output.

Runs in an environment of its own, without anything of ours. One JSON object per line, both ways.
"""

import array
import asyncio
import json
import math
import sys
import time
from collections.abc import AsyncGenerator
from typing import Any

import ultravox_client as uv
from ultravox_client import audio

RATE = 48_000
CHUNK = RATE // 100


def tell(event: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"event": event, "at": time.monotonic(), **more}) + "\n")
    sys.stdout.flush()


class Tone(audio.AudioSource):  # type: ignore[misc]
    """A tone of 300 Hz while it is on, else silence."""

    def __init__(self) -> None:
        super().__init__(RATE, 1)
        self.on = False

    async def stream(self) -> AsyncGenerator[bytes, None]:
        wave = [int(8_000 * math.sin(2 * math.pi * 300 * n / RATE)) for n in range(CHUNK)]
        loud, quiet = array.array("h", wave).tobytes(), bytes(2 * CHUNK)
        due = time.monotonic()
        while True:
            yield loud if self.on else quiet
            due += 0.01
            await asyncio.sleep(max(0.0, due - time.monotonic()))


class Meter(audio.AudioSink):  # type: ignore[misc]
    """How loud each tenth of a second was."""

    def __init__(self) -> None:
        super().__init__(RATE, 1)
        self.samples = array.array("h")
        self.heard = False

    def write(self, data: bytes) -> None:
        samples = array.array("h", data)
        if not self.heard and any(abs(each) > 500 for each in samples):
            self.heard = True
            tell("first_audio")
        self.samples.extend(samples)
        while len(self.samples) >= RATE // 10:
            piece, self.samples = self.samples[: RATE // 10], self.samples[RATE // 10 :]
            tell("level", rms=math.sqrt(sum(each * each for each in piece) / len(piece)))

    async def close(self) -> None:
        tell("sink_closed")


async def do(session: Any, tone: Tone, command: dict[str, Any]) -> None:
    match command["do"]:
        case "text":
            await session.send_text(command["text"])
        case "medium":
            await session.set_output_medium(command["medium"])
        case "speak":
            tone.on = command["on"]
        case "mute_mic":
            session.mic_muted = command["on"]
        case "mute_speaker":
            session.speaker_muted = command["on"]
        case "leave":
            await session.leave_call()
            tell("left")


async def main(join_url: str) -> None:
    session = uv.UltravoxSession()
    tone, meter = Tone(), Meter()

    @session.on("status")  # type: ignore[untyped-decorator]
    def _() -> None:
        tell("status", status=session.status.name)

    @session.on("transcripts")  # type: ignore[untyped-decorator]
    def _() -> None:
        said = [[each.speaker, each.text, each.final, each.medium] for each in session.transcripts]
        tell("transcripts", all=said)

    @session.on("data_message")  # type: ignore[untyped-decorator]
    def _(message: object) -> None:
        tell("message", message=message)

    def look(parameters: dict[str, Any]) -> str:
        tell("tool", parameters=parameters)
        return json.dumps({"seen": "a blue door"})

    session.register_tool_implementation("look", look)
    tell("joining")
    await session.join_call(join_url, source=tone, sink=meter, client_version="tests")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await do(session, tone, json.loads(line))


asyncio.run(main(sys.argv[1]))
