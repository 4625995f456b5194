"""A carrier with the plainest protocol there is, and any traits: texts of words, audio as it is.

The test plays the carrier through `CarrierFeed`: ``start``, ``mark NAME``, ``flushed NAME``, ``digit KEY``,
``full``, ``room``, ``missing MS``, ``reply TEXT``, ``warn TEXT``, ``junk TEXT``, ``stop CAUSE``, ``break TEXT``.
"""

from collections.abc import Callable

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    DigitIn,
    Flow,
    Ignored,
    MarkFlushed,
    MarkReached,
    MediaFormat,
    Message,
    Reply,
    Started,
    StartInfo,
    Stopped,
    Traits,
)

L16_8K = MediaFormat("l16le", 8_000)
_EVENTS: dict[str, Callable[[str], CarrierEvent]] = {
    "mark": MarkReached,
    "flushed": MarkFlushed,
    "digit": DigitIn,
    "full": lambda _: Flow(open=False),
    "room": lambda _: Flow(open=True),
    "missing": lambda ms: AudioMissing(float(ms)),
    "reply": Reply,
    "warn": CarrierWarning,
    "junk": lambda text: Ignored("unknown", text),
}


class PlainWire:
    """A `CarrierWire`."""

    def __init__(
        self,
        traits: Traits | None = None,
        heard: MediaFormat = L16_8K,
        played: MediaFormat = L16_8K,
    ) -> None:
        self.traits = traits or Traits(name="twilio", marks="echoed", clears=True)
        self._started = Started(StartInfo(call_id="CA1", from_number="+1555"), heard, played)
        self._over = False

    def receive_text(self, text: str, now_s: float) -> list[CarrierEvent]:
        word, _, rest = text.partition(" ")
        if word == "start":
            return [self._started]
        if word == "stop":
            self._over = True
            return [Stopped(rest, "the carrier said so")]  # type: ignore[arg-type]
        if word not in _EVENTS:
            raise RemoteWireError(rest or "what?")
        return [_EVENTS[word](rest)]

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        return [AudioIn(data)]

    def receive_close(self, code: int, reason: str, *, ours: bool) -> list[CarrierEvent]:
        if self._over:
            return []
        self._over = True
        return [Stopped("stopped" if code == 1000 or ours else "lost", f"closed with {code}")]

    def audio(self, payload: bytes) -> Message:
        assert payload
        return payload

    def mark(self, name: str) -> tuple[Message, ...]:
        return () if self.traits.marks == "none" else (f"mark {name}",)

    def clear(self) -> tuple[Message, ...]:
        return ("clear",) if self.traits.clears else ()

    def digits(self, digits: str) -> tuple[Message, ...]:
        return (f"press {digits}",) if self.traits.digits_by == "message" else ()

    def hang_up(self) -> tuple[Message, ...]:
        return ("hang up",) if self.traits.ends_by == "message" else ()
