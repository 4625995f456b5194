"""What we say to a peer: frames of 20 ms from a lane, encoded when they are due and sent at once.

Sources: reference webrtc 5 (how to replace the send path), design 4. Nothing waits between the lane and the network, so
an interruption is heard as soon as the lane is empty. The ledger is told what was sent and for when. Where there is
nothing to say, a packet of silence goes out that was encoded once for all: silence costs no encoding.

What comes live, frame by frame, must not fall behind: each hiccup on its way would leave a frame more in the lane for
the rest of the call. A frame that has been spare for a while is passed over in the next quiet moment.

What was said before anybody listened may be sent ahead of its time, at twice the tempo and with the timestamps it has
in the stream: a receiver that plays at once has it at once, one that plays in real time keeps it, and plays faster
until it has caught up. How far ahead is bounded, because receivers keep 4 s at most before they throw away.

A voice belongs to a call and outlives connections: it is attached to one after the other.
"""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.beat import FRAME_S, beat_of
from bridge.legs.webrtc.opus import make_encoder
from bridge_codecs.opus_packet import CLOCK_HZ
from bridge_codecs.pcm import Int16

BITRATE: Final = 28_000
TAIL_FRAMES: Final = 3
"""Silence that is encoded after speech, so that the packet that is repeated then begins from rest."""
LOOK_FRAMES: Final = 25
"""A frame is spare that was not needed for so many."""
LIVE_MS: Final = 300.0
"""A lane that never holds more is live; speech that is made ahead of time is not shortened."""
QUIET: Final = 100
"""Samples up to this may be passed over: -50 dBFS."""
WAITING_MS: Final = 60.0
"""Nothing is sent ahead of its time but what has more than this behind it."""
LATE_MS: Final = 40.0
"""A frame that goes out later than this after its instant counts as late."""
_SETTLED_FRAMES: Final = 12
_LOSS_EVERY: Final = 50
_NOTHING: Final = np.zeros(0, np.int16)


class Sender(Protocol):
    """Takes packets to one peer."""

    @property
    def loss_percent(self) -> int:
        """How much of what is sent the peer says it loses."""
        ...

    def send(self, payload: bytes, timestamp: int) -> None:
        """Send a packet; `timestamp` counts at 48 kHz, 32 bits. Never waits."""
        ...


@dataclass(slots=True)
class VoiceFigures:
    """Counts of frames of 20 ms."""

    sent: int = 0
    encoded: int = 0
    """Of these; the rest was silence."""
    late_max_ms: float = 0.0
    """The latest frame, ms after its instant."""
    late: int = 0
    """Frames that went out more than `LATE_MS` after their instant."""
    underruns: int = 0
    """How often the lane ran dry within an utterance."""
    first_s: float | None = None
    """When the first frame that came from the lane was due, loop time."""
    ahead_ms: float = 0.0
    """How far ahead of time the stream is."""
    passed_over: int = 0
    """Quiet frames that were not sent, to catch up; not among the others."""


