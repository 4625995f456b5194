"""What an examination means, in words: one sentence each, with its figure and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from bridge.audio.level import SILENCE_DBFS
from bridge.talk.doctor.examining import Examination

Grade = Literal["good", "note", "bad"]
"""Fine; good to know; a call would suffer from it."""

SLOW_MS: Final = 250.0
"""Above this a conversation feels slow; wireless headsets are often there."""
UNTOLD_MS: Final = 40.0
"""A delay that the devices do not tell, beyond what a room and a block explain."""
USUAL_PPM: Final = 200.0
MOST_PPM: Final = 1_000.0
"""What the drift correction takes."""
ECHO_DB: Final = -40.0
"""A weaker echo interrupts no agent."""
LOUD_ECHO_DB: Final = -6.0
"""A louder one can interrupt the agent in its first second, until the canceller knows it; one of -10 dB never did."""
NOISY_DBFS: Final = -45.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    grade: Grade
    text: str


def is_usable(findings: list[Finding]) -> bool:
    """Whether a call would go well with this pair."""
    return all(finding.grade != "bad" for finding in findings)


def needs_half_duplex(examination: Examination, *, has_aec: bool) -> bool:
    """Whether the agent would hear itself, and nothing but muting the microphone can keep it from that."""
    return not has_aec and _has_echo(examination)


def findings(examination: Examination, *, has_aec: bool) -> list[Finding]:
    """All there is to say, most important first.

    Args:
        examination: of a pair.
        has_aec: whether echo cancellation is installed.
    """
    if examination.measured.peak_dbfs <= SILENCE_DBFS:
        return [
            Finding(
                "bad",
                f"{examination.microphone.name} gives digital silence: it is muted, or the system's privacy settings "
                "keep it from this program",
            )
        ]
    found = [
        *_chirps(examination),
        *_round_trip(examination),
        *_drift(examination),
        *_losses(examination),
        *_clipping(examination),
        *_echo(examination, has_aec=has_aec),
        *_noise(examination),
    ]
    return sorted(found, key=lambda finding: finding.grade != "bad")


def _chirps(examination: Examination) -> Iterator[Finding]:
    measured = examination.measured
    if not examination.complete:
        yield Finding("bad", "a device stopped before the test was over: plug it in again")
    if measured.delay_ms is None:
        yield Finding(
            "note",
            "the microphone does not hear the loudspeaker, so neither round trip nor drift can be told: right with "
            "headphones; else the volume is down, or other devices are meant",
        )
    elif measured.heard < measured.played:
        yield Finding("note", f"{measured.heard} of {measured.played} chirps were heard")


def _round_trip(examination: Examination) -> Iterator[Finding]:
    delay_ms = examination.measured.delay_ms
    if delay_ms is None:
        return
    told = f"round trip {delay_ms:.0f} ms; the devices say {examination.claimed_ms:.0f} ms"
    if delay_ms > SLOW_MS:
        yield Finding("note", f"{told}: slow for a conversation, as wireless devices are")
    elif delay_ms - examination.claimed_ms > UNTOLD_MS:
        yield Finding(
            "note", f"{told}: what was heard at an interruption is right to the difference only"
        )
    else:
        yield Finding("good", told)


def _drift(examination: Examination) -> Iterator[Finding]:
    ppm = examination.measured.drift_ppm
    if ppm is None:
        return
    told = f"the microphone's clock runs {ppm:+z.0f} ppm beside the loudspeaker's"
    if abs(ppm) > MOST_PPM:
        yield Finding("bad", f"{told}, more than can be corrected: choose one device for both")
    elif abs(ppm) > USUAL_PPM:
        yield Finding("note", f"{told}, more than usual; it is corrected")
    else:
        yield Finding("good", f"{told}; it is corrected")


def _losses(examination: Examination) -> Iterator[Finding]:
    n_lost = max(examination.glitches, examination.measured.jumps)
    if n_lost:
        yield Finding(
            "bad",
            f"samples were lost {n_lost} times: close what keeps the computer busy, or choose another device",
        )


def _clipping(examination: Examination) -> Iterator[Finding]:
    clipped = examination.measured.clipped
    if clipped:
        yield Finding(
            "bad",
            f"{clipped} samples are clipped: turn the microphone's level or the loudspeaker down",
        )


def _has_echo(examination: Examination) -> bool:
    echo_db = examination.measured.echo_db
    return echo_db is not None and echo_db > ECHO_DB


def _echo(examination: Examination, *, has_aec: bool) -> Iterator[Finding]:
    echo_db = examination.measured.echo_db
    if echo_db is None:
        return
    told = f"the loudspeaker comes back at {echo_db:+.0f} dB"
    if not _has_echo(examination):
        yield Finding("good", f"{told}: no echo that matters")
    elif has_aec and echo_db > LOUD_ECHO_DB:
        yield Finding(
            "note",
            f"{told}: more than echo cancellation takes away at once: a lower volume, headphones, or half duplex",
        )
    elif has_aec:
        yield Finding("good", f"{told}: echo cancellation takes it away")
    else:
        yield Finding(
            "note",
            f"{told} and no echo cancellation is installed (pip install 'tipring[talk]'): half duplex, or headphones",
        )


def _noise(examination: Examination) -> Iterator[Finding]:
    noise_dbfs = examination.measured.noise_dbfs
    told = f"noise {noise_dbfs:.0f} dBFS"
    if noise_dbfs > NOISY_DBFS:
        yield Finding("note", f"{told}: loud; a quieter place or a nearer microphone is better")
    else:
        yield Finding("good", told)
