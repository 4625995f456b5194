"""What a caller gets whose AI is gone: a recording, then somebody else, or the end. Never dead air."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bridge.errors import BridgeError
from bridge.gateway.phone.record import FallbackOutcome
from bridge.gateway.phone.recordings import SHIPPED, Recording
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.carrier.prompt import PromptLeg
from bridge.phone_config import FallbackConfig
from bridge.relay import Relay

log = logging.getLogger(__name__)

SLACK_S: Final = 5.0
"""How much longer than itself a recording may take to be heard."""


class Fallback:
    """Plays recordings and sends callers elsewhere.

    Args:
        recordings: by the paths that the configuration names, the shipped one among them.
    """

    def __init__(self, recordings: Mapping[Path, Recording]) -> None:
        self._recordings = recordings

    async def run(
        self, leg: CarrierLeg, config: FallbackConfig, is_gone: Callable[[], bool]
    ) -> FallbackOutcome:
        """Play the recording, then send the caller elsewhere if that is configured; hanging up is left to the call.

        Args:
            leg: the caller's.
            config: what to play, and where to send the caller.
            is_gone: whether the caller has left.

        Returns what becomes of the caller.
        """
        recording = self._recordings[config.recording or SHIPPED]
        relay = Relay(leg, PromptLeg(recording.samples, recording.rate_hz))
        try:
            async with asyncio.timeout(recording.duration_s + SLACK_S):
                await relay.run()
        except TimeoutError:
            log.warning("! a recording was not heard to its end in time")
        if is_gone():
            return "not heard"
        if config.transfer_to is None:
            return "hung up"
        try:
            await leg.transfer(config.transfer_to)
        except BridgeError as exc:
            log.warning("! a caller could not be sent elsewhere: %s", exc)
            return "hung up"
        return "transferred"
