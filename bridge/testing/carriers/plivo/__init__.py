"""Plivo, emulated: XML, signed webhooks and audio streaming (reference telephony section 3)."""

from bridge.testing.carriers.plivo.exchange import Plivo

__all__ = ["Plivo"]
