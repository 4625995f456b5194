"""What a carrier's JSON costs: one media event in, one message of audio out.

    python -m benchmarks.carrier_wire [--json] [--rounds 100]

Microseconds per event, best of many short rounds, with everything that a live call has: base64, order, limits.
Asked of a media event of 160 bytes: 1.5 us at most in, 1 us out.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.rounds import Row, noise_percent, print_noise, print_rows, read_options
from bridge.wire.carriers.base import CarrierName, CarrierWire
from bridge.wire.carriers.make import make_wire

EVENTS_PER_ROUND = 500


@dataclass(frozen=True)
class Case:
    """One carrier's call, in its own words."""

    label: str
    name: CarrierName
    start: dict[str, Any]
    media: dict[str, Any]  # of the first frame
    frame_bytes: int
    frame_ms: int = 20

    def texts(self) -> list[str]:
        """The caller's audio, frame by frame."""
        payload = base64.b64encode(bytes(range(160)) * (self.frame_bytes // 160)).decode()
        number_type = type(self.media["chunk"])
        texts = []
        for number in range(1, EVENTS_PER_ROUND + 1):
            media = {**self.media, "chunk": number_type(number), "payload": payload}
            media["timestamp"] = str(self.frame_ms * number)
            event = {"event": "media", "sequenceNumber": str(number), "media": media}
            texts.append(json.dumps({**event, **self._stream()}))
        return texts

    def _stream(self) -> dict[str, Any]:
        keys = ("streamSid", "stream_id", "streamId", "stream_sid")
        inner = self.start["start"]
        return {key: self.start.get(key, inner.get(key)) for key in keys if key in inner} or {
            key: self.start[key] for key in keys if key in self.start
        }

    def wire(self) -> CarrierWire:
        """A call that has started."""
        wire = make_wire(self.name)
        wire.receive_text(json.dumps({"event": "start", **self.start}), 0.0)
        return wire


SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
TWILIO = {"streamSid": SID, "callSid": "CA1", "accountSid": "AC1"}
TELNYX_FORMAT = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
PLIVO_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000}
PLIVO = {"callId": "c1", "streamId": SID, "mediaFormat": PLIVO_FORMAT}
EXOTEL_FORMAT = {"encoding": "audio/x-raw", "sample_rate": "8000"}
EXOTEL = {"stream_sid": SID, "call_sid": "CA1", "media_format": EXOTEL_FORMAT}
INBOUND = {"track": "inbound", "chunk": "1"}
CASES = [
    Case("Twilio, mu-law", "twilio", {"streamSid": SID, "start": TWILIO}, INBOUND, 160),
    Case(
        "Telnyx, mu-law",
        "telnyx",
        {"stream_id": SID, "start": {"call_control_id": "v3:1", "media_format": TELNYX_FORMAT}},
        INBOUND,
        160,
    ),
    Case("Plivo, mu-law", "plivo", {"start": PLIVO}, {"track": "inbound", "chunk": 1}, 160),
    Case("Exotel, L16", "exotel", {"stream_sid": SID, "start": EXOTEL}, {"chunk": "1"}, 1_600, 100),
]


def round_us(work: list[Any], call: Any) -> float:
    """Microseconds for each item of one round."""
    started = time.perf_counter()
    for item in work:
        call(*item)
    return 1e6 * (time.perf_counter() - started) / len(work)


def measure(case: Case, rounds: int) -> dict[str, Any]:
    texts = case.texts()
    heard = case.wire().receive_text(texts[0], 0.0)
    assert len(heard) == 1, heard
    incoming = [(text, number * case.frame_ms / 1_000) for number, text in enumerate(texts)]
    outgoing = [(bytes(case.frame_bytes),)] * EVENTS_PER_ROUND
    into = [round_us(incoming, case.wire().receive_text) for _ in range(rounds)]
    out = [round_us(outgoing, case.wire().audio) for _ in range(rounds)]
    return {
        "carrier": case.label,
        "frame_bytes": case.frame_bytes,
        "in_us": round(min(into), 2),
        "out_us": round(min(out), 2),
        "noise_percent": noise_percent(into),
    }


def line(row: Row) -> str:
    return (
        f"{row['carrier']:<15} {row['frame_bytes']:>5} bytes: in {row['in_us']:.2f} us/event, "
        f"out {row['out_us']:.2f} us/event"
    )


def main() -> None:
    options = read_options(__doc__, rounds=100)
    rows = [measure(case, options.rounds) for case in CASES]
    print_rows(rows, line, as_json=options.json)
    if not options.json:
        print_noise(rows, options.rounds, f"{EVENTS_PER_ROUND} events")


if __name__ == "__main__":
    main()
