"""What we hear of a peer: its packets, in order and in time, decoded.

Sources: reference webrtc 5 (how to replace the receive path), reliability R14. What comes in order is decoded and
passed on as it comes; a timer sees that time goes on when nothing comes. What goes out is gapless, from the first
packet on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.audio.jitter import JitterBuffer
from bridge.audio.jitter_out import Lost, Packet, Release
from bridge.legs.webrtc.opus import Decoder, make_decoder
from bridge_codecs.errors import CodecError
from bridge_codecs.opus_packet import CLOCK_HZ
from bridge_codecs.pcm import Int16

OTHER_AFTER_S: Final = 0.2
"""Another stream takes the place of the one heard when that has been silent for so long."""
_EARLY_S: Final = 0.002
"""A timer may be so much too late before it is set anew."""


@dataclass(slots=True)
class EarFigures:
    """What became of what came."""

    received: int = 0
    """Packets."""
    late: int = 0
    """Packets that came when their time was over."""
    repeated: int = 0
    bad: int = 0
    """Packets that are no Opus."""
    foreign: int = 0
    """Packets of another stream."""
    lost: int = 0
    """Packets that were passed over: they never came, or late."""
    recovered: int = 0
    """Of these: read from the copy in the packet after them."""
    missed_ms: float = 0.0
    """What of the peer's audio was lost and not recovered."""
    concealed_ms: float = 0.0
    silent_ms: float = 0.0
    """Silence for want of anything."""
    depth_ms: float = 0.0
    """How long the last packet had waited."""
    depth_max_ms: float = 0.0
    patience_ms: float = 0.0


class Ear:
    """Hears one peer.

    Args:
        sink: gets mono int16, shape (n,), at ``rate_hz``, gapless in time; it must not wait.
        rate_hz: 8, 12, 16, 24 or 48 kHz.
    """

    def __init__(self, sink: Callable[[Int16], None], rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._decoder: Decoder = make_decoder(rate_hz)
        self._buffer = JitterBuffer()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._ssrc: int | None = None
        self._came_s = 0.0
        self._foreign = 0
        self._broken = 0
        self._recovered = 0
        self._recovered_samples = 0
        self._clock_samples = 0
        self._samples = 0
        self._closed = False

    @property
    def came_s(self) -> float:
        """When the last packet of the stream that is heard came, loop time; 0 before the first."""
        return self._came_s

    @property
    def figures(self) -> EarFigures:
        """So far."""
        counts = self._buffer.figures
        return EarFigures(
            received=counts.received,
            late=counts.late,
            repeated=counts.repeated,
            bad=counts.bad + self._broken,
            foreign=self._foreign,
            lost=counts.missing,
            recovered=self._recovered,
            missed_ms=1000 * max(0, counts.missing_samples - self._recovered_samples) / CLOCK_HZ,
            concealed_ms=1000 * counts.lost_samples / CLOCK_HZ,
            silent_ms=1000 * counts.silent_samples / CLOCK_HZ,
            depth_ms=self._buffer.depth_ms,
            depth_max_ms=counts.depth_max_ms,
            patience_ms=self._buffer.patience_ms,
        )

    def put(self, sequence: int, timestamp: int, payload: bytes, ssrc: int = 0) -> None:
        """An RTP packet of Opus came: its fields as they stand in it."""
        if self._closed:
            return
        now_s = self._loop.time()
        if ssrc != self._ssrc and not self._follow(ssrc, now_s):
            self._foreign += 1
            return
        self._came_s = now_s
        self._buffer.put(sequence, timestamp, payload, now_s)
        self._pump(now_s)

    def close(self) -> None:
        """Hear nothing more; may be called again."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _follow(self, ssrc: int, now_s: float) -> bool:
        """Whether this stream is to be heard from now on."""
        if self._ssrc is not None:
            if now_s - self._came_s < OTHER_AFTER_S:
                return False
            self._buffer.other_stream()
        self._ssrc = ssrc
        return True

    def _pump(self, now_s: float) -> None:
        for release in self._buffer.take(now_s):
            if self._closed:
                return
            self._pass(release)
        self._arm()

    def _arm(self) -> None:
        due_s = self._buffer.due_at
        if due_s is None or self._closed:
            return
        if self._timer is not None:
            if self._timer_s <= due_s + _EARLY_S:
                return  # it will see that it is too early
            self._timer.cancel()
        self._timer_s = due_s
        self._timer = self._loop.call_at(due_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._pump(self._loop.time())

    def _pass(self, release: Release) -> None:
        """Decode, or make up, exactly as many samples as the release is long."""
        self._clock_samples += release.n_samples
        end = self._clock_samples * self.rate_hz // CLOCK_HZ
        n, self._samples = end - self._samples, end
        samples = self._decoded(release)
        if samples is None:
            samples = np.zeros(n, np.int16)
        elif samples.size != n:
            fitted = np.zeros(n, np.int16)
            fitted[: samples.size] = samples[:n]
            samples = fitted
        if n:
            self._sink(samples)

    def _decoded(self, release: Release) -> Int16 | None:
        if isinstance(release, Packet):
            try:
                return self._decoder.decode(release.payload)
            except CodecError:
                self._broken += 1
                return self._decoder.conceal(release.n_samples)
        if isinstance(release, Lost):
            if self._decoder.recovers(release.n_samples, release.fec):
                self._recovered += 1
                self._recovered_samples += release.n_samples
            return self._decoder.conceal(release.n_samples, release.fec)
        return None
