"""The words of a call as its caller knows them: what was said, what was heard of it, what was cut off.

An agent shows its words in step with its own play-out clock; what the caller heard is told by the ledger of the
caller's own side, which is later by the way there and the device's latency. So an utterance that was cut off has three
parts: what the caller heard, what the agent believes to have said, and what it would have gone on to say, where its
server tells (the event `agent_interrupted`, reference 1.7). The last two are unheard.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.batch.call_log import ENTRY_COST, Room, grown
from bridge.talk.events import Transcript
from bridge.wire.messages import Medium
from bridge.wire.messages import Transcript as TranscriptMessage


@dataclass(slots=True)
class _Entry:
    """One utterance under way."""

    role: Literal["user", "agent"]
    medium: Medium
    start_s: float
    end_s: float
    text: str = ""
    final: bool = False
    shown: str = ""
    """The longest text of it that was ever told."""
    cut: bool = False
    heard: str | None = None
    """What the ledger says was heard of it when it was cut off; None: all."""
    beyond: str | None = None
    """What the server says it would have gone on to say."""


class Transcripts:
    """All utterances of one call.

    Args:
        now: seconds since the call was joined.
        room: how much is kept.
        changed: told of each change.
    """

    def __init__(
        self, now: Callable[[], float], room: Room, changed: Callable[[Transcript], None]
    ) -> None:
        self._now = now
        self._room = room
        self._changed = changed
        self._entries: dict[int, _Entry] = {}
        self._speaking: int | None = None
        self.cuts: dict[int, float] = {}
        """When each message of the agent was cut off, by ordinal."""

    def take(self, message: TranscriptMessage) -> None:
        """A transcript came."""
        entry = self._entries.get(message.ordinal)
        said = "" if entry is None else entry.text
        text = grown(said, message)
        cost = ENTRY_COST if entry is None else 0
        if message.role == "agent":
            self._speaking = None if message.final else message.ordinal
        if not self._room.take(len(text) - len(said) + cost):
            return
        if entry is None:
            now = self._now()
            entry = _Entry(message.role, message.medium, now, now)
            self._entries[message.ordinal] = entry
        elif text == said and message.final <= entry.final:
            return  # as when it is as long as it may be, and more comes
        self._grow(entry, text, final=message.final)
        self._tell(message.ordinal)

    def cut(self, heard: str, unheard: str) -> Transcript | None:
        """The agent is cut off: these words of its present message were heard by the ledger, and these not.

        Returns the message as it stands; None if the agent was in the midst of none.
        """
        ordinal, self._speaking = self._speaking, None
        entry = None if ordinal is None else self._entries.get(ordinal)
        if ordinal is None or entry is None:
            return None
        entry.cut = True
        entry.heard = heard if unheard else None
        self.cuts.setdefault(ordinal, self._now())
        return self._tell(ordinal)

    def cut_off(self, ordinal: int, unheard: str) -> None:
        """The server tells what was left unsaid of a message that was cut off."""
        entry = self._entries.get(ordinal)
        if entry is None or entry.role != "agent" or not self._room.take(len(unheard)):
            return
        entry.cut, entry.beyond = True, unheard
        self._tell(ordinal)

    def all(self) -> Sequence[Transcript]:
        """By ordinal; blank ones are left out."""
        ordered = (_view(ordinal, self._entries[ordinal]) for ordinal in sorted(self._entries))
        return [each for each in ordered if each.text or each.unheard]

    def _grow(self, entry: _Entry, text: str, *, final: bool) -> None:
        entry.text = text
        entry.final = entry.final or final
        entry.end_s = self._now()
        if len(text) > len(entry.shown):
            entry.shown = text

    def _tell(self, ordinal: int) -> Transcript:
        view = _view(ordinal, self._entries[ordinal])
        if view.text or view.unheard:
            self._changed(view)
        return view


def _view(ordinal: int, entry: _Entry) -> Transcript:
    heard, unheard = _parts(entry)
    return Transcript(
        ordinal=ordinal,
        role=entry.role,
        medium=entry.medium,
        final=entry.final,
        text=heard,
        unheard=unheard,
        start_s=entry.start_s,
        end_s=entry.end_s,
    )


def _parts(entry: _Entry) -> tuple[str, str]:
    """What was heard of an utterance, and what not."""
    said = entry.text
    if not entry.cut:
        return said, ""
    heard = said
    if entry.heard is not None and said.startswith(entry.heard):
        heard = entry.heard
    whole = entry.shown if entry.shown.startswith(said) else said
    if entry.beyond is not None:
        whole = said + _spaced(said, entry.beyond)
    return heard, whole[len(heard) :].strip()


def _spaced(before: str, after: str) -> str:
    """The second text as it follows the first: servers cut with or without the space between."""
    joined = not before or before[-1].isspace() or not after or not after[0].isalnum()
    return after if joined else f" {after}"


def unheard_of(extras: object) -> tuple[int, str] | None:
    """Ordinal and text in the extras of an `agent_interrupted` event; None for extras of another form."""
    if not isinstance(extras, Mapping):
        return None
    ordinal, text = extras.get("ordinal"), extras.get("unheardText")
    if isinstance(ordinal, bool) or not isinstance(ordinal, int) or not isinstance(text, str):
        return None
    return ordinal, text
