"""Whether the loudspeaker reaches the microphone at all, and what is a voice where it does not: headphones.

A canceller that has no echo to learn from takes what it does not know for echo, and with it the first second of
somebody who speaks over the loudspeaker. So, once `PROOF_FRAMES` loud frames in a row were heard by `APART_DB` weaker
than they were played, a frame of the microphone passes as it was heard if it is louder than any echo could be, going
by what was heard of the loudspeaker so far. A voice that goes on for `DOUBT_FRAMES` while the loudspeaker sounds is
doubted: somebody may have taken the headphones off, and the proof begins anew. Levels are dBFS of frames of 10 ms.
"""

from typing import Final

PROOF_FRAMES: Final = 60
APART_DB: Final = 35.0
"""A loudspeaker in the same room comes back by some 10 to 30 dB weaker."""
WEAKEST_DB: Final = 40.0
"""Weaker than this nothing is believed to come back: it may not have been loud enough to show."""
ABOVE_DB: Final = 12.0
"""A voice is louder by this than the loudest echo that was possible so far."""
VOICE_DBFS: Final = -50.0
DOUBT_FRAMES: Final = 100
SILENT_DBFS: Final = -95.0
"""A microphone that gives zeros may be switched off."""
_NEVER_DBFS: Final = -120.0


class Apart:
    """One microphone's and one loudspeaker's."""

    def __init__(self) -> None:
        self.proven = False
        """The loudspeaker does not reach the microphone."""
        self.doubted = False
        """It was proven, and what was heard since casts doubt on it; whoever reads it takes it back."""
        self._still = 0
        self._doubt = 0
        self._heard_dbfs = _NEVER_DBFS
        self._played_dbfs = _NEVER_DBFS
        """The loudest while it was proven."""

    def is_voice(
        self, heard_dbfs: float, played_dbfs: float, *, loud: bool, echo_known: bool
    ) -> bool:
        """Weigh a frame while the loudspeaker sounds; whether it is a voice, if all is proven.

        Args:
            heard_dbfs: by the microphone.
            played_dbfs: the loudest that can still be heard of the loudspeaker.
            loud: whether the loudspeaker is loud just now.
            echo_known: whether there was an echo before.
        """
        if not self.proven:
            self._prove(heard_dbfs, played_dbfs, loud=loud, echo_known=echo_known)
            return False
        if heard_dbfs < max(VOICE_DBFS, played_dbfs - self._distance_db + ABOVE_DB):
            self._doubt = max(0, self._doubt - loud)
            return False
        self._doubt += 1
        if self._doubt >= DOUBT_FRAMES:
            self._begin_anew()
            self.doubted = True
        return self.proven

    @property
    def _distance_db(self) -> float:
        return min(self._played_dbfs - self._heard_dbfs, WEAKEST_DB)

    def _prove(
        self, heard_dbfs: float, played_dbfs: float, *, loud: bool, echo_known: bool
    ) -> None:
        may_be_off = echo_known and heard_dbfs <= SILENT_DBFS
        if heard_dbfs > played_dbfs - APART_DB or may_be_off:
            self._begin_anew()
        elif loud:
            self._still += 1
            self._heard_dbfs = max(self._heard_dbfs, heard_dbfs)
            self._played_dbfs = max(self._played_dbfs, played_dbfs)
            self.proven = self._still >= PROOF_FRAMES

    def _begin_anew(self) -> None:
        self.proven = False
        self._still = self._doubt = 0
        self._heard_dbfs = self._played_dbfs = _NEVER_DBFS
