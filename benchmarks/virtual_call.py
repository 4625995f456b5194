"""How much faster than real time a whole scripted call runs on the virtual clock, and whether it repeats.

One call of the given length goes through the REST application, the call server, in-memory sockets, the relay and both
recordings (the server's and the caller's). The caller says a shipped recording every twelve seconds; the agent is a
scripted brain with the embedded voice. The energy detector comes first, then Silero, which scores every 32 ms.

Asked: 60 times real time with the energy detector and the ear off, 15 times with Silero; the same bytes twice.
"""

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Literal

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import bridge
from bridge.batch.audio_file import read_audio
from bridge.batch.caller import Caller, CallerTurn
from bridge.batch.tape import CallTape
from bridge.batch.world import embedded_world
from bridge.brains.registry import SCRIPT, Brains
from bridge.brains.script.load import script_from_data
from bridge.brains.speech.kit import SpeechKit
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.file import FileLeg
from bridge.relay import Relay
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000
RECORDING = Path(bridge.__file__).parent / "assets" / "recordings" / "appointment.flac"
Vad = Literal["energy", "silero"]
SCRIPT_DATA = {
    "steps": [
        {"say": "Hello, this call runs on a clock that jumps. Say anything."},
        {"label": "again", "wait": {}},
        {
            "say": "Thank you, that was heard. I will say one more sentence, and then it is your turn."
        },
        {"goto": "again"},
    ]
}


def caller_audio(seconds: int) -> Int16:
    """A shipped turn of 2.6 s, every twelve seconds."""
    turn = read_audio(RECORDING, RATE_HZ).samples
    samples = np.zeros(seconds * RATE_HZ, np.int16)
    for start in range(8 * RATE_HZ, samples.size - turn.size, 12 * RATE_HZ):
        samples[start : start + turn.size] = turn
    return samples


async def call(seconds: int, vad: Vad, folder: Path) -> int:
    """One call; returns how many messages the agent's side recorded."""
    kit = SpeechKit.load(ear="off", vad=vad)
    brains = Brains(kit)
    brains.add_script("bench", script_from_data(SCRIPT_DATA, source="bench"))
    body = {
        "model": f"{SCRIPT}bench",
        "recordingEnabled": True,
        "medium": {"serverWebSocket": {"inputSampleRate": RATE_HZ, "clientBufferSizeMs": 30_000}},
    }
    try:
        async with embedded_world(brains, virtual=True, seed="bench", recordings=folder) as api:
            created = await api.create(body)
            socket = await api.join(str(created["joinUrl"]))
            tape = CallTape(folder, rate_hz=RATE_HZ, on_error=print, on_progress=lambda _s: None)
            turns = [CallerTurn("speech", caller_audio(seconds))]
            who = Caller(turns, rate_hz=RATE_HZ, turn_gap_ms=700, tail_s=5)
            legs = (
                FileLeg(who, tape, rate_hz=RATE_HZ),
                AgentSocketLeg(socket, Rates(RATE_HZ, RATE_HZ)),
            )
            await Relay(*legs).run()
            await tape.close()
            return len(await api.messages(str(created["callId"])))
    finally:
        await kit.close()


def measure(seconds: int, vad: Vad) -> dict[str, object]:
    """Run the call twice: how fast it was, and whether its files repeat."""
    digests, times, n_messages = set(), [], 0
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            n_messages = run_virtual(call(seconds, vad, Path(folder)))
            times.append(time.perf_counter() - started)
            files = sorted(Path(folder).glob("*.wav"))
            digests.add(hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest())
    best = min(times)
    return {
        "vad": vad,
        "call_s": seconds,
        "took_s": round(best, 2),
        "times_real_time": round(seconds / best, 1),
        "messages": n_messages,
        "same_bytes_twice": len(digests) == 1,
    }


def main() -> None:
    """Print one line for each detector."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=600, help="length of the call (default 600)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args()
    for vad in ("energy", "silero"):
        row = measure(args.seconds, vad)
        if args.json:
            print(json.dumps(row | {"python": platform.python_version()}))
        else:
            print(
                f"{vad:8} {args.seconds} s of call in {row['took_s']} s: {row['times_real_time']} x real time, "
                f"{row['messages']} messages, same bytes twice: {row['same_bytes_twice']}"
            )


if __name__ == "__main__":
    main()
