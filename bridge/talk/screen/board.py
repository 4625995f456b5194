"""What there is to show of a call, without a terminal: entries in order, the state, latencies.

Entries are agent's and user's utterances, tool calls and notes. Foreign text is made harmless here, once: what a
far end or a tool says can neither speak to the terminal nor grow without bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Literal

from bridge.log import printable

ENTRIES_KEPT: Final = 200
"""The oldest leave the screen; the files of --record keep them. To wrap so many anew, when the terminal changes its
width, takes 50 ms, which the audio's loop can spare."""
LONGEST_TEXT: Final = 8_192
"""Characters of one entry that are shown."""
LATENCIES_KEPT: Final = 200

NO_TOOL_WAITS: Final = "no tool waits for an answer"

Kind = Literal["agent", "user", "tool", "note"]


@dataclass(slots=True)
class Entry:
    """One paragraph of the screen.

    Attributes:
        at_s: seconds since the call began.
        text: what was said and, by the agent, heard; of a tool, its arguments.
        unheard: what the agent said that nobody heard.
        typed: it was typed, or came as text: nobody spoke it.
        latency_ms: how long this answer of the agent was waited for; None when nobody waited.
        tool: the tool's name.
        outcome: what the tool gave back; None while it runs.
        failed: the tool gave an error.
        by_hand: the user shall answer this tool call.
        revision: changes with every change of the entry.
    """

    kind: Kind
    at_s: float
    text: str = ""
    unheard: str = ""
    final: bool = True
    typed: bool = False
    latency_ms: float | None = None
    tool: str = ""
    outcome: str | None = None
    took_ms: float | None = None
    failed: bool = False
    by_hand: bool = False
    revision: int = 0


@dataclass(slots=True)
class Board:
    """All that the screen tells, but for levels and figures, which are asked for at each redraw."""

    title: str = ""
    state: str = "connecting"
    medium: str = "voice"
    ended: str | None = None
    digits_sent: int = 0
    """Telephone keys that the agent was told of."""
    revision: int = 0
    _entries: dict[str, Entry] = field(default_factory=dict)
    _latencies_ms: dict[int, float] = field(default_factory=dict)
    """By number of the turn."""
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def entries(self) -> list[Entry]:
        """In the order in which they began."""
        return list(self._entries.values())

    @property
    def latencies_ms(self) -> list[float]:
        """Of all turns that were answered, in order."""
        return list(self._latencies_ms.values())

    def say(  # noqa: PLR0913 - one argument for each thing known of an utterance
        self,
        role: Literal["agent", "user"],
        ordinal: int,
        text: str,
        *,
        at_s: float,
        final: bool,
        typed: bool = False,
        unheard: str = "",
    ) -> None:
        """All of an utterance so far."""
        said, unsaid = shown(text), shown(unheard)
        entry = self._entries.get(f"said {ordinal}")
        if entry is None:
            if not said and not unsaid:
                return  # a blank message is no line
            entry = self._add(f"said {ordinal}", Entry(role, at_s))
        entry.text, entry.unheard, entry.final, entry.typed = said, unsaid, final, typed
        self._changed(entry)

    def waited(self, turn: int, latency_ms: float, answer: int | None) -> None:
        """The answer of a turn began so long after the user ceased to speak; ``answer``: its ordinal, once known."""
        self._latencies_ms[turn] = latency_ms
        while len(self._latencies_ms) > LATENCIES_KEPT:
            del self._latencies_ms[next(iter(self._latencies_ms))]
        self.revision += 1
        entry = self._entries.get(f"said {answer}")
        if entry is not None:
            entry.latency_ms = latency_ms
            self._changed(entry)

    def tool_asked(
        self, invocation_id: str, name: str, arguments: str, *, at_s: float, by_hand: bool
    ) -> None:
        """The agent calls a tool; ``by_hand``: the user shall answer."""
        key = f"tool {invocation_id}"
        entry = self._entries.get(key) or self._add(key, Entry("tool", at_s, tool=shown(name)))
        if arguments:
            entry.text = shown(arguments)
        entry.by_hand = by_hand
        self._changed(entry)

    def tool_answered(
        self, invocation_id: str, outcome: str, *, took_ms: float | None, failed: bool
    ) -> None:
        """A tool gave its result, or its error."""
        entry = self._entries.get(f"tool {invocation_id}")
        if entry is not None:
            entry.outcome, entry.took_ms, entry.failed = shown(outcome), took_ms, failed
            entry.by_hand = False
            self._changed(entry)

    def server_tool(
        self, invocation_id: str, name: str, arguments: str, *, at_s: float, done: bool
    ) -> None:
        """The server says that it runs a tool, or has run it; client tools tell more of themselves."""
        key = f"tool {invocation_id}"
        if key in self._entries and not done:
            return
        if key not in self._entries:
            self.tool_asked(invocation_id, name, arguments, at_s=at_s, by_hand=False)
        entry = self._entries[key]
        if done and entry.outcome is None:
            late = entry.by_hand
            outcome = "nobody answered in time" if late else "done"
            took_ms = 1000 * (at_s - entry.at_s)
            self.tool_answered(invocation_id, outcome, took_ms=took_ms, failed=late)

    def note(self, sentence: str, *, at_s: float) -> None:
        """Something that the user should know."""
        self._changed(
            self._add(f"note {next(self._numbers)}", Entry("note", at_s, shown(sentence)))
        )

    def says_last(self, sentence: str) -> bool:
        """Whether a note that says so is the last entry."""
        last = next(reversed(self._entries.values()), None)
        return last is not None and (last.kind, last.text) == ("note", sentence)

    def keys_sent(self, digits: str, *, at_s: float) -> None:
        """Telephone keys went to the agent as one message."""
        self.digits_sent += len(digits)
        self.note(f"keys {digits} sent", at_s=at_s)

    def set_state(self, state: str) -> None:
        """The agent's state: idle, listening, thinking, speaking; before the call connecting."""
        self.state = shown(state)
        self.revision += 1

    def set_medium(self, medium: str) -> None:
        """How the agent answers from now on: voice or text."""
        self.medium = shown(medium)
        self.revision += 1

    def end(self, sentence: str) -> None:
        """The call is over."""
        self.ended = shown(sentence)
        self.revision += 1

    @property
    def pending_tool(self) -> tuple[str, Entry] | None:
        """The oldest tool call that waits for the user: its invocation id and its entry."""
        for key, entry in self._entries.items():
            if entry.by_hand and entry.outcome is None:
                return key.removeprefix("tool "), entry
        return None

    def _add(self, key: str, entry: Entry) -> Entry:
        while len(self._entries) >= ENTRIES_KEPT:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = entry
        return entry

    def _changed(self, entry: Entry) -> None:
        self.revision += 1
        entry.revision = self.revision


def shown(text: str) -> str:
    """Foreign text as the screen may show it: one line, no control characters, of bearable length."""
    cut = text[: 2 * LONGEST_TEXT]  # it comes again with each word that is added
    flat = printable(" ".join(cut.split()))
    return (
        flat
        if len(flat) <= LONGEST_TEXT and len(cut) == len(text)
        else f"{flat[: LONGEST_TEXT - 1]}…"
    )
