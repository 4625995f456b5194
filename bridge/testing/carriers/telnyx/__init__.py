"""Telnyx, emulated: Call Control and TeXML with media streaming (reference telephony section 2)."""

from bridge.testing.carriers.telnyx.exchange import Telnyx
from bridge.testing.carriers.telnyx.texml import TelnyxTexml

__all__ = ["Telnyx", "TelnyxTexml"]
