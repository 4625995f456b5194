"""The machine of every carrier that sends JSON with base64 audio; what differs stands in a class per carrier."""

from abc import abstractmethod

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import MediaFormat, Message, Started, Traits
from bridge.wire.carriers.fields import JsonObject
from bridge.wire.carriers.json_media import AudioEncoder, MediaDecoder, json_text
from bridge.wire.carriers.json_reader import JsonReader


class JsonWire(JsonReader):
    """One carrier's socket, from its first message to its end: the reader, and what we say."""

    traits: Traits

    def __init__(self, decoder: MediaDecoder, patience: int = 1) -> None:
        super().__init__(decoder, patience)
        self._encoder: AudioEncoder | None = None

    @abstractmethod
    def _audio(self, played: MediaFormat) -> AudioEncoder:
        """What puts our audio into messages."""

    @abstractmethod
    def _mark(self, name: str) -> JsonObject:
        """Our mark."""

    @abstractmethod
    def _clear(self) -> JsonObject:
        """Our clear."""

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError before the start, or without audio."""
        if self._encoder is None or not payload:
            raise LocalWireError("audio is sent after the start, and never empty")
        return self._encoder.encode(payload)

    def mark(self, name: str) -> tuple[Message, ...]:
        """Ask to be told when all audio sent so far has been played."""
        return self._say(self._mark(name))

    def clear(self) -> tuple[Message, ...]:
        """Drop what has not been played."""
        return self._say(self._clear())

    def digits(self, digits: str) -> tuple[Message, ...]:  # noqa: ARG002 - a subclass may press them
        """Nothing: keys are not pressed by a message here."""
        return ()

    def hang_up(self) -> tuple[Message, ...]:
        """Nothing: a phone call is not ended by a message here."""
        return ()

    def _say(self, fields: JsonObject) -> tuple[Message, ...]:
        return (json_text(fields),) if self._guard.state == "live" else ()

    def _begin(self, fields: JsonObject) -> Started:
        started = super()._begin(fields)
        self._encoder = self._audio(started.played)
        return started
