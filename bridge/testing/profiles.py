"""Networks between the carrier and the application: how long each message of a TCP stream takes, by a seed.

A stream stays in order: what is held up holds up all that is behind it, and then comes at once. The same seed and the
same messages at the same instants give the same delays.
"""

import random
from dataclasses import dataclass
from typing import Final

from bridge.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of network, one way; both ways are alike."""

    name: str
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Mean of what is added to each message, exponential, at most eight times this."""
    hold_every_s: float = 0.0
    """Mean time between two holds: a lost packet, another station's turn. 0: never."""
    hold_ms: tuple[float, float] = (0.0, 0.0)
    """How long a hold lasts: from, to."""
    bundle_ms: float = 0.0
    """Messages go out together so often."""
    cut_after_s: tuple[float, float] | None = None
    """The connection breaks this long after the application's audio was first heard, in the middle of a word."""


PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile(name="clean"),
        Profile(name="mobile-edge", delay_ms=60, jitter_ms=15, hold_every_s=4, hold_ms=(80, 300)),
        Profile(name="hotel-wifi", delay_ms=25, jitter_ms=8, hold_every_s=2, hold_ms=(50, 250)),
        Profile(name="carrier-burst", delay_ms=20, jitter_ms=2, bundle_ms=120),
        Profile(name="stall", delay_ms=20, jitter_ms=2, hold_every_s=8, hold_ms=(1_500, 3_000)),
        Profile(name="mid-word-disconnect", delay_ms=20, jitter_ms=2, cut_after_s=(2.0, 6.0)),
    )
}
CLEAN: Final = PROFILES["clean"]


def profile_named(name: str) -> Profile:
    """The profile of this name. Raises: UsageError with the nearest known one."""
    if name not in PROFILES:
        raise UsageError(
            f"there is no network profile {name!r}{did_you_mean(name, list(PROFILES))}"
        )
    return PROFILES[name]


class Path:
    """One direction of one connection: says when a message arrives.

    Args:
        profile: the kind of network.
        seed: all chance in it; different for each direction and connection.
    """

    def __init__(self, profile: Profile, seed: str) -> None:
        self._profile = profile
        self._chance = random.Random(seed)  # noqa: S311 - runs must repeat
        self._last_s = 0.0
        self._hold_from_s: float | None = None
        self._hold_until_s = 0.0

    @property
    def direct(self) -> bool:
        """Whether nothing is ever delayed."""
        profile = self._profile
        return not (
            profile.delay_ms or profile.jitter_ms or profile.hold_every_s or profile.bundle_ms
        )

    def arrival(self, now_s: float) -> float:
        """When a message that is sent now arrives, s; never before one that was sent earlier."""
        leaves_s = self._released(now_s)
        profile = self._profile
        jitter_ms = 0.0
        if profile.jitter_ms:
            drawn = self._chance.expovariate(1 / profile.jitter_ms)
            jitter_ms = min(drawn, 8 * profile.jitter_ms)
        at_s = leaves_s + (profile.delay_ms + jitter_ms) / 1000
        self._last_s = max(self._last_s, at_s)
        return self._last_s

    def _released(self, now_s: float) -> float:
        """When the network lets a message go that is sent now."""
        if self._profile.bundle_ms:
            bundle_s = self._profile.bundle_ms / 1000
            return -(-now_s // bundle_s) * bundle_s
        if self._profile.hold_every_s:
            self._move_hold(now_s)
            assert self._hold_from_s is not None
            if self._hold_from_s <= now_s:
                return self._hold_until_s
        return now_s

    def _move_hold(self, now_s: float) -> None:
        """Have the hold that is under way, or the next one to come."""
        if self._hold_from_s is None:
            self._plan_hold(now_s)
        while self._hold_until_s <= now_s:
            self._plan_hold(self._hold_until_s)

    def _plan_hold(self, after_s: float) -> None:
        self._hold_from_s = after_s + self._chance.expovariate(1 / self._profile.hold_every_s)
        self._hold_until_s = self._hold_from_s + self._chance.uniform(*self._profile.hold_ms) / 1000


def cut_instant(profile: Profile, seed: str) -> float | None:
    """How long after its first audio a connection breaks, s; None where it does not."""
    if profile.cut_after_s is None:
        return None
    return random.Random(f"{seed} cut").uniform(*profile.cut_after_s)  # noqa: S311
