"""Vonage, emulated: NCCO, signed webhooks and the voice WebSocket (reference telephony section 5.1)."""

from bridge.testing.carriers.vonage.exchange import Vonage

__all__ = ["Vonage"]
