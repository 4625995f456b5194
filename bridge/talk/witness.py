"""Sees all that passes in one call, and says what it means: words, states, interruptions, turns, a recording.

It stands beside the relay: messages come from the relay's watcher, audio from the two lanes. It changes nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from bridge.batch.call_log import ENTRY_COST, FULL, MAX_WARNINGS, Room
from bridge.batch.result import StateChange
from bridge.legs.base import Leg, LegEvent, MessageEvent, Warned
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
from bridge.talk.onset import RecentSpeech, SourceClock
from bridge.talk.recording import Recording
from bridge.talk.transcripts import Transcripts, unheard_of
from bridge.talk.turns import Turns
from bridge.talk.watched_audio import WatchedAudio
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
        self._audio: WatchedAudio | None = None
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
        self._audio = WatchedAudio(relay, speech, turns, recording)
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

    def _take(self, message: ServerMessage | UnknownMessage, audio: WatchedAudio) -> None:
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

    def _state(self, state: AgentState, audio: WatchedAudio) -> None:
        if self._room.take(ENTRY_COST):
            self.states.append(StateChange(self.now(), state))
        audio.state(state)
        self._on_state(state)

    def _cut(self, audio: WatchedAudio) -> None:
        silenced, heard, unheard = audio.cut()
        transcript = self.transcripts.cut(heard, unheard)
        if silenced or transcript is not None:
            self._interruptions += 1
            self._tell(Interrupted(self.now(), transcript))
