"""The load: calls that send packets encoded beforehand, and time what comes back without decoding it."""

import asyncio
import random
from collections.abc import Sequence

import numpy as np
import soundfile

from bridge.audio.lane import Lane
from bridge.legs.webrtc.beat import beat_of
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.opus import make_encoder
from bridge.legs.webrtc.peer import Peer
from bridge.legs.webrtc.voice import Sender, Voice
from bridge_codecs.opus_packet import CLOCK_HZ
from bridge_codecs.resample import Resampler

OPTIONS = RtcOptions(addresses=("127.0.0.1",))
RATE_HZ = 24_000


def speech_packets(path: str) -> list[bytes]:
    """A recording as packets of 20 ms."""
    samples, rate_hz = soundfile.read(path, dtype="int16")
    resampler = Resampler(rate_hz, RATE_HZ)
    samples = np.concatenate([resampler.push(samples), resampler.flush()])
    encoder = make_encoder(RATE_HZ, 28_000)
    n = encoder.frame_samples
    return [encoder.encode(samples[i : i + n]) for i in range(0, samples.size - n, n)]


class Replay(Voice):
    """A voice that encodes nothing."""

    def __init__(self, packets: Sequence[bytes]) -> None:
        super().__init__(Lane(RATE_HZ, 100, "drop_oldest"))
        self._packets = packets
        self._index = random.randrange(len(packets))
        self._to: Sender | None = None
        self._n = 0

    def attach(self, sender: Sender) -> None:
        """See Voice."""
        self._to = sender
        beat_of(asyncio.get_running_loop()).add(self)

    def beat(self, due_s: float) -> None:
        """See Voice."""
        if self._to is not None:
            late_ms = 1000 * (asyncio.get_running_loop().time() - due_s)
            self.figures.late_max_ms = max(self.figures.late_max_ms, late_ms)
            self._index += 1
            self._n += 1
            self._to.send(self._packets[self._index % len(self._packets)], 960 * self._n)

    def close(self) -> None:
        """See Voice."""
        self._to = None
        beat_of(asyncio.get_running_loop()).remove(self)


class LoadCall:
    """One call, and when its packets came."""

    def __init__(self, packets: Sequence[bytes]) -> None:
        self._loop = asyncio.get_running_loop()
        self._peer = _Timed(OPTIONS, name="load")
        self._voice = Replay(packets)
        self._peer.say(self._voice)
        self._peer.hear(lambda _samples: None)

    async def offer(self) -> str:
        """An offer of a track each way."""
        self._peer.expect_audio()
        self._peer.speak()
        return await self._peer.offer()

    async def accept(self, answer: str) -> None:
        """Connect."""
        up = asyncio.Event()
        self._peer.on_state = lambda state: up.set() if state == "connected" else None
        await self._peer.accept(answer)
        await asyncio.wait_for(up.wait(), 20)

    def take_own_lateness(self) -> float:
        """How late the load itself was at most since the last time, ms."""
        late_ms, self._voice.figures.late_max_ms = self._voice.figures.late_max_ms, 0.0
        return late_ms

    def take_transits(self) -> list[float]:
        """Arrival less timestamp of each packet since the last time, s."""
        taken, self._peer.transits = self._peer.transits, []
        return taken

    async def close(self) -> None:
        """End."""
        self._voice.close()
        await self._peer.close()


class _Timed(Peer):
    """Notes when packets come instead of decoding them."""

    def __init__(self, options: RtcOptions, *, name: str) -> None:
        super().__init__(options, name=name)
        self.transits: list[float] = []

    def _put(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:  # noqa: ARG002
        self.transits.append(self._loop.time() - timestamp / CLOCK_HZ)
