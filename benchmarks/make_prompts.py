"""Makes the recordings that callers hear when there is no AI to talk to, in bridge/assets/prompts.

    python -m benchmarks.make_prompts

The embedded voice at a telephone's bandwidth and -23 dBFS active speech, 8 kHz mono; no noise, no chance.
"""

import argparse
import asyncio
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.make_recordings import RATE_HZ, levelled, pause, spoken
from bridge.brains.speech.espeak import EspeakVoice
from bridge_codecs.pcm import to_int16

TEXTS = {
    "unavailable": "We are sorry, we have a technical problem.",
}
LEAD_S, TAIL_S = 0.1, 0.3
OUT = Path(__file__).parents[1] / "bridge" / "assets" / "prompts"


async def make() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    voice = EspeakVoice()
    try:
        for name, text in TEXTS.items():
            words = levelled(await spoken(voice, text))
            samples = np.concatenate((pause(LEAD_S), words, pause(TAIL_S)))
            path = OUT / f"{name}.flac"
            soundfile.write(path, to_int16(samples.astype(np.float32)), RATE_HZ, subtype="PCM_16")
            print(f"{path.name}: {samples.size / RATE_HZ:.2f} s, {path.stat().st_size} bytes")
    finally:
        await voice.close()


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    ).parse_args()
    asyncio.run(make())


if __name__ == "__main__":
    main()
