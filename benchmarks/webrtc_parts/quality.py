"""What is heard of speech on a lossy network: STOI against the speech as it was, and how long it is; in virtual time.

An ear of ours behind the seeded network of the tests: 20 ms of jitter, packets lost at random or in bursts of three.
"""

from collections.abc import Callable
from typing import Final

from tests.fakes.lossy import FRAME_S, burst_loss, random_loss
from tests.fakes.lossy_speech import EAR_HZ, heard, intelligibility, packets

LOSSES: Final = ((0.01, 0), (0.05, 5), (0.2, 20))
"""Of all packets, and what the sender knows of it, %."""
N_LONG: Final = 3_000
"""Packets of the run that is measured: a minute."""
HEAD: Final = "  loss  losses     STOI: worst  median    duration error, worst, ms per 10 s"


def quality(seeds: int, say: Callable[[str], object]) -> None:
    """Print a table, over so many seeds for each line."""
    say(HEAD)
    for loss, known in LOSSES:
        sent = packets(known)
        for name, pattern in (("random", random_loss), ("in bursts", burst_loss)):
            stois = sorted(intelligibility(sent, pattern(len(sent), loss, n)) for n in range(seeds))
            worst_ms = max(_error_ms(sent, pattern(N_LONG, loss, n)) for n in range(seeds))
            say(
                f"{loss:>6.0%}  {name:<10}{stois[0]:>12.3f}{stois[seeds // 2]:>8.3f}{worst_ms:>16.1f}"
            )


def _error_ms(sent: tuple[bytes, ...], comes: list[bool]) -> float:
    """By how much what is heard is longer or shorter than what was said, ms in 10 s."""
    said_s = FRAME_S * len(comes)
    long = sent * (len(comes) // len(sent) + 1)
    return 1000 * abs(heard(long, comes).size / EAR_HZ - said_s) * 10 / said_s
