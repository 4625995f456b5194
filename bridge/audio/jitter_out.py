"""What goes out of a jitter buffer, and what is counted of it. Lengths are samples of the stream's clock."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class Packet(NamedTuple):
    """A packet to decode: `n_samples` long."""

    payload: bytes
    n_samples: int


class Lost(NamedTuple):
    """Audio to conceal. `fec` is the packet right behind it, if it is there: it may carry this audio, coarser."""

    n_samples: int
    fec: bytes | None = None


class Silence(NamedTuple):
    """Audio that nobody can know."""

    n_samples: int


Release: TypeAlias = Packet | Lost | Silence


@dataclass(slots=True)
class JitterFigures:
    """Counts of packets, but for ``lost_samples`` and ``silent_samples``."""

    received: int = 0
    late: int = 0
    """Came when their time was over."""
    repeated: int = 0
    """Came again, or from before the stream."""
    bad: int = 0
    """No Opus packets."""
    early: int = 0
    """Came further ahead of their time than any stream that is heard in real time."""
    resets: int = 0
    """How often the stream was taken up anew."""
    missing: int = 0
    """Passed over in what went out: lost on the way, or late. A sender that was silent has left none out."""
    missing_samples: int = 0
    """How long these were, if they were like those after them."""
    depth_max_ms: float = 0.0
    """The longest that a packet has waited here, ms."""
    lost_samples: int = 0
    """Concealed."""
    silent_samples: int = 0
