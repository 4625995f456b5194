"""The emulated carriers by name; a module is loaded when its carrier is asked for."""

import base64
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from bridge.errors import UsageError, did_you_mean
from bridge.testing.carriers.base import Account, Carrier, World

_SOCKETS: Final = ("ws", "wss")


@dataclass(frozen=True, slots=True)
class Known:
    """Where an emulated carrier is, and what its account is called."""

    module: str
    type_name: str
    account_variable: str = ""
    """The environment variable that usually holds the account's id."""
    token_variable: str = ""
    """The one that holds the secret."""
    test_account: Account = Account("tipring", "tipring-test-token")  # noqa: RUF009 - frozen
    """Used when nothing is given."""
    schemes: tuple[str, ...] = ("http", "https")
    """Of the addresses at which it finds applications."""


CARRIERS: Final[dict[str, Known]] = {
    "twilio": Known(
        "twilio",
        "Twilio",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        Account("AC" + 32 * "0", "tipring-test-token"),
    ),
    "plivo": Known("plivo", "Plivo", "PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN"),
    "exotel": Known(
        "exotel", "Exotel", "EXOTEL_SID", "EXOTEL_API_TOKEN", schemes=("ws", "wss", "http", "https")
    ),
    "vonage": Known("vonage", "Vonage", "VONAGE_APPLICATION_ID", "VONAGE_SIGNATURE_SECRET"),
    "genesys": Known(
        "genesys",
        "Genesys",
        "GENESYS_API_KEY",
        "GENESYS_CLIENT_SECRET",
        Account("tipring", base64.b64encode(b"tipring-test-token").decode()),
        _SOCKETS,
    ),
    "audiosocket": Known("audiosocket", "AudioSocket", schemes=("tcp",)),
    "asterisk": Known("asterisk", "Asterisk", schemes=_SOCKETS),
    "jambonz": Known("forks", "Jambonz", schemes=_SOCKETS),
    "audio_fork": Known("forks", "AudioFork", schemes=_SOCKETS),
    "audio_stream": Known("forks", "AudioStream", schemes=_SOCKETS),
    "telnyx": Known("telnyx", "Telnyx", "TELNYX_ACCOUNT_ID", "TELNYX_API_KEY"),
    "telnyx-texml": Known("telnyx", "TelnyxTexml", "TELNYX_ACCOUNT_ID", "TELNYX_API_KEY"),
}


def known(name: str) -> Known:
    """What is known of a carrier. Raises: UsageError."""
    if name not in CARRIERS:
        names = list(CARRIERS)
        raise UsageError(f"there is no emulated carrier {name!r}{did_you_mean(name, names)}")
    return CARRIERS[name]


def make_carrier(name: str, world: World, account: Account | None = None) -> Carrier:
    """An emulated carrier. Raises: UsageError for a name that is unknown."""
    found = known(name)
    module = import_module(f"bridge.testing.carriers.{found.module}")
    kind = getattr(module, found.type_name)
    made: Carrier = kind(world, account or found.test_account)
    return made
