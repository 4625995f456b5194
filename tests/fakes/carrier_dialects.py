"""What carriers that speak JSON send, written from their documents: the same events in each one's own words."""

import base64
from abc import ABC, abstractmethod
from typing import Any

from bridge.wire.carriers.base import CarrierName, MediaFormat
from bridge.wire.carriers.json_wire import JsonWire
from bridge.wire.carriers.make import make_wire

Fields = dict[str, Any]


class Dialect(ABC):
    """One carrier's words."""

    name: CarrierName
    heard: MediaFormat
    frame_bytes: int
    frame_ms: int = 20
    stream_key: str
    stream_id: str

    def __str__(self) -> str:
        return self.name

    def wire(self) -> JsonWire:
        wire = make_wire(self.name)
        assert isinstance(wire, JsonWire)
        return wire

    def connected(self) -> Fields:
        return {"event": "connected"}

    @abstractmethod
    def start(self) -> Fields: ...

    @abstractmethod
    def start_in_another_format(self) -> Fields:
        """A start that is fine by itself, or nearly: with another format of audio."""

    def media(self, number: int, payload: bytes | None = None, **extra: Any) -> Fields:
        """The n-th chunk of the caller's audio, from 1 on."""
        payload = bytes([number % 256]) * self.frame_bytes if payload is None else payload
        chunk: Any = number
        timestamp: Any = (number - 1) * self.frame_ms
        return self._event(
            "media",
            media={
                "chunk": self._number(chunk),
                "timestamp": self._number(timestamp),
                "payload": base64.b64encode(payload).decode(),
                **extra,
            },
        )

    def digit(self, digit: Any) -> Fields:
        return self._event("dtmf", dtmf={"digit": digit})

    def mark(self, name: Any) -> Fields:
        return self._event("mark", mark={"name": name})

    def stop(self) -> Fields:
        return self._event("stop", stop={})

    def all_of_them(self) -> list[Fields]:
        """One of each."""
        events = [self.start(), self.media(1), self.digit("1"), self.mark("m1"), self.stop()]
        return [self.connected(), *events]

    def _event(self, name: str, **parts: Any) -> Fields:
        return {"event": name, self.stream_key: self.stream_id, **parts}

    def _number(self, number: int) -> Any:
        """A number as this carrier writes it."""
        return str(number)


class Twilio(Dialect):
    name: CarrierName = "twilio"
    heard = MediaFormat("ulaw", 8_000)
    frame_bytes = 160
    stream_key = "streamSid"
    stream_id = "MZ18ad3ab5a668481ce02b83e7395059f0"

    def connected(self) -> Fields:
        return {"event": "connected", "protocol": "Call", "version": "1.0.0"}

    def start(self) -> Fields:
        start = {
            "accountSid": "AC0123456789abcdef0123456789abcdef",
            "streamSid": self.stream_id,
            "callSid": "CA0123456789abcdef0123456789abcdef",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"agent": "receptionist"},
        }
        return self._event("start", sequenceNumber="1", start=start)

    def start_in_another_format(self) -> Fields:
        fields = self.start()
        fields["start"]["mediaFormat"]["encoding"] = "audio/x-alaw"
        return fields

    def media(self, number: int, payload: bytes | None = None, **extra: Any) -> Fields:
        return super().media(number, payload, track="inbound", **extra)

    def digit(self, digit: Any) -> Fields:
        return self._event("dtmf", dtmf={"track": "inbound_track", "digit": digit})


DIALECTS: list[Dialect] = [Twilio()]
