"""What is said again until it is answered, so that a connection comes about soon on a lossy network too.

Sources: reliability R14. aioice asks again after 0.5 s, 1 s, 2 s; OpenSSL repeats a flight of its DTLS handshake after
1 s, 2 s, 4 s, by a timer that its Python binding gives no way to set. At 5 % loss one connection in thirty then takes
longer than 2 s, at 20 % one in ten longer than 10 s (measured). Browsers begin with 50 ms. Here the same bytes go out
again in between: who has had them already takes them for a replay, and drops them.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Final

SOON_S: Final = 0.1
"""Between the first times."""
N_SOON: Final = 6
LATER_S: Final = 0.25
LONGEST_S: Final = 12.0
"""After so long only those who made the message repeat it."""
_N_LATER: Final = int((LONGEST_S - N_SOON * SOON_S) / LATER_S)
_APPLICATION_DATA: Final = 23
_FLIGHT: Final = (20, 22)
"""First octets of what DTLS repeats: a change of ciphers, a handshake message."""


class Again:
    """Calls `say` again and again, until it is stopped or everybody would have answered."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say = say
        self._waits = _waits()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._wait()

    def stop(self) -> None:
        """Say it no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        wait_s = next(self._waits, None)
        self._timer = None if wait_s is None else self._loop.call_later(wait_s, self._due)

    def _due(self) -> None:
        self._wait()
        self._say()


class Flights:
    """The last flight of our DTLS handshake, said again until there is a next one or the peer shows that it has it.

    The very last one of a handshake is answered by nothing but what is encrypted with its keys.

    Args:
        send: sends a datagram to the peer.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._again: Again | None = None

    def sent(self, data: bytes) -> None:
        """A datagram of the DTLS transport has gone out."""
        if data and data[0] in _FLIGHT:
            self.stop()
            self._again = Again(lambda: self._send(data))

    def came(self, first: int) -> None:
        """A datagram with this first octet has come from the peer."""
        if self._again is not None and (first == _APPLICATION_DATA or 128 <= first < 192):
            self.stop()

    def stop(self) -> None:
        """Say nothing again."""
        if self._again is not None:
            self._again.stop()
            self._again = None


def _waits() -> Iterator[float]:
    return chain(repeat(SOON_S, N_SOON), repeat(LATER_S, _N_LATER))
