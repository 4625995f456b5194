"""What G.711 costs for a frame of 20 ms (160 samples).

    python benchmarks/g711.py [--json] [--rounds 100]

Microseconds to decode a frame from bytes to int16 and to encode it back, best of many short rounds.
"""

import argparse
import json
import statistics
import timeit
from collections.abc import Callable

from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from bridge_codecs.pcm import Int16

FRAMES_PER_ROUND = 1_000
PAYLOAD = bytes(range(160))
LAWS: dict[str, tuple[Callable[[bytes], Int16], Callable[[Int16], bytes]]] = {
    "mu-law": (decode_ulaw, encode_ulaw),
    "A-law": (decode_alaw, encode_alaw),
}


def round_times_us(work: Callable[[], object], rounds: int) -> list[float]:
    seconds = timeit.repeat(work, number=FRAMES_PER_ROUND, repeat=rounds)
    return [1e6 * total / FRAMES_PER_ROUND for total in seconds]


def measure(law: str, rounds: int) -> dict[str, float | str]:
    decode, encode = LAWS[law]
    samples = decode(PAYLOAD)
    decoding = min(round_times_us(lambda: decode(PAYLOAD), rounds))
    encoding = min(round_times_us(lambda: encode(samples), rounds))
    both = round_times_us(lambda: encode(decode(PAYLOAD)), rounds)
    return {
        "law": law,
        "decode_us": round(decoding, 2),
        "encode_us": round(encoding, 2),
        "both_us": round(min(both), 2),
        "noise_percent": round(100 * (statistics.median(both) / min(both) - 1), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--rounds", type=int, default=100, help="timing rounds for each figure")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    rows = [measure(law, options.rounds) for law in LAWS]
    if options.json:
        print(json.dumps({"rows": rows}, indent=1))
        return
    for row in rows:
        print(
            f"{row['law']:<7} decode {row['decode_us']} us, encode {row['encode_us']} us, "
            f"both {row['both_us']} us for a frame of 20 ms"
        )
    print(
        f"Best of {options.rounds} rounds of {FRAMES_PER_ROUND} frames. Machine noise: the median "
        f"round took {max(float(row['noise_percent']) for row in rows):.0f} % longer than the best."
    )


if __name__ == "__main__":
    main()
