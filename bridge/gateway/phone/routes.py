"""Which AI call a phone call goes to: the first of the configured routes that fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.legs.carrier.dtmf import DtmfHandling
from bridge.phone_config import REGEX, RouteConfig
from bridge.wire.carriers.base import CarrierName

_PUNCTUATION: Final = re.compile(r"[\s()./-]")
_DIGITS: Final = re.compile(r"\+?[0-9]+")
MAX_NUMBER: Final = 256


class Route:
    """One route, and how many calls are on it."""

    def __init__(self, config: RouteConfig, index: int) -> None:
        self.config = config
        self.index = index
        """Its place in the file, from 0."""
        self.n_live = 0
        self.dtmf = DtmfHandling(config.dtmf.ignore, config.dtmf.text, config.dtmf.urgency)
        pattern = config.number
        is_regex = pattern.startswith(REGEX)
        self._number = re.compile(pattern.removeprefix(REGEX) if is_regex else translate(pattern))

    @property
    def is_full(self) -> bool:
        """Whether it takes no further call."""
        most = self.config.max_calls
        return most is not None and self.n_live >= most

    def fits(self, carrier: CarrierName, numbers: PhoneNumbers) -> bool:
        """Whether a call goes this way."""
        config = self.config
        return (
            config.carrier in ("*", carrier)
            and config.direction in ("any", numbers.direction)
            and any(map(self._number.fullmatch, spellings(numbers.called)))
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes, in the order of the file."""

    all: Sequence[Route]

    @classmethod
    def of(cls, configs: Sequence[RouteConfig]) -> "Routes":
        """The configured ones."""
        return cls([Route(config, index) for index, config in enumerate(configs)])

    def find(self, carrier: CarrierName, numbers: PhoneNumbers) -> Route | None:
        """The first that fits; None if none does."""
        return next((route for route in self.all if route.fits(carrier, numbers)), None)


def spellings(number: str) -> list[str]:
    """How a called number may stand in a pattern: as it came, and, of digits alone, with and without the plus.

    Carriers differ: Twilio and Telnyx write +15550100002, Plivo 15550100002.
    """
    number = number[:MAX_NUMBER]
    plain = _PUNCTUATION.sub("", number)
    if not _DIGITS.fullmatch(plain):
        return [number]
    digits = plain.removeprefix("+")
    return list(dict.fromkeys((number, f"+{digits}", digits)))
