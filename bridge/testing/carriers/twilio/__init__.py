"""Twilio, emulated: programmable voice with Media Streams (reference telephony section 1)."""

from bridge.testing.carriers.twilio.exchange import Twilio

__all__ = ["Twilio"]
