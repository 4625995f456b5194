"""The screen alone, with everything on it in motion; writes the ms between its redraws into a file at its end."""

import asyncio
import math
import sys
import time
from pathlib import Path
from typing import Literal

from bridge.loops import new_event_loop
from bridge.talk.screen.app import TalkApp
from bridge.talk.screen.board import Board
from bridge.talk.screen.needs import Gauges
from tests.fakes.screen_talk import FakeTalk

WORDS_PER_S = 4
WORDS = (
    "every",
    "call",
    "that",
    "is",
    "worth",
    "a",
    "word",
    "has",
    "another",
    "one",
    "behind",
    "it",
)


class Moving(FakeTalk):
    """A conversation in which everything changes all the time."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._began_s = time.monotonic()
        self._words = 0
        self.gaps_ms: list[float] = []

    def gauges(self) -> Gauges:
        """Asked for once at each redraw."""
        now_s = time.monotonic() - self._began_s
        self.gaps_ms.append(1000 * (now_s - self.elapsed_s))
        self.elapsed_s = now_s
        self._speak(now_s)
        mic = -30 + 25 * math.sin(3 * now_s)
        speaker = -30 + 25 * math.cos(2 * now_s)
        return Gauges(mic, speaker, 140 + 20 * math.sin(now_s), int(now_s), 12.0, 38.0, ("a", "b"))

    def hang_up(self) -> None:
        """The screen goes at once."""
        self._board.end("you hung up")

    def _speak(self, now_s: float) -> None:
        while self._words < WORDS_PER_S * now_s:
            utterance, word = divmod(self._words, len(WORDS))
            role: Literal["agent", "user"] = "user" if utterance % 2 else "agent"
            said = " ".join(WORDS[: word + 1])
            self._board.say(role, utterance, said, at_s=now_s, final=word + 1 == len(WORDS))
            if not word:
                self._board.waited(utterance, 600.0, utterance)
            self._words += 1


async def show() -> list[float]:
    board = Board("a benchmark", state="speaking")
    talk = Moving(board)
    await TalkApp(talk, board).run_async(mouse=False)
    return talk.gaps_ms


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        gaps_ms = runner.run(show())
    Path(sys.argv[1]).write_text("\n".join(f"{gap:.2f}" for gap in gaps_ms))
