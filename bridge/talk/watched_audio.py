"""What is seen of both directions of one call's audio: who was audible when, which words were heard, a recording."""

import asyncio

from bridge.legs.carrier.heard import HeardText
from bridge.legs.file import Underruns
from bridge.relay import Relay
from bridge.talk.events import SessionFigures
from bridge.talk.onset import FirstSound, RecentSpeech
from bridge.talk.recording import Recording
from bridge.talk.turns import Turns
from bridge.talk.watched_lane import WatchedLane
from bridge.wire.messages import AgentState, Transcript
from bridge_codecs.pcm import Int16


class WatchedAudio:
    """What is seen of both directions of one call's audio."""

    def __init__(
        self, relay: Relay, speech: RecentSpeech, turns: Turns, recording: Recording | None
    ) -> None:
        up, down = relay.uplink, relay.downlink
        assert isinstance(up, WatchedLane)
        assert isinstance(down, WatchedLane)
        self.turns = turns
        self._time = asyncio.get_running_loop().time
        self._up, self._down = up, down
        self._speech = speech
        self._recording = recording
        self._heard = HeardText(down)
        self._first = FirstSound(down, turns.sound)
        self._flushed = self._cleared = 0
        up.on_come = self._said
        down.on_come = self._came
        down.on_gone = self._gone

    def state(self, state: AgentState) -> None:
        """The agent's state: an utterance begins, or is over."""
        self._heard.expect()
        self._first.expect()
        self.turns.state(state, self._time())

    def words(self, message: Transcript) -> None:
        """Words of either side."""
        now_s = self._time()
        if message.role == "agent":
            self._heard.take(message, now_s)
            if message.medium == "text" and (message.text or message.delta):
                self.turns.began(now_s)
        elif message.medium == "voice":
            self.turns.spoke(now_s)

    def cut(self) -> tuple[bool, str, str]:
        """The agent was cut off just now: whether any audio fell silent, the words heard and unheard."""
        self._first.cleared()
        ledger, stats = self._down.ledger, self._down.stats
        flushed, self._flushed = ledger.flushed - self._flushed, ledger.flushed
        cleared, self._cleared = stats.cleared - self._cleared, stats.cleared
        heard, unheard = self._heard.cut(ledger.sent_samples - flushed)
        return bool(flushed or cleared), heard, unheard

    def figures(self, interruptions: int, underruns: Underruns) -> SessionFigures:
        """As they stand."""
        up, down = self._up, self._down
        per_ms = down.rate_hz / 1000
        return SessionFigures(
            buffered_ms=down.depth_ms + down.ledger.ahead_ms(self._time()),
            uplink_ms=up.depth_ms,
            dropped_up_ms=1000 * up.stats.dropped / up.rate_hz,
            dropped_down_ms=down.stats.dropped / per_ms,
            cleared_ms=(down.stats.cleared + down.ledger.flushed) / per_ms,
            underruns=underruns.count,
            underrun_ms=underruns.total_ms,
            interruptions=interruptions,
        )

    def _said(self, samples: Int16) -> None:
        self._speech.add(samples)
        self._first.look()
        if self._recording is not None:
            self._recording.heard(samples)

    def _came(self, samples: Int16) -> None:
        if self._heard.awaiting:
            self._heard.began(self._time())
        self._first.came(samples)

    def _gone(self, samples: Int16) -> None:
        self._first.look()
        if self._recording is not None:
            self._recording.played(samples)
