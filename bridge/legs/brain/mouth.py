"""The agent's mouth: speech into the lane, words shown in step with what the far end plays.

The play-out clock is the lane's ledger: a word counts as spoken at the instant when its first sample is played at the
far end (first frame sent plus duration played, gaps included), never when it was sent. So an interruption cuts text
and audio at the same place, however far ahead the audio was sent (reference 1.6, 2.4). What the sink leaves out of a
pause is on no account: words and end come as much sooner.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from bridge.audio.lane import Lane
from bridge.brains.base import SpeechChunk

HIGH_WATER_MS = 10_000.0
LOW_WATER_MS = 8_000.0
"""A source that makes speech faster than real time rests while this much waits in the lane."""
RETRY_S = 0.02
"""How soon to look again for audio that the sink should have taken by now, s."""


class Mouth:
    """Says one utterance at a time.

    Args:
        lane: the downlink, as this leg pushes it.
        speech_hz: rate of the chunks, Hz.
        show: called with each piece of text at the instant it is spoken.
    """

    def __init__(self, lane: Lane, speech_hz: int, show: Callable[[str], None]) -> None:
        self._lane = lane
        self._speech_hz = speech_hz
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._words: deque[tuple[int, str]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._base = self._end = 0
        """Where the utterance begins, if nothing before its next sample is left out, and where it ends."""
        self._sooner = asyncio.Event()
        lane.on_left_out = self._left_out

    async def say(self, chunks: AsyncIterator[SpeechChunk]) -> None:
        """Speak ``chunks`` to the end; return when the far end has played the last sample."""
        self._words.clear()
        self._lane.ledger.begin_segment()
        self._base = self._next_position
        pushed = 0
        async for chunk in chunks:
            self._words.append(
                (self._base + pushed * self._lane.rate_hz // self._speech_hz, chunk.text)
            )
            pushed += chunk.samples.size
            self._lane.push(chunk.samples)
            self._show_due_words()
            await self._rest_while_full()
        self._lane.end_segment()
        self._end = self._next_position
        await self._until_played()
        self._lane.ledger.end_segment()
        self._show_rest()

    def cut(self) -> None:
        """Stop showing words: those that are due by now are the last ones."""
        self._show_due_words()
        self._stop_timer()
        self._words.clear()
        self._lane.ledger.end_segment()

    async def _rest_while_full(self) -> None:
        while self._lane.depth_ms > HIGH_WATER_MS:  # noqa: ASYNC110 - the sink tells nobody
            await asyncio.sleep((self._lane.depth_ms - LOW_WATER_MS) / 1000)

    async def _until_played(self) -> None:
        ledger = self._lane.ledger
        while ledger.sent_samples < self._end:
            await self._sent_by(max(self._expected(self._end), self._loop.time() + RETRY_S))
        if ledger.playing_until_s is not None:
            await asyncio.sleep(max(0.0, ledger.playing_until_s - self._loop.time()))

    async def _sent_by(self, at_s: float) -> None:
        """Wait until then, loop time, or until it is sooner."""
        self._sooner.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(at_s):
                await self._sooner.wait()

    def _left_out(self, n_samples: int) -> None:
        """The sink left out so many samples, the next that it would have sent."""
        without = self._lane.ledger.without
        self._base -= n_samples
        self._end -= n_samples
        self._words = deque((without(n_samples, at), text) for at, text in self._words)
        self._sooner.set()
        if self._timer is not None:  # not now: the sink is at work
            self._stop_timer()
            self._timer = self._loop.call_at(self._loop.time(), self._show_due_words)

    @property
    def _next_position(self) -> int:
        """Of the next sample that is pushed."""
        return self._lane.ledger.sent_samples + self._lane.depth_samples

    def _show_due_words(self) -> None:
        self._stop_timer()
        now = self._loop.time()
        while self._words:
            at = self._lane.ledger.time_of(self._words[0][0])
            if at is None or at > now:
                due = max(at or self._expected(self._words[0][0]), now + (0 if at else RETRY_S))
                self._timer = self._loop.call_at(due, self._show_due_words)
                return
            self._speak(self._words.popleft()[1])

    def _show_rest(self) -> None:
        self._stop_timer()
        while self._words:
            self._speak(self._words.popleft()[1])

    def _speak(self, text: str) -> None:
        if text:
            self._show(text)

    def _expected(self, position: int) -> float:
        """When a sample that is not sent yet will be played if the sink keeps its tempo, loop time."""
        ledger = self._lane.ledger
        start = max(self._loop.time(), ledger.playing_until_s or 0.0)
        return start + (position - ledger.sent_samples) / self._lane.rate_hz

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
