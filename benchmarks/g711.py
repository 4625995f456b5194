"""What G.711 costs for a frame of 20 ms (160 samples).

    python -m benchmarks.g711 [--json] [--rounds 100]

Microseconds to decode a frame from bytes to int16 and to encode it back, best of many short rounds.
"""

import timeit
from collections.abc import Callable

from benchmarks.rounds import Row, noise_percent, print_noise, print_rows, read_options
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
        "noise_percent": noise_percent(both),
    }


def line(row: Row) -> str:
    return (
        f"{row['law']:<7} decode {row['decode_us']} us, encode {row['encode_us']} us, "
        f"both {row['both_us']} us for a frame of 20 ms"
    )


def main() -> None:
    options = read_options(__doc__, rounds=100)
    rows = [measure(law, options.rounds) for law in LAWS]
    print_rows(rows, line, as_json=options.json)
    if not options.json:
        print_noise(rows, options.rounds, f"{FRAMES_PER_ROUND} frames")


if __name__ == "__main__":
    main()
