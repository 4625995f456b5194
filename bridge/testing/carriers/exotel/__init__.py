"""Exotel, emulated: AgentStream's Voicebot applet and its Connect call (reference telephony section 4)."""

from bridge.testing.carriers.exotel.exchange import Exotel

__all__ = ["Exotel"]
