"""The carriers' media sockets by name, each module imported when it is first asked for.

One line per carrier: a class that takes `WireOptions` and has its `Traits` as a class attribute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Literal, cast

from bridge.wire.carriers.base import CarrierName, CarrierWire, MediaFormat, Traits


@dataclass(frozen=True, slots=True)
class WireOptions:
    """What of a carrier's audio its messages do not say: it is configured."""

    l16_byteorder: Literal["big", "little"] = "big"
    """Of L16 where the carrier does not document it (Telnyx)."""
    l16_rate_hz: int = 8000
    """Of L16, Hz, where nothing in the protocol says it."""
    played: MediaFormat | None = None
    """What it was asked to take from us, where its start does not say it (Telnyx, jambonz); None: what it sends."""


DEFAULTS: Final = WireOptions()

_CLASSES: Final[dict[CarrierName, str]] = {
    "twilio": "twilio.TwilioWire",
    "telnyx": "telnyx.TelnyxWire",
    "plivo": "plivo.PlivoWire",
    "exotel": "exotel.ExotelWire",
    "vonage": "vonage.VonageWire",
    "genesys": "genesys.GenesysWire",
    "audiosocket": "audiosocket.AudioSocketWire",
    "asterisk": "asterisk.AsteriskWire",
    "jambonz": "jambonz.JambonzWire",
    "audio_fork": "audio_fork.AudioForkWire",
    "audio_stream": "audio_stream.AudioStreamWire",
}


def make_wire(name: CarrierName, options: WireOptions = DEFAULTS) -> CarrierWire:
    """One carrier's media socket, before its first message."""
    make = cast("Callable[[WireOptions], CarrierWire]", _class_of(name))
    return make(options)


def traits_of(name: CarrierName) -> Traits:
    """What differs between carriers, without a socket."""
    traits: Traits = cast("type[CarrierWire]", _class_of(name)).traits
    return traits


def _class_of(name: CarrierName) -> object:
    module, _, class_name = _CLASSES[name].partition(".")
    found: object = getattr(import_module(f"{__package__}.{module}"), class_name)
    return found
