"""Every error of the package, one tree.

    BridgeError
    ├── UsageError        the user asked for something that cannot be
    │   └── ConfigError       a config file or setting is wrong
    ├── WireError         a protocol was broken
    │   ├── LocalWireError    by us: a bug here
    │   └── RemoteWireError   by the peer: its own call ends
    ├── JoinRefused       the far end did not take us in (a leg that breaks later is the event Ended)
    ├── AudioFileError    a file cannot be read as audio
    ├── BrainError        the local agent cannot think, hear or speak
    ├── VirtualTimeError  something in virtual time would not be the same twice
    └── MissingExtra      an optional part is not installed

The sentence of each error is meant for people: it says what is wrong and, where known, what to do.
"""

from collections.abc import Sequence
from difflib import get_close_matches


class BridgeError(Exception):
    """The root: catch this to catch all that Tipring raises on purpose."""


class UsageError(BridgeError):
    """The user asked for something that cannot be; the command line exits with 2."""


class ConfigError(UsageError):
    """A config file, a script or a setting is wrong."""


class WireError(BridgeError):
    """A protocol was broken."""


class LocalWireError(WireError):
    """We broke the protocol: a bug here."""


class RemoteWireError(WireError):
    """The peer broke the protocol: its own call ends, and no other.

    `close_code` is the WebSocket close code to end its socket with, where there is a socket:
    1008 (policy) unless said otherwise, 1009 for what is too big.
    """

    def __init__(self, sentence: str, *, close_code: int = 1008) -> None:
        super().__init__(sentence)
        self.close_code = close_code


class JoinRefused(BridgeError):  # noqa: N818 - reads as what happened
    """The far end did not take us in; ``status`` is what its HTTP answer said, 0 if there was none."""

    def __init__(self, sentence: str, *, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class AudioFileError(BridgeError):
    """A file cannot be read as audio."""


class BrainError(BridgeError):
    """The local agent cannot think, hear or speak."""


class VirtualTimeError(BridgeError):
    """Something in virtual time waits for the real world, so its clock cannot go on."""


class MissingExtra(BridgeError):  # noqa: N818
    """An optional part is not installed; the sentence says what to install."""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or all of them."""
    nearest = get_close_matches(word, known, n=1)
    if nearest:
        return f"; did you mean {nearest[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""
