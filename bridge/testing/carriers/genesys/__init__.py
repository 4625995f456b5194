"""Genesys, emulated: AudioHook and Audio Connector, the client's side (reference telephony section 5.2)."""

from bridge.testing.carriers.genesys.exchange import Genesys

__all__ = ["Genesys"]
