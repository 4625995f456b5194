"""A caller's audio on its way in: no more than time explains, in order, never empty."""

from bridge.wire.carriers.base import AudioMissing, CarrierEvent, Ignored, MediaFormat
from bridge.wire.carriers.chunks import ChunkOrder
from bridge.wire.carriers.guard import Guard
from bridge.wire.carriers.json_media import MediaPart
from bridge.wire.carriers.shapes import shape_of


class Intake(ChunkOrder):
    """Takes chunks in one format; `patience` as in ChunkOrder."""

    __slots__ = ("_audio", "_frames", "_guard", "_s_of", "_s_per_byte", "align")

    def __init__(self, guard: Guard, heard: MediaFormat, patience: int) -> None:
        shape = shape_of(heard)
        super().__init__(shape.ms_of, patience)
        self.align = shape.align
        self._s_of = shape.s_of
        self._s_per_byte = 1 / shape.bytes_per_s if shape.bytes_per_s else 0.0
        self._guard = guard
        self._frames, self._audio = guard.audio_buckets

    def hear(self, media: MediaPart, now_s: float) -> list[CarrierEvent]:
        """Take one chunk."""
        payload = media.payload
        audio_s = len(payload) * self._s_per_byte or self._s_of(payload)
        ignored = self._guard.admit(audio_s, now_s)
        if not payload:
            ignored = Ignored("empty", "a media event without audio")
        if ignored is not None:
            events = self.put(media.chunk, media.timestamp, payload, dropped=True)
            return [*self._without_floods(events, now_s), ignored]
        events = self.put(media.chunk, media.timestamp, payload)
        return events if len(events) == 1 else self._without_floods(events, now_s)

    def hear_next(self, media: MediaPart, now_s: float) -> bool:
        """Take one chunk if `hear` would give it back and nothing else; else take nothing: the usual case, in short.

        It is like the last one and follows it, nothing is out of order, and time explains it.
        """
        number, n_bytes = media.chunk, len(media.payload)
        if (
            number is None
            or number != self._next
            or media.timestamp != self._end_ms
            or n_bytes != self._n_bytes
            or self._held
            or self._late_run
            or self._misfits
            or not self._frames.take_both(1, self._audio, n_bytes * self._s_per_byte, now_s)
        ):
            return False
        self._next = number + 1
        self._end_ms += self._ms
        return True

    def _without_floods(self, events: list[CarrierEvent], now_s: float) -> list[CarrierEvent]:
        """Silence for what is missing counts as audio: jumping numbers cannot make more of it."""
        return [
            event
            for event in events
            if not isinstance(event, AudioMissing)
            or self._guard.admit(event.ms / 1_000, now_s) is None
        ]


class UntimedIntake(Intake):
    """For a carrier whose timestamps tell when it sent, and not what: the numbers of its chunks are all that counts."""

    __slots__ = ()

    def hear(self, media: MediaPart, now_s: float) -> list[CarrierEvent]:
        """Take one chunk."""
        media.timestamp = None
        return super().hear(media, now_s)

    def hear_next(self, media: MediaPart, now_s: float) -> bool:
        """See Intake."""
        media.timestamp = int(self._end_ms)  # the one that is expected
        return bool(media.payload) and super().hear_next(media, now_s)
