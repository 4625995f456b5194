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
    timed = True
    """Whether timestamps are times in the audio."""
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

    def sent(self, payload: bytes) -> bytes:
        """What goes out when this audio is to be played."""
        return payload

    def all_of_them(self) -> list[Fields]:
        """One of each."""
        events = [self.start(), self.media(1), self.digit("1"), self.mark("m1"), self.stop()]
        return [self.connected(), *events]

    def _event(self, name: str, /, **parts: Any) -> Fields:
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


class Telnyx(Dialect):
    name: CarrierName = "telnyx"
    heard = MediaFormat("ulaw", 8_000)
    frame_bytes = 160
    stream_key = "stream_id"
    stream_id = "32DE0DEA-53CB-4B21-89A4-9E1819C043BC"

    def connected(self) -> Fields:
        return {"event": "connected", "version": "1.0.0"}

    def start(self) -> Fields:
        start = {
            "user_id": "3E6F995F-85F7-4705-9741-53B116D28237",
            "call_control_id": "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg",
            "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
            "from": "+13122010094",
            "to": "+13122123456",
            "client_state": "aGF2ZSBhIG5pY2UgZGF5ID1d",
            "custom_parameters": {"agent": "receptionist"},
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        return self._event("start", sequence_number="1", start=start)

    def start_in_another_format(self) -> Fields:
        fields = self.start()
        fields["start"]["media_format"]["encoding"] = "PCMA"
        return fields

    def media(self, number: int, payload: bytes | None = None, **extra: Any) -> Fields:
        return super().media(number, payload, track="inbound", **extra)


class Plivo(Dialect):
    name: CarrierName = "plivo"
    heard = MediaFormat("l16le", 16_000)
    frame_bytes = 640
    timed = False
    stream_key = "streamId"
    stream_id = "c4dfd815-a92a-4140-ab85-5ff28c004116"

    def start(self) -> Fields:
        start = {
            "callId": "5401fd2e-6344-40df-a22c-c8ffea7a92e7",
            "streamId": self.stream_id,
            "accountId": "500025",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000},
        }
        return {"event": "start", "sequenceNumber": 0, "start": start, "extra_headers": "a=1"}

    def start_in_another_format(self) -> Fields:
        fields = self.start()
        fields["start"]["mediaFormat"] = {"encoding": "audio/x-mulaw", "sampleRate": 8000}
        return fields

    def media(self, number: int, payload: bytes | None = None, **extra: Any) -> Fields:
        fields = super().media(number, payload, track="inbound", **extra)
        fields["media"]["timestamp"] = str(1_778_597_597_091 + (number - 1) * self.frame_ms)
        return {**fields, "sequenceNumber": number, "extra_headers": "a=1"}

    def mark(self, name: Any) -> Fields:
        return self._event("playedStream", name=name)

    def digit(self, digit: Any) -> Fields:
        return self._event("dtmf", dtmf={"track": "inbound", "digit": digit, "timestamp": "1"})

    def _number(self, number: int) -> Any:
        return number


class Exotel(Dialect):
    name: CarrierName = "exotel"
    heard = MediaFormat("l16le", 8_000)
    frame_bytes = 1_600
    frame_ms = 100
    stream_key = "stream_sid"
    stream_id = "MZ0123456789abcdef0123456789"

    def start(self) -> Fields:
        start = {
            "stream_sid": self.stream_id,
            "call_sid": "CA0123456789abcdef0123456789",
            "account_sid": "AC0123456789abcdef0123456789",
            "from": "+919876543210",
            "to": "+918047491899",
            "custom_parameters": {"key1": "value1"},
            "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
        }
        return self._event("start", sequence_number="1", start=start)

    def start_in_another_format(self) -> Fields:
        fields = self.start()
        fields["start"]["media_format"]["sample_rate"] = "16000"
        return fields

    def sent(self, payload: bytes) -> bytes:
        return payload + bytes(-len(payload) % 320)


class ExotelInCamelCase(Exotel):
    stream_key = "streamSid"

    def __str__(self) -> str:
        return "exotel in camelCase"

    def start(self) -> Fields:
        start = {
            "streamSid": self.stream_id,
            "callSid": "CA0123456789abcdef0123456789",
            "from": "+919876543210",
            "mediaFormat": {"encoding": "raw/slin", "sampleRate": 8000},
        }
        return self._event("start", start=start)

    def start_in_another_format(self) -> Fields:
        fields = self.start()
        fields["start"]["mediaFormat"]["sampleRate"] = 24000
        return fields


DIALECTS: list[Dialect] = [Twilio(), Telnyx(), Plivo(), Exotel(), ExotelInCamelCase()]
