"""What G.722, Opus and DTMF cost for a frame of 20 ms.

    python -m benchmarks.codecs [--json] [--rounds 40]

Microseconds a frame, best of many short rounds, over two seconds of a recorded telephone call (the
packets are what the encoder made of them). In *conceal 1/2* every second packet is lost;
*dtmf* hears no digits in speech, and in *dialling* one after the other.
"""

import os
import timeit
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

# Counts only before numpy is loaded: hence the place of the imports below.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile

from benchmarks.rounds import Row, noise_percent, print_noise, print_rows, read_options
from bridge_codecs.dtmf_detector import DtmfDetector
from bridge_codecs.g722 import G722Decoder, G722Encoder
from bridge_codecs.opus import OpusDecoder, OpusEncoder
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler
from bridge_codecs.tones import dtmf, progress_tone

SPEECH = Path(__file__).parents[1] / "bridge" / "assets" / "recordings" / "booking-straight.flac"
FRAMES = 100

Work = Callable[[Any], object]


def speech(rate_hz: int) -> list[Int16]:
    """Two seconds of the recording, from its second second on, in frames of 20 ms."""
    samples, from_hz = soundfile.read(SPEECH, 3 * 8_000, 8_000, dtype="int16")
    return frames(Resampler(from_hz, rate_hz).push(samples), rate_hz)


def frames(samples: Int16, rate_hz: int) -> list[Int16]:
    n_frame = rate_hz // 50
    return [samples[at : at + n_frame].copy() for at in range(0, n_frame * FRAMES, n_frame)]


def jobs() -> dict[str, tuple[Work, Sequence[Any]]]:
    wide = speech(16_000)
    encoder = G722Encoder()
    table: dict[str, tuple[Work, Sequence[Any]]] = {
        "g722 encode": (G722Encoder().encode, wide),
        "g722 decode": (G722Decoder().decode, [encoder.encode(frame) for frame in wide]),
    }
    for rate_hz in (8_000, 16_000, 24_000, 48_000):
        sent, opus = speech(rate_hz), OpusEncoder(rate_hz)
        packets = [opus.encode(frame) for frame in sent]
        table[f"opus {rate_hz} encode"] = (OpusEncoder(rate_hz).encode, sent)
        table[f"opus {rate_hz} decode"] = (OpusDecoder(rate_hz).decode, packets)
        lossy = [None if index % 2 else packet for index, packet in enumerate(packets)]
        table[f"opus {rate_hz} conceal 1/2"] = (OpusDecoder(rate_hz).decode, lossy)
    dialled = np.tile(dtmf("159D", 8_000, tone_s=0.1), 3)
    table["dtmf 8000, speech"] = (DtmfDetector(8_000).push, speech(8_000))
    table["dtmf 8000, dialling"] = (DtmfDetector(8_000).push, frames(dialled, 8_000))
    table["dtmf 48000, speech"] = (DtmfDetector(48_000).push, speech(48_000))
    starts = range(0, 160 * FRAMES, 160)
    table["ringback 8000, made"] = (
        lambda start: progress_tone("ringback", "us", 8_000, 160, start=start),
        starts,
    )
    return table


def run(work: Work, inputs: Sequence[Any]) -> None:
    for each in inputs:
        work(each)


def measure(name: str, work: Work, inputs: Sequence[Any], rounds: int) -> dict[str, float | str]:
    times = timeit.repeat(partial(run, work, inputs), number=1, repeat=rounds)
    return {
        "job": name,
        "us_per_frame": round(1e6 * min(times) / len(inputs), 2),
        "noise_percent": noise_percent(times),
    }


def line(row: Row) -> str:
    return f"{row['job']:<24}{row['us_per_frame']:>8} us for a frame of 20 ms"


def main() -> None:
    options = read_options(__doc__, rounds=40)
    rows = [measure(name, *job, options.rounds) for name, job in jobs().items()]
    print_rows(rows, line, as_json=options.json)
    if not options.json:
        print_noise(rows, options.rounds, f"{FRAMES} frames")


if __name__ == "__main__":
    main()
