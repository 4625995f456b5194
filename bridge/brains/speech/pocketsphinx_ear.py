"""The embedded ear: pocketsphinx, whose wheel carries an English model, in helper processes of ours.

A model for wide-band speech hears a telephone: of little use at free dictation and proper names, good with a small
grammar made of the expected phrases, once its means are adapted to a telephone's band (`telephone_model`). A phrase
counts as heard when its likelihood stands close enough to that of a free loop of phones over the same audio; what lies
further away is not in the grammar (measured by `benchmarks/speech.py`). In a turn whose level hardly moves there are
no words: over steady noise a short phrase would be as likely as anything.

Each turn is heard from fresh state: a fork of the helper's own, whole-utterance normalisation, the same faint noise
over each turn, no adaptation, so that the same audio gives the same words whatever was heard before. Helpers are shared
by all calls, each hears one turn at a time.
"""

import importlib.util
from collections.abc import Sequence
from typing import Final

import numpy as np

from bridge.audio.level import FLOOR_MIN_DBFS, frame_levels_dbfs
from bridge.brains.base import HEAR_HZ
from bridge.brains.speech.ear import Heard
from bridge.brains.speech.helper import program
from bridge.brains.speech.helper_pool import HelperPool
from bridge.errors import BrainError, MissingExtra
from bridge_codecs.pcm import Int16

NOISE_DBFS: Final = -40.0
"""Noise laid over each turn: silence between the sounds of a telephone is nothing the model ever heard."""
BAND_HZ: Final = 3_500
"""What lies above is left out, so that every caller sounds like the telephone that the model is adapted to."""
MAX_TURN_S: Final = 15
"""Of a longer turn the end is heard: expected phrases are short."""
MIN_TURN_S: Final = 0.1
"""In a shorter turn there is nothing to hear."""
MIN_SPREAD_DB: Final = 6.0
"""Between the loud and the quiet frames of a turn: speech in babble 10 dB below has 13 at least, steady noise 1.5."""
MAX_HELPERS: Final = 2

_DEADLINE_S: Final = 60.0  # free dictation of 15 s takes 4 s on an idle core
_PROGRAM: Final = "bridge.brains.speech.pocketsphinx_helper"


def pocketsphinx_installed() -> bool:
    """Whether the wheel is there; it is looked for, not imported."""
    return importlib.util.find_spec("pocketsphinx") is not None


class PocketsphinxEar:
    """Hears one of the expected phrases, or else free words."""

    def __init__(
        self, *, deadline_s: float = _DEADLINE_S, command: Sequence[str] | None = None
    ) -> None:
        """Nothing is started yet. `command` takes the place of the helper program.

        Raises: MissingExtra if pocketsphinx is not installed.
        """
        if command is None and not pocketsphinx_installed():
            raise MissingExtra("the embedded ear needs pocketsphinx: pip install 'tipring[speech]'")
        self._helpers = HelperPool(
            "pocketsphinx", command or program(_PROGRAM), deadline_s=deadline_s, most=MAX_HELPERS
        )

    async def hear(self, samples: Int16, phrases: tuple[str, ...]) -> Heard:
        """What was said, off the event loop; turns beyond `MAX_HELPERS` at once wait for a helper.

        Raises: BrainError if the ear is closed, or the helper fails twice in a row.
        """
        if samples.size < MIN_TURN_S * HEAR_HZ:
            return Heard("")
        return await self._helpers.run(self._hear, samples, phrases)

    async def warm(self) -> None:
        """Load the models now, not with the first turn. Raises: BrainError if they cannot be."""
        await self._helpers.warm()

    async def close(self) -> None:
        """End the helpers; a turn that is being heard fails."""
        await self._helpers.close()

    def _hear(self, samples: Int16, phrases: tuple[str, ...]) -> Heard:
        turn = samples[-MAX_TURN_S * HEAR_HZ :]
        if _spread_db(turn) < MIN_SPREAD_DB:
            return Heard("")
        reply, _ = self._helpers.exchange({"phrases": phrases}, _prepared(turn))
        match reply:
            case {"text": str(text), "phrase": None}:
                return Heard(text)
            case {"phrase": int(index)} if 0 <= index < len(phrases):
                return Heard(phrases[index], phrases[index])
        raise BrainError("pocketsphinx: the helper process sends nonsense")


def _spread_db(samples: Int16) -> float:
    levels = np.maximum(frame_levels_dbfs(samples, HEAR_HZ), FLOOR_MIN_DBFS)
    quiet, loud = np.percentile(levels, (10, 95))
    return float(loud - quiet)


def _prepared(samples: Int16) -> bytes:
    """The samples in a telephone's band, under faint noise, the same for each turn."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / HEAR_HZ) > BAND_HZ] = 0
    noise = np.random.default_rng(0).standard_normal(samples.size)
    loud = np.fft.irfft(spectrum, samples.size) + noise * (32_768 * 10 ** (NOISE_DBFS / 20))
    return np.clip(loud, -32_768, 32_767).astype("<i2").tobytes()
