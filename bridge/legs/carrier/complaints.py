"""What we cannot use of a carrier's messages, and what the carrier says it could not use of ours.

All are counted, the first of a kind is told: a carrier that sends junk shall not fill anybody's log.
"""

from collections.abc import Callable
from typing import Final

from bridge.legs.base import Warned
from bridge.legs.carrier.figures import CarrierFigures
from bridge.wire.carriers.base import CarrierWarning, Ignored

TOLD_WARNINGS: Final = 10
CARRIER_WARNING: Final = "carrier_warning"


class Complaints:
    """The complaints of one call; `tell` gets those that are told."""

    def __init__(self, figures: CarrierFigures, tell: Callable[[Warned], None]) -> None:
        self._figures = figures
        self._tell = tell

    def take(self, event: Ignored | CarrierWarning) -> None:
        """Count it, and tell of it if it is new."""
        figures = self._figures
        match event:
            case Ignored(reason, detail):
                figures.ignored[reason] += 1
                if figures.ignored[reason] == 1:
                    self._tell(Warned(f"ignored: {reason}", detail))
            case CarrierWarning(text):
                figures.warnings += 1
                if figures.warnings <= TOLD_WARNINGS:
                    self._tell(Warned(CARRIER_WARNING, text))
