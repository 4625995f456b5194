"""A network that loses and delays packets: seeded, so that the same seed loses the same ones."""

import random
from collections.abc import Iterator
from typing import Final

FRAME_S: Final = 0.02
BURST_FRAMES: Final = 3.0
"""How long a burst lasts on average."""


def random_loss(n: int, loss: float, seed: int) -> list[bool]:
    """Which of `n` packets come, each on its own."""
    rng = random.Random(f"random {loss} {seed}")
    return [index == 0 or rng.random() >= loss for index in range(n)]


def burst_loss(n: int, loss: float, seed: int) -> list[bool]:
    """Which of `n` packets come where losses come in bursts (Gilbert)."""
    rng = random.Random(f"burst {loss} {seed}")
    end = 1 / BURST_FRAMES
    begin = end * loss / (1 - loss) if loss else 0.0
    comes, lost = [True], False
    for _ in range(n - 1):
        lost = rng.random() >= end if lost else rng.random() < begin
        comes.append(not lost)
    return comes


def fates(loss: float, seed: str, *, bursty: bool = False) -> Iterator[bool]:
    """Whether each packet comes, for ever and from the very first on; `bursty`: a burst eats 3 on average (Gilbert)."""
    rng = random.Random(f"fates {loss} {seed}")
    end = 1 / BURST_FRAMES if bursty else 1 - loss
    begin = end * loss / (1 - loss)
    lost = rng.random() < loss
    while True:
        yield not lost
        lost = rng.random() >= end if lost else rng.random() < begin


def arrivals(comes: list[bool], jitter_s: float, seed: int) -> Iterator[tuple[float, int]]:
    """When the packets that come do so, s, and which they are; in the order of arrival."""
    rng = random.Random(f"jitter {seed}")
    times = [(FRAME_S * i + rng.uniform(0, jitter_s), i) for i, here in enumerate(comes) if here]
    return iter(sorted(times))
