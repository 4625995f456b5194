"""A network that freezes: for a while nothing goes through, then everything at once, in order, as TCP does."""

from collections.abc import Collection
from typing import Literal

from bridge.legs.media_socket import MediaSocket
from bridge.testing.carriers.base import Carrier
from bridge.testing.phone_call import PhoneCall
from bridge.testing.profiles import CLEAN, Path
from bridge.testing.shaped_socket import ShapedSocket

Way = Literal["out", "back"]
"""From the carrier to the application, and from the application to the carrier."""
BOTH: tuple[Way, ...] = ("out", "back")
BACK: tuple[Way, ...] = ("back",)


class Frozen(Path):
    """One direction that is frozen from one instant of the loop's to another."""

    def __init__(self, from_s: float, until_s: float) -> None:
        super().__init__(CLEAN, "")
        self._from_s = from_s
        self._until_s = until_s

    def arrival(self, now_s: float) -> float:
        return self._until_s if self._from_s <= now_s < self._until_s else now_s


def freeze(
    carrier: Carrier,
    from_s: float,
    until_s: float,
    ways: Collection[Way] = BOTH,
    *,
    of: PhoneCall | None = None,
) -> None:
    """The media sockets of this carrier, or that of one call, freeze between these instants."""

    def shape(call: PhoneCall, socket: MediaSocket) -> ShapedSocket:
        frozen = ways if of in (None, call) else ()
        out, back = (Frozen(from_s, until_s) if way in frozen else Path(CLEAN, "") for way in BOTH)
        return ShapedSocket(socket, out, back)

    carrier.shape = shape  # type: ignore[method-assign]
