"""What of an agent's words the caller heard, for AI calls that are only relayed.

The far AI shows its words in step with its own play-out clock: it supposes that we play what it sends at once
(reference 1.6, 2.4). So a word belongs to the audio that a far end without delay would have begun to play at the
instant when the word came, and that audio has a place in the downlink. What the ledger says of the place, it says of
the word.

What had not been shown when the agent was cut off, only the AI side knows; ours tells (`Serving.explain`).
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from bridge.audio.lane import Lane
from bridge.wire.messages import Transcript

PIECES_KEPT: Final = 2_000
"""Words that may wait to be heard; more come only from an agent that never stops."""
LONGEST_SHOWN: Final = 65_536
"""Characters of one message that are remembered, to see what a longer text of it adds."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of the message `ordinal`, spoken from the sample at `position` on."""

    position: int
    ordinal: int
    text: str


class HeardText:
    """The words of the agent against the positions of one downlink.

    Attributes:
        awaiting: the next audio begins an utterance; `began` wants to know of it.
    """

    __slots__ = ("_base", "_began_s", "_lane", "_over", "_pieces", "_shown", "awaiting")

    def __init__(self, lane: Lane) -> None:
        self.awaiting = True
        self._lane = lane
        self._base = self._next_position
        self._began_s: float | None = None
        self._pieces: deque[_Piece] = deque(maxlen=PIECES_KEPT)
        self._shown: tuple[int, str] = (-1, "")
        """The message under way and what of it was shown."""
        self._over = -1
        """Messages up to this ordinal were cut off: nothing more is spoken of them."""

    def expect(self) -> None:
        """The agent is about to speak, or has ceased to: the next audio begins an utterance."""
        self.awaiting = True
        self._base = self._next_position

    def began(self, now_s: float) -> None:
        """The first audio of an utterance came."""
        self.awaiting = False
        self._began_s = now_s

    def take(self, message: Transcript, now_s: float) -> None:
        """A transcript of the agent came."""
        if message.role != "agent" or message.medium != "voice" or message.ordinal <= self._over:
            return
        ordinal, shown = self._shown
        if message.ordinal != ordinal:
            shown = ""
        if message.delta is not None:
            new = message.delta
        else:
            text = message.text or ""
            new = text.removeprefix(shown) if text.startswith(shown) else ""
        self._shown = (message.ordinal, (shown + new)[:LONGEST_SHOWN])
        if new:
            self._pieces.append(_Piece(self._position_of(now_s), message.ordinal, new))

    def left_out(self, n_samples: int) -> None:
        """So many samples, the next that would have been sent, are not sent: what follows comes as much sooner."""
        without = self._lane.ledger.without
        self._base -= n_samples
        self._pieces = deque(
            (replace(piece, position=without(n_samples, piece.position)) for piece in self._pieces),
            maxlen=PIECES_KEPT,
        )

    def cut(self, position: int) -> tuple[str, str]:
        """Everything before ``position`` was heard and nothing after it will be: heard and unheard text.

        Heard is what was heard of the message that was cut off.
        """
        unheard = [piece for piece in self._pieces if piece.position >= position]
        last = unheard[0] if unheard else self._pieces[-1] if self._pieces else None
        heard = [
            piece.text
            for piece in self._pieces
            if last is not None and piece.position < position and piece.ordinal == last.ordinal
        ]
        self._over = max(self._over, self._shown[0])
        self._pieces.clear()
        self.expect()
        return "".join(heard).strip(), "".join(piece.text for piece in unheard).strip()

    @property
    def _next_position(self) -> int:
        """Of the next sample that is pushed."""
        return self._lane.ledger.sent_samples + self._lane.depth_samples

    def _position_of(self, now_s: float) -> int:
        """Of the sample that the agent supposes to be played now."""
        if self.awaiting or self._began_s is None:
            return self._base
        rate_hz = self._lane.rate_hz
        supposed = self._base + round((now_s - self._began_s) * rate_hz)
        beyond = supposed - self._next_position
        if beyond > 0:  # its audio had a pause: what follows is spoken as much later
            self._began_s += beyond / rate_hz
            supposed -= beyond
        return supposed
