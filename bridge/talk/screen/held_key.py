"""Push-to-talk with a key that terminals report only when it goes down.

A held key repeats. So: the first press begins to talk; repeats show that it is held, and when they cease it was let
go; a press without repeats is a tap, and the next tap ends the talk. Nobody has to choose between the two.
"""

from typing import Final

REPEAT_WITHIN_S: Final = 0.8
"""A held key repeats after this at the latest (desktops wait 250 to 660 ms before the first repeat)."""
LET_GO_S: Final = 0.25
"""Repeats come every 20 to 50 ms: silence of this length is a key that was let go."""


class HeldKey:
    """Whether the push-to-talk key is down, as far as a terminal can tell.

    All instants are seconds of any monotonic clock.
    """

    def __init__(self) -> None:
        self.talking = False
        self._pressed_s = 0.0
        self._repeated = False

    def press(self, now_s: float) -> bool:
        """The key was reported; gives whether the user talks now."""
        if not self.talking:
            self.talking, self._repeated = True, False
        elif self._repeated or now_s - self._pressed_s < REPEAT_WITHIN_S:
            self._repeated = True
        else:
            self.talking = False  # the second tap
        self._pressed_s = now_s
        return self.talking

    def tick(self, now_s: float) -> bool:
        """Time has passed; gives whether the user still talks."""
        if self.talking and self._repeated and now_s - self._pressed_s > LET_GO_S:
            self.talking = False
        return self.talking
