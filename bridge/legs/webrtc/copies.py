"""How often a STUN question is said again, and to whom: nobody is to be flooded in a peer's name.

Sources: reliability B6, R14; RFC 8445 section 19.5.1. Whoever knows our password can sign a check and write another's
address onto it. So an answer of ours proves nothing: only who has answered a check of ours is where it says that it is.
The others are asked again a few times each, some more where the peer seems to be, and a number of times in all.
"""

from typing import Final

from bridge.legs.webrtc.again import N_SOON

MAX_UNHEARD_COPIES: Final = 3
"""Of a question to an address from which nothing has come: whoever is there may not have asked for it."""
MAX_LATE_COPIES: Final = 4
"""Of a question to an address that a signed check has come from, after `again.N_SOON` soon ones: a burst of losses may
have taken those. With three soon ones alone, one connection in thirty takes longer than 10 s at 20 % in bursts
(measured)."""
LATE_EVERY: Final = 4
"""Of the times at which `again` would say it: each second."""
MAX_COPIES_IN_ALL: Final = 150
"""To all such addresses, in the life of a connection: of a peer with many addresses, each is asked again."""

Address = tuple[str, int]


class Copies:
    """Those of one connection."""

    def __init__(self) -> None:
        self.proven: set[Address] = set()
        """Addresses that have answered a check of ours."""
        self._left = MAX_COPIES_IN_ALL

    def may_say(self, address: Address, time: int, *, heard: bool) -> bool:
        """Whether a question goes out once more at the first, second, ... time of `again`; it counts as said then.

        `heard` says whether a signed check has come from there.
        """
        if address in self.proven:
            return True
        its_turn = time <= MAX_UNHEARD_COPIES or (heard and _is_turn(time))
        if not its_turn or not self._left:
            return False
        self._left -= 1
        return True


def _is_turn(time: int) -> bool:
    late, between = divmod(time - N_SOON, LATE_EVERY)
    return time <= N_SOON or (not between and late <= MAX_LATE_COPIES)
