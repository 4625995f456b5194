"""How much longer or shorter a stream must be made: what the device's clock says, and what has piled up.

The measured drift is taken at its word; what it missed (the first seconds, the rest of an estimate, the clock of the
far end) shows as audio that piles up or runs short, and is worked off so slowly that nobody hears it.
"""

from typing import Final

from bridge_codecs.drift import MAX_PPM

PER_MS: Final = 60.0
"""Parts per million for each ms that is too much: half of it is gone after 12 s."""
MOST_PPM: Final = 1_000.0
"""Less than two hundredths of a semitone: what a device lost in a stall of 0.1 s is made up for in 100 s."""


def shorter_by(drift_ppm: float, too_much_ms: float) -> float:
    """Parts per million by which fewer samples must come out; below 0: more.

    Args:
        drift_ppm: how many more samples come in than should.
        too_much_ms: audio that has piled up already; below 0: that is missing.
    """
    worked_off = min(max(PER_MS * too_much_ms, -MOST_PPM), MOST_PPM)
    return min(max(drift_ppm + worked_off, -MAX_PPM), MAX_PPM)
