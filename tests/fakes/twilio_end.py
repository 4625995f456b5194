"""The carrier's end of a Twilio stream, for tests of the leg: a buffer that plays in real time, and an ear behind it.

Messages are written by hand after the vendor's page; the ear knows to the sample what was played when.
"""

import asyncio
import base64
import json
from dataclasses import dataclass, field

import numpy as np

from bridge.legs.media_socket import MediaSocket
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16, silence

RATE_HZ = 8_000
FRAME = 160


@dataclass
class TwilioEnd:
    """Plays the carrier on its end of a socket pair.

    ``way_s`` is how long each message takes either way; `stall` holds all of them up.
    """

    socket: MediaSocket
    way_s: float = 0.0
    echoes_marks: bool = True
    played: list[tuple[float, Int16]] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    sent_frames: int = 0

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._free_s = 0.0
        self._stalled_until_s = 0.0
        self._pending: list[tuple[str, asyncio.TimerHandle]] = []
        self._speaking: asyncio.Task[None] | None = None
        self.socket.start(self)
        self._send(event="connected", protocol="Call", version="1.0.0")
        self._send(
            event="start",
            sequenceNumber="1",
            streamSid="MZ1",
            start={
                "accountSid": "AC1",
                "streamSid": "MZ1",
                "callSid": "CA1",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {"who": "test"},
            },
        )

    @property
    def now(self) -> float:
        return self.loop.time()

    # What the leg says

    def on_text(self, text: str) -> None:
        self._deliver(self._take, json.loads(text))

    def on_bytes(self, data: bytes) -> None:
        raise AssertionError("Twilio takes no binary messages")

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def _take(self, message: dict[str, object]) -> None:
        assert message["streamSid"] == "MZ1"
        match message:
            case {"event": "media", "media": {"payload": str(payload)}}:
                self._play(decode_ulaw(base64.b64decode(payload, validate=True)))
            case {"event": "mark", "mark": {"name": str(name)}}:
                self.marks.append(name)
                due_s = max(self.now, self._free_s)
                self._pending.append((name, self.loop.call_at(due_s, self._reached, name)))
            case {"event": "clear"}:
                self._clear()
            case _:
                raise AssertionError(f"Twilio knows no {message}")

    def _play(self, samples: Int16) -> None:
        at_s = max(self.now, self._free_s)
        self.played.append((at_s, samples))
        self._free_s = at_s + samples.size / RATE_HZ

    def _reached(self, name: str) -> None:
        self._pending = [(pending, timer) for pending, timer in self._pending if pending != name]
        if self.echoes_marks:
            self._send(event="mark", sequenceNumber="9", streamSid="MZ1", mark={"name": name})

    def _clear(self) -> None:
        self.clears.append(self.now)
        kept = []
        for at_s, samples in self.played:
            n = round((self.now - at_s) * RATE_HZ)
            if n > 0:
                kept.append((at_s, samples[:n]))
        self.played = kept
        self._free_s = self.now
        for name, timer in list(self._pending):
            timer.cancel()
            self._reached(name)

    # What the carrier does

    def stall(self, seconds: float) -> None:
        """Nothing goes through from now on for so long, and then all at once."""
        self._stalled_until_s = self.now + seconds

    def media(self, samples: Int16) -> None:
        """One media event."""
        self.sent_frames += 1
        self._send(
            event="media",
            sequenceNumber=str(self.sent_frames + 1),
            streamSid="MZ1",
            media={
                "track": "inbound",
                "chunk": str(self.sent_frames),
                "timestamp": str(20 * (self.sent_frames - 1)),
                "payload": base64.b64encode(encode_ulaw(samples)).decode(),
            },
        )

    async def speak(self, samples: Int16) -> None:
        """The caller's voice at real tempo."""
        for begin in range(0, samples.size - FRAME + 1, FRAME):
            self.media(samples[begin : begin + FRAME])
            await asyncio.sleep(0.02)

    async def quiet(self, seconds: float) -> None:
        await self.speak(silence(round(seconds * RATE_HZ)))

    async def tone(self, seconds: float, hz: float = 300.0, level: float = 8_000.0) -> None:
        at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        await self.speak((level * np.sin(2 * np.pi * hz * at)).astype(np.int16))

    def press(self, digit: str) -> None:
        self._send(
            event="dtmf",
            sequenceNumber="9",
            streamSid="MZ1",
            dtmf={"track": "inbound_track", "digit": digit},
        )

    def stop(self) -> None:
        self._send(event="stop", streamSid="MZ1", stop={"accountSid": "AC1", "callSid": "CA1"})
        self._deliver(self.socket.close, 1000)

    # The ear

    @property
    def heard_s(self) -> float:
        """Audio of the agent played so far, s."""
        return self.heard_samples / RATE_HZ

    @property
    def heard_samples(self) -> int:
        now = self.now
        return sum(
            min(samples.size, max(0, round((now - at_s) * RATE_HZ)))
            for at_s, samples in self.played
        )

    def ear(self, from_s: float, to_s: float) -> Int16:
        """What the caller heard between two instants; silence where nothing was played."""
        heard = silence(round((to_s - from_s) * RATE_HZ))
        for at_s, samples in self.played:
            begin = round((at_s - from_s) * RATE_HZ)
            first, last = max(0, begin), min(heard.size, begin + samples.size)
            if first < last:
                heard[first:last] = samples[first - begin : last - begin]
        return heard

    def _send(self, **message: object) -> None:
        self._deliver(self.socket.send_text, json.dumps(message))

    def _deliver(self, what: object, *arguments: object) -> None:
        """After the way, in order, and not while the network stalls."""
        assert callable(what)
        at_s = max(self.now + self.way_s, self._stalled_until_s)
        if at_s <= self.now:
            what(*arguments)
        else:
            self.loop.call_at(at_s, what, *arguments)
