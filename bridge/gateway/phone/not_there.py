"""Carriers that come and are not in the configuration: whoever pointed a number here shall find that in the log."""

from typing import Final, get_args

from bridge.gateway.phone.quiet_log import QuietLog
from bridge.wire.carriers.base import CarrierName

_KNOWN: Final = frozenset(get_args(CarrierName))


def tell_not_there(quiet: QuietLog, name: str, what: str) -> None:
    """Log that a request of a carrier is refused; of names that no carrier has nothing is said."""
    if name in _KNOWN:
        quiet.warning(
            "! %s: a %s is refused: the configuration has no [carriers.%s]", name, what, name
        )