class Voice:
    """Pulls from a lane at its rate, which is one of Opus's, and reports to the lane's ledger.

    Args:
        lane: what is to be said; nobody else may pull from it.
        bitrate: bit/s.
        recorder: is told what is sent and when it plays.
        ahead_ms: how far ahead of time the stream may get where much waits; at 0 all is sent in its time.
    """

    def __init__(
        self,
        lane: Lane,
        *,
        bitrate: int = BITRATE,
        recorder: Recorder | None = None,
        ahead_ms: float = 0.0,
    ) -> None:
        self.muted = False
        """The peer does not want to hear us: silence goes out, and time goes on as if it heard."""
        self.held = False
        """Nothing is taken from the lane for now."""
        self.figures = VoiceFigures()
        self._lane = lane
        self._recorder = recorder
        self._ahead_max_ms = ahead_ms
        self._encoder = make_encoder(lane.rate_hz, bitrate)
        self._silence = _silence_packet(lane.rate_hz, bitrate)
        self._frame = self._encoder.frame_samples
        self._zeros = np.zeros(self._frame, np.int16)
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._beat = beat_of(self._loop)
        self._sender: Sender | None = None
        self._closed = False
        self._tail = 0
        self._gapless = False
        """Whether what is sent next plays right after what was sent before."""
        self._loss = 0
        self._looked = 0
        self._least = self._most = 0
        """What the lane held after each frame, since the last look, samples."""

    def attach(self, sender: Sender) -> None:
        """Speak to this peer from now on, and to nobody else; a voice that is closed speaks to nobody."""
        if self._closed:
            return
        if self._sender is None:
            self._beat.add(self)
        self._sender = sender

    def detach(self, sender: Sender | None = None) -> None:
        """Speak to nobody; with a sender given, only if it is the one attached. What is in the lane waits."""
        if self._sender is not None and sender in (None, self._sender):
            self._sender = None
            self._gapless = False
            self._beat.remove(self)

    def clear(self) -> None:
        """What was taken from the lane is dropped: there is nothing, but the next frame begins a new stretch."""
        self._gapless = False

    def close(self) -> None:
        """Be silent for good; may be called again."""
        self._closed = True
        self.detach()

    def beat(self, due_s: float) -> None:
        """Send the frame that is due; called by the beat of the loop."""
        sender = self._sender
        if sender is None:
            return
        figures = self.figures
        now_s = self._loop.time()
        late_ms = 1000 * (now_s - due_s)
        figures.late_max_ms = max(figures.late_max_ms, late_ms)
        figures.late += late_ms > LATE_MS
        if figures.sent % _LOSS_EVERY == 0 and sender.loss_percent != self._loss:
            self._loss = sender.loss_percent
            self._encoder.expect_loss(self._loss)
        self._send(sender, due_s, now_s)
        if figures.ahead_ms < self._ahead_max_ms and self._lane.depth_ms > WAITING_MS:
            figures.ahead_ms += 1000 * FRAME_S
            self._send(sender, due_s, now_s)

    def _send(self, sender: Sender, due_s: float, now_s: float) -> None:
        self.figures.sent += 1
        packet = self._packet(_NOTHING if self.held else self._taken(due_s, now_s))
        at_s = due_s - self._start_s + self.figures.ahead_ms / 1000
        sender.send(packet, round(at_s * CLOCK_HZ) & 0xFFFF_FFFF)

    def _taken(self, due_s: float, now_s: float) -> Int16:
        """The lane's next frame; shorter at the end of a segment."""
        lane = self._lane
        samples = lane.pull(self._frame)
        if not samples.size:
            self.figures.underruns += self._gapless and lane.segment_open
            self._gapless = False
            self._looked = 0
            return samples
        if self.figures.first_s is None:
            self.figures.first_s = due_s
        lane.ledger.sent(samples.size, due_s)
        if self._has_spare() and not _is_loud(samples):
            self.figures.passed_over += 1
            self._looked = 0
            samples = lane.pull(self._frame)
            lane.ledger.sent(samples.size, due_s)
        if self._recorder is not None:
            self._recorder.sent(samples, plays_in_s=None if self._gapless else due_s - now_s)
        self._gapless = samples.size == self._frame
        return samples

    def _has_spare(self) -> bool:
        """Whether the lane is live, and has held a frame more than was needed for a while."""
        depth = self._lane.depth_samples
        if not self._looked:
            self._least = self._most = depth
        self._least = min(self._least, depth)
        self._most = max(self._most, depth)
        self._looked += 1
        live = self._most <= LIVE_MS * self._lane.rate_hz / 1000 and self._lane.segment_open
        if not live or (self._looked >= LOOK_FRAMES and self._least < self._frame):
            self._looked = 0
        return self._looked >= LOOK_FRAMES

    def _packet(self, samples: Int16) -> bytes:
        """A frame as a packet, filled up with silence."""
        if samples.size and not self.muted and samples.any():
            self._tail = TAIL_FRAMES
            if samples.size < self._frame:
                samples = np.concatenate((samples, self._zeros[samples.size :]))
        elif self._tail:
            self._tail -= 1
            samples = self._zeros
        else:
            return self._silence
        self.figures.encoded += 1
        return self._encoder.encode(samples)


def _is_loud(samples: Int16) -> bool:
    return bool(samples.max() > QUIET or samples.min() < -QUIET)


@cache
def _silence_packet(rate_hz: int, bitrate: int) -> bytes:
    """What an encoder makes of silence that has lasted."""
    encoder = make_encoder(rate_hz, bitrate)
    zeros = np.zeros(encoder.frame_samples, np.int16)
    for _ in range(_SETTLED_FRAMES):
        encoder.encode(zeros)
    return encoder.encode(zeros)
