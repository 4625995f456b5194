"""Sees all that passes in one call, and says what it means: words, states, interruptions, turns, a recording.

It stands beside the relay: messages come from the relay's watcher, audio from the two lanes. It changes nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from bridge.batch.call_log import ENTRY_COST, FULL, MAX_WARNINGS, Room
from bridge.batch.result import StateChange
from bridge.legs.base import Leg, LegEvent, MessageEvent, Warned
from bridge.legs.carrier.heard import HeardText
from bridge.legs.file import Underruns
from bridge.relay import Relay
from bridge.talk.events import (
    DataMessage,
    Interrupted,
    Noted,
    SessionEvent,
    SessionFigures,
    TranscriptChanged,
    TurnMeasured,
)
from bridge.talk.onset import FirstSound, RecentSpeech, SourceClock
from bridge.talk.recording import Recording
from bridge.talk.transcripts import Transcripts, unheard_of
from bridge.talk.turns import Turns
from bridge.talk.watched_lane import WatchedLane
from bridge.wire.messages import (
    AgentState,
    CallEvent,
    CallStarted,
    ClientToolInvocation,
    PlaybackClearBuffer,
    ServerMessage,
    State,
    Transcript,
    UnknownMessage,
    UserStoppedSpeaking,
)
from bridge_codecs.pcm import Int16

_INTERRUPTED: Final = "agent_interrupted"


class Witness:
    """One call's.

    Args:
        tell: takes the events.
        on_state: told of each state of the agent.
        on_tool: takes the agent's tool invocations.

    Attributes:
        call_id: the server's id of the call, once it is told.
        states: the agent's states.
        notes: sentences that people should read.
        transcripts: the words.
        turns: the user's turns; None before `attend`.
    """

    def __init__(
        self,
        tell: Callable[[SessionEvent], None],
        on_state: Callable[[AgentState], None],
        on_tool: Callable[[ClientToolInvocation], None],
    ) -> None:
        self.call_id = ""
        self.states: list[StateChange] = []
        self.notes: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._since_s: float | None = None
        self._tell = tell
        self._on_state = on_state
        self._on_tool = on_tool
        self._room = Room(lambda: self.note(FULL))
        self.transcripts = Transcripts(
            self.now,
            self._room,
            lambda transcript: tell(TranscriptChanged(self.now(), transcript)),
        )
        self.turns: Turns | None = None
        self._audio: _Audio | None = None
        self._interruptions = 0
        self._underruns = Underruns()

    def now(self) -> float:
        """Seconds since the call was joined."""
        return 0.0 if self._since_s is None else self._loop.time() - self._since_s

    def attend(self, relay: Relay, recording: Recording | None, underruns: Underruns) -> None:
        """The call begins: see what passes from now on. The relay's lanes must be `WatchedLane`."""
        self._since_s = self._loop.time()
        rate_hz = relay.caller.source_hz
        speech = RecentSpeech(rate_hz, SourceClock(rate_hz, self._since_s, self._loop.time))
        turns = self.turns = Turns(
            self._since_s,
            speech.ended_s,
            lambda turn: self._tell(TurnMeasured(self.now(), turn)),
        )
        self._audio = _Audio(relay, speech, turns, recording)
        self._underruns = underruns

    def note(self, text: str) -> None:
        """One sentence that people should read; each is told once."""
        if text not in self.notes and len(self.notes) < MAX_WARNINGS:
            self.notes.append(text)
            self._tell(Noted(self.now(), text))

    @property
    def figures(self) -> SessionFigures:
        """How the audio stands."""
        if self._audio is None:
            return SessionFigures()
        return self._audio.figures(self._interruptions, self._underruns)

    def watch(self, leg: Leg, event: LegEvent) -> None:
        """The relay's watcher."""
        if isinstance(event, Warned):
            self.note(f"{leg.name}: {event.text}")
        elif isinstance(event, MessageEvent) and self._audio is not None:
            message = cast("ServerMessage | UnknownMessage", event.message)
            self._take(message, self._audio)
            self._tell(DataMessage(self.now(), message))

    def _take(self, message: ServerMessage | UnknownMessage, audio: "_Audio") -> None:
        match message:
            case CallStarted(call_id=call_id):
                self.call_id = call_id
            case State(state=state):
                self._state(state, audio)
            case Transcript():
                audio.words(message)
                self.transcripts.take(message)
            case PlaybackClearBuffer():
                self._cut(audio)
            case ClientToolInvocation():
                self._on_tool(message)
            case CallEvent(event_type=kind, extras=extras) if kind == _INTERRUPTED:
                if (told := unheard_of(extras)) is not None:
                    self.transcripts.cut_off(*told)
            case UserStoppedSpeaking():
                audio.turns.stopped(self._loop.time())
            case _:
                pass

    def _state(self, state: AgentState, audio: "_Audio") -> None:
        if self._room.take(ENTRY_COST):
            self.states.append(StateChange(self.now(), state))
        audio.state(state)
        self._on_state(state)

    def _cut(self, audio: "_Audio") -> None:
        silenced, heard, unheard = audio.cut()
        transcript = self.transcripts.cut(heard, unheard)
        if silenced or transcript is not None:
            self._interruptions += 1
            self._tell(Interrupted(self.now(), transcript))


class _Audio:
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
