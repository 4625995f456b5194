"""A caller's audio on its way in: no more than time explains, in order, never empty."""

from bridge.wire.carriers.base import AudioMissing, CarrierEvent, Ignored, MediaFormat
from bridge.wire.carriers.chunks import ChunkOrder
from bridge.wire.carriers.guard import Guard
from bridge.wire.carriers.json_media import MediaPart
from bridge.wire.carriers.shapes import shape_of


class Intake:
    """Takes chunks in one format; `patience` as in ChunkOrder."""

    __slots__ = ("_guard", "_order", "_s_of", "_s_per_byte", "align")

    def __init__(self, guard: Guard, heard: MediaFormat, patience: int) -> None:
        shape = shape_of(heard)
        self.align = shape.align
        self._s_of = shape.s_of
        self._s_per_byte = 1 / shape.bytes_per_s if shape.bytes_per_s else 0.0
        self._guard = guard
        self._order = ChunkOrder(shape.ms_of, patience)

    def hear(self, media: MediaPart, now_s: float) -> list[CarrierEvent]:
        """Take one chunk."""
        payload = media.payload
        audio_s = len(payload) * self._s_per_byte or self._s_of(payload)
        ignored = self._guard.admit(audio_s, now_s)
        if not payload:
            ignored = Ignored("empty", "a media event without audio")
        if ignored is not None:
            events = self._order.put(media.chunk, media.timestamp, payload, dropped=True)
            return [*self._without_floods(events, now_s), ignored]
        events = self._order.put(media.chunk, media.timestamp, payload)
        return events if len(events) == 1 else self._without_floods(events, now_s)

    def hear_next(self, media: MediaPart, now_s: float) -> bool:
        """Take one chunk if `hear` would give it back and nothing else; else take nothing: the usual case, in short."""
        n_bytes = len(media.payload)
        if not self._order.step(media.chunk, media.timestamp, n_bytes):
            return False
        if self._guard.keeps_time(n_bytes * self._s_per_byte, now_s):
            return True
        self._order.step_back()
        return False

    def flush(self) -> list[CarrierEvent]:
        """The end: give what was held back."""
        return self._order.flush()

    def _without_floods(self, events: list[CarrierEvent], now_s: float) -> list[CarrierEvent]:
        """Silence for what is missing counts as audio: jumping numbers cannot make more of it."""
        return [
            event
            for event in events
            if not isinstance(event, AudioMissing)
            or self._guard.admit(event.ms / 1_000, now_s) is None
        ]
