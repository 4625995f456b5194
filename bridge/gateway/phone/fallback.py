"""What a caller gets whose AI is gone: a recording, then somebody else, or the end. Never dead air."""

import asyncio
import logging
from collections.abc import Mapping
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

    async def run(self, leg: CarrierLeg, config: FallbackConfig) -> FallbackOutcome:
        """Play the recording; the phone call is then transferred, or the caller's to hang up for.

        Returns what became of the caller; "not heard" if the caller left before the end.
        """
        recording = self._recordings[config.recording or SHIPPED]
        relay = Relay(leg, PromptLeg(recording.samples, recording.rate_hz))
        try:
            async with asyncio.timeout(recording.duration_s + SLACK_S):
                end = await relay.run()
        except TimeoutError:
            log.warning("! a recording was not heard to its end in time")
        else:
            if end.by is leg:
                return "not heard"
        if config.transfer_to is None:
            return "hung up"
        try:
            await leg.transfer(config.transfer_to)
        except BridgeError as exc:
            log.warning("! a caller could not be sent elsewhere: %s", exc)
            return "hung up"
        return "transferred"
