"""The speech parts that all calls of a process share: one voice, one ear, one pool of detectors.

What is missing falls back to its floor (tones, no ear, the energy detector) with one sentence in the log; what was
asked for by name and is missing is an error.
"""

import logging
from contextlib import suppress
from typing import Final, Literal

from bridge.brains.speech.ear import Ear
from bridge.brains.speech.espeak import EspeakVoice, espeak_installed
from bridge.brains.speech.pocketsphinx_ear import PocketsphinxEar, pocketsphinx_installed
from bridge.brains.speech.tone import ToneVoice
from bridge.brains.speech.vad import EnergyDetector, SileroPool, Vad
from bridge.brains.speech.voice import Voice
from bridge.errors import BrainError, MissingExtra

log = logging.getLogger(__name__)

VoiceName = Literal["auto", "espeak", "tone"]
EarName = Literal["auto", "pocketsphinx", "off"]
VadName = Literal["auto", "silero", "energy"]
_INSTALL: Final = "pip install 'tipring[speech]'"


class SpeechKit:
    """Voice, ear and voice activity; `load` makes one."""

    def __init__(self, voice: Voice, ear: Ear | None, silero: SileroPool | None) -> None:
        self.voice = voice
        self.ear = ear
        self._silero = silero

    @classmethod
    def load(
        cls, *, voice: VoiceName = "auto", ear: EarName = "auto", vad: VadName = "auto"
    ) -> "SpeechKit":
        """Choose the parts; models are loaded with their first use.

        Raises: MissingExtra if a part asked for by name is not installed.
        """
        return cls(_voice(voice), _ear(ear), _silero(vad))

    def vad(self) -> Vad:
        """Voice activity for one call; closed by the call."""
        return EnergyDetector() if self._silero is None else self._silero.lend()

    async def warm(self) -> None:
        """Load the voice, then the ear, before they are needed; what cannot be loaded says so when it is."""
        for part in (self.voice, self.ear):
            if isinstance(part, (EspeakVoice, PocketsphinxEar)):
                with suppress(BrainError):
                    await part.warm()

    async def close(self) -> None:
        """Let go of processes and models."""
        try:
            await self.voice.close()
        finally:
            if self.ear is not None:
                await self.ear.close()


def _voice(name: VoiceName) -> Voice:
    if name == "tone" or (name == "auto" and not espeak_installed()):
        if name == "auto":
            log.warning("! the embedded voice is not installed, the agent hums: %s", _INSTALL)
        return ToneVoice()
    return EspeakVoice()


def _ear(name: EarName) -> Ear | None:
    if name == "off":
        return None
    if name == "auto" and not pocketsphinx_installed():
        log.warning("! the embedded ear is not installed, spoken turns are inaudible: %s", _INSTALL)
        return None
    return PocketsphinxEar()


def _silero(name: VadName) -> SileroPool | None:
    if name == "energy":
        return None
    try:
        return SileroPool()
    except MissingExtra:
        if name != "auto":
            raise
        log.warning("! Silero is not installed, speech is told by its level: %s", _INSTALL)
        return None
