"""A phone call at Telnyx that a TeXML document owns.

Source: reference telephony section 2, close semantics. Call Control works on such a call, but a transfer lasts only
until the media socket is closed: then the document goes on, and at its end Telnyx hangs up. So callers are sent
elsewhere by the document: it asks us behind the stream (``<Redirect>``), when we have closed the socket.
"""

from typing import Final

from bridge.legs.phone_line import PhoneLine
from bridge.wire.answers.answer import checked_target

MOST: Final = 1_000


class Targets:
    """Where callers are to be connected to, by their calls; a document that asks again is answered alike."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def put(self, call_id: str, target: str) -> None:
        """Have the answer URL send a call there."""
        self._of[call_id] = target
        if len(self._of) > MOST:
            del self._of[next(iter(self._of))]

    def get(self, call_id: str) -> str:
        """Where this call goes; empty: nowhere."""
        return self._of.get(call_id, "")


class TexmlLine:
    """One phone call; see PhoneLine.

    Args:
        line: the call under Call Control.
        call_id: Telnyx's.
        targets: where the answer URL finds whom to connect the caller to.
    """

    transfers_on_close = True

    def __init__(self, line: PhoneLine, call_id: str, targets: Targets) -> None:
        self._line = line
        self._call_id = call_id
        self._targets = targets

    async def hang_up(self) -> None:
        """End the phone call. Raises: CarrierApiError."""
        await self._line.hang_up()

    async def transfer(self, target: str) -> None:
        """Connect the caller to another number or SIP address as soon as our side closes the media socket.

        Raises: UsageError for a target that cannot be one.
        """
        self._targets.put(self._call_id, checked_target(target))

    async def send_digits(self, digits: str) -> None:
        """Press keys; the stream goes on. Raises: CarrierApiError; UsageError for what is no key."""
        await self._line.send_digits(digits)
