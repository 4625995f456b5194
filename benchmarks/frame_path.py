"""What the frame path costs for a frame of 20 ms.

    python -m benchmarks.frame_path [--json] [--rounds 100]

A carrier's media event (JSON text, 160 bytes of µ-law in base64) becomes 48 kHz linear bytes for
an AI call. *chain*: event → samples → resampler → bytes. *lane*: the same through the lane between
two legs, with the ledger's account. *call*: a whole phone call as the gateway relays it, everything
that is Python between a frame from picows and a frame to it, both ways, five calls at a time; *its
marks*: what one that comes back costs. Microseconds per frame (of a call: per frame each way), best
of many short rounds, and how far the median round lies above it; then the parts alone.
"""

import base64
import json
import os
import timeit
from collections.abc import Callable

# Counts only before numpy is loaded; hence the imports below this line.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import msgspec
import numpy as np

from benchmarks.frame_path_parts.whole_call import Calls
from benchmarks.rounds import noise_percent, path_line, print_rows, read_options
from bridge.audio.convert import AudioFormat, Chain
from bridge.audio.energy_vad import EnergyVad
from bridge.audio.lane import Lane
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import to_bytes

FRAMES_PER_ROUND = 500
FRAME = 160
WIDE_FRAME = 960


class Media(msgspec.Struct):
    """The inner part of a media event: base64 becomes bytes on the way."""

    payload: bytes


class MediaEvent(msgspec.Struct):
    """A media event as a carrier sends it; other fields are skipped."""

    event: str
    media: Media


def speech_like() -> bytes:
    """Return 20 ms of µ-law that is not silence."""
    noise = np.random.default_rng(1).normal(0, 3_000, FRAME)
    return encode_ulaw(noise.astype(np.int16))


def media_text(payload: bytes) -> bytes:
    event = {
        "event": "media",
        "sequenceNumber": "4242",
        "media": {
            "track": "inbound",
            "chunk": "4241",
            "timestamp": "84820",
            "payload": base64.b64encode(payload).decode(),
        },
        "streamSid": "MZ00000000000000000000000000000000",
    }
    return json.dumps(event).encode()


def paths() -> dict[str, Callable[[], object]]:
    """Return what is timed, by name."""
    payload = speech_like()
    text = media_text(payload)
    decode = msgspec.json.Decoder(MediaEvent).decode
    chain = Chain.between(AudioFormat("ulaw", 8_000), AudioFormat("l16le", 48_000))
    wide = Lane(48_000, 2_000, "drop_oldest", source_hz=8_000)
    narrow = Lane(8_000, 2_000, "drop_oldest")
    samples = decode_ulaw(payload)
    vad = EnergyVad()
    chunk = np.random.default_rng(1).normal(0, 3_000, vad.chunk_samples).astype(np.int16)
    now_s = 0.0

    def through_chain() -> list[bytes]:
        return chain.push(decode(text).media.payload)

    def through_lane() -> bytes:
        nonlocal now_s
        now_s += 0.02
        wide.push(decode_ulaw(decode(text).media.payload))
        pulled = wide.pull(WIDE_FRAME)
        wide.ledger.sent(pulled.size, now_s)
        return to_bytes(pulled)

    def lane_alone() -> None:
        narrow.push(samples)
        narrow.pull(FRAME)

    def ledger_alone() -> None:
        nonlocal now_s
        now_s += 0.02
        narrow.ledger.sent(FRAME, now_s)
        narrow.ledger.played(now_s)

    return {
        "chain": through_chain,
        "lane": through_lane,
        "part: decode the event": lambda: decode(text),
        "part: lane push and pull": lane_alone,
        "part: ledger sent and played": ledger_alone,
        "beside: energy detector, 32 ms": lambda: vad.push(chunk),
    }


def measure(work: Callable[[], object], rounds: int) -> dict[str, float]:
    seconds = timeit.repeat(work, number=FRAMES_PER_ROUND, repeat=rounds)
    return {
        "us": round(1e6 * min(seconds) / FRAMES_PER_ROUND, 2),
        "noise_percent": noise_percent(seconds),
    }


def main() -> None:
    options = read_options(__doc__, rounds=100)
    rows = [{"path": name, **measure(work, options.rounds)} for name, work in paths().items()]
    with Calls() as calls:
        for name, times_us in calls.measure(options.rounds).items():
            best = {"us": round(min(times_us), 2), "noise_percent": noise_percent(times_us)}
            rows.append({"path": name, **best})
    print_rows(rows, path_line, as_json=options.json)


if __name__ == "__main__":
    main()
