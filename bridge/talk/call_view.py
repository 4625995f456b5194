"""A call as its program sees it: its status, its words, tools and turns, its figures, and what happens, as events.

Names follow the vendor's SDKs where the meaning is the same (reference ultravox 3.4).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar, overload

from bridge.talk.events import (
    SessionEvent,
    SessionFigures,
    Status,
    StatusChanged,
    ToolRun,
    Transcript,
    Turn,
)
from bridge.talk.news import News
from bridge.talk.tool_desk import ToolDesk
from bridge.talk.witness import Witness
from bridge.wire.messages import Medium

E = TypeVar("E", bound=SessionEvent)


class CallView:
    """What there is to know of one call.

    Args:
        news: hands its events on.
        desk: its client tools.
        witness: sees what passes.
    """

    def __init__(self, news: News, desk: ToolDesk, witness: Witness) -> None:
        self._status: Status = "disconnected"
        self._medium: Medium = "voice"
        self._news, self._desk, self._witness = news, desk, witness

    @property
    def status(self) -> Status:
        """What the session does."""
        return self._status

    @property
    def call_id(self) -> str:
        """The server's id of the call; empty before it has told it."""
        return self._witness.call_id

    @property
    def now_s(self) -> float:
        """Seconds since the call was joined: the clock of all events."""
        return self._now()

    @property
    def transcripts(self) -> Sequence[Transcript]:
        """All utterances, by ordinal; blank ones are left out."""
        return self._witness.transcripts.all()

    @property
    def tools(self) -> Sequence[ToolRun]:
        """The tool calls in the order in which they were asked for: the last 1,000."""
        return tuple(self._desk.runs.values())

    @property
    def turns(self) -> Sequence[Turn]:
        """The turns of the user: the last 5,000."""
        return () if self._witness.turns is None else tuple(self._witness.turns.all)

    @property
    def notes(self) -> Sequence[str]:
        """Sentences that people should read."""
        return tuple(self._witness.notes)

    @property
    def figures(self) -> SessionFigures:
        """How the audio stands; cheap enough for ten times a second."""
        return self._witness.figures

    @property
    def output_medium(self) -> Medium:
        """The medium that the agent was last asked to answer in; voice before."""
        return self._medium

    @overload
    def on(self, event: type[E], callback: Callable[[E], object]) -> Callable[[], None]: ...

    @overload
    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]: ...

    def on(self, event: type[E] | str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call back for each event of a kind: its class, or its name such as ``"status"``; returns what takes it back.

        A callback that raises is noted and harms nothing else. Raises: UsageError for a kind that does not exist.
        """
        return self._news.on(event, callback)

    def events(self) -> AsyncIterator[SessionEvent]:
        """All events from now on, as an async iterator that ends with `CallEnded`; each call gives its own.

        A reader that falls 1,000 events behind loses the oldest and is told so by a `Noted`.
        """
        return self._news.read()

    def _now(self) -> float:
        return self._witness.now()

    def _set_status(self, status: Status) -> None:
        was, self._status = self._status, status
        if was != status:
            self._news.tell(StatusChanged(self._now(), status, was))
