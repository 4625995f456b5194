"""Telephone keys pressed by whoever talks: a tone for each at once, and to the agent a number in one message.

The protocol has no message for keys. The API gives those of a telephone to the agent as the user's text, quick ones
together (reference 7.9), and each text makes it answer. So a number that came as several messages would be answered
several times, and whoever looks for the keys on a keyboard needs more than a telephone's half second between them.
"""

from collections.abc import Callable
from typing import Final

from bridge.errors import UsageError
from bridge.legs.carrier.dtmf import QUICK_S, DtmfHandling, Keypad
from bridge.legs.carrier.figures import CarrierFigures
from bridge.talk.caller_end import CallerEnd
from bridge.wire.messages import UserTextMessage
from bridge_codecs.errors import CodecError
from bridge_codecs.tones import dtmf

MAX_KEYS: Final = 20
"""Keys at once: no agent is told of more in a second."""
KEY_S: Final = 0.12
KEY_SPACE_S: Final = 0.06
PAUSE_S: Final = QUICK_S
"""Keys of a program."""
BY_HAND_S: Final = 1.5
"""Keys of a person at a keyboard, who may also say that there are no more."""


class Keys:
    """The keys of one call.

    Args:
        caller: hears the tones.
        send: gives a message to the agent.
    """

    def __init__(self, caller: CallerEnd, send: Callable[[UserTextMessage], None]) -> None:
        self._caller = caller
        self._keypad = Keypad(DtmfHandling(), send, CarrierFigures())

    def press(self, digits: str, pause_s: float) -> None:
        """Press these; they go when no further one has come for `pause_s`. Raises: UsageError."""
        if len(digits) > MAX_KEYS:
            raise UsageError(f"at most {MAX_KEYS} keys can be pressed at once")
        try:
            tones = dtmf(digits, self._caller.sink_hz, tone_s=KEY_S, space_s=KEY_SPACE_S)
        except CodecError as exc:
            raise UsageError(str(exc)) from None
        self._caller.play_tone(tones)
        for digit in digits:
            self._keypad.press(digit, pause_s)

    def flush(self) -> None:
        """No key follows: what was pressed goes now."""
        self._keypad.flush()

    def open(self) -> None:
        """The agent is there."""
        self._keypad.open()

    def stop(self) -> None:
        """The call is over."""
        self._keypad.stop()
