"""Echo cancellation, noise suppression and gain control: WebRTC's audio processing module.

It comes from the `livekit` wheel. Compared were the wheels of PyPI that cancel echo and install on Linux, Windows
and macOS without a compiler, with 30 s of a voice that comes back at -10 dB, 40 ms late, from a room whose two
clocks differ by 100 ppm (`benchmarks/echo_cancellers.py`; 16 kHz, one core):

    wheel                  echo taken after 3 s   seconds with a loud rest   CPU per 10 ms   on the disk
    livekit 1.2.0                 40 dB                  1 of 27                 72 µs         31 MB
    pywebrtc-audio 0.2.0          33 dB                  5 of 27                 72 µs          1 MB
    pyaec 1.0.1 (Speex)            9 dB                 27 of 27                113 µs        0.5 MB

With equal clocks the first two are alike (43 to 45 dB). `livekit` keeps its hold when clocks differ, as those of a
microphone and a loudspeaker do, has one wheel for all versions of Python, and is part of a product that is kept up.
In the first two or three seconds none of them takes more than some 10 dB, hence the gate behind it (`echo_gate`).
"""

from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from bridge.errors import MissingExtra
from bridge.legs.device.apm_library import load
from bridge.legs.device.echo_gate import EchoGate
from bridge_codecs.pcm import Int16

RATE_HZ: Final = 16_000
"""Speech has little above 8 kHz, and at 48 kHz the module takes twice the time."""
FRAME_SAMPLES: Final = RATE_HZ // 100
MAX_DELAY_MS: Final = 500
"""More than this the module does not look for."""
WHAT_IS_LEFT: Final = (
    "no echo cancellation is installed (pip install 'tipring[talk]'): use headphones, "
    "--half-duplex or push-to-talk"
)


def is_installed() -> bool:
    """Whether the wheel is there; it is not imported."""
    return find_spec("livekit") is not None and find_spec("livekit.rtc") is not None


class Apm:
    """The module with a gate behind it, for one microphone and one loudspeaker; an `EchoProcessor`.

    Frames are mono int16, shape (160,), at `RATE_HZ`. Not for several threads at once.

    Args:
        noise_suppression: take steady noise away.
        gain_control: bring a quiet voice up.

    Raises: MissingExtra if the wheel is not installed or its library does not load.
    """

    rate_hz = RATE_HZ

    def __init__(self, *, noise_suppression: bool = True, gain_control: bool = True) -> None:
        try:
            self._frame, module = load()
            self._canceller: Any = module(
                echo_cancellation=True,
                noise_suppression=noise_suppression,
                high_pass_filter=True,
            )
            # Behind the gate: it would bring up what is left of the echo, too.
            self._leveller: Any = module(auto_gain_control=True) if gain_control else None
        except ImportError:
            raise MissingExtra(WHAT_IS_LEFT) from None
        self._delay_ms = 0.0
        self.gate = EchoGate()

    def played(self, frame: Int16) -> None:
        """Tell a frame that goes to the loudspeaker.

        Raises: ValueError if it has not 10 ms.
        """
        self._canceller.process_reverse_stream(self._wrapped(frame))
        self.gate.played(frame, self._delay_ms)

    def heard(self, frame: Int16, delay_ms: float) -> Int16:
        """What is left of a frame of the microphone without the echo: as many samples.

        Args:
            frame: as the microphone gave it.
            delay_ms: from `played` of a frame to `heard` of its first echo, as far as the devices tell.

        Raises: ValueError if it has not 10 ms.
        """
        self._delay_ms = min(max(delay_ms, 0.0), MAX_DELAY_MS)
        wrapped = self._wrapped(frame)
        self._canceller.set_stream_delay_ms(round(self._delay_ms))
        self._canceller.process_stream(wrapped)
        passed = self.gate.heard(frame, np.frombuffer(wrapped.data, np.int16))
        if self._leveller is None:
            return passed
        wrapped = self._wrapped(passed)
        self._leveller.process_stream(wrapped)
        return np.frombuffer(wrapped.data, np.int16)

    def close(self) -> None:
        """Give the modules back; nothing may be asked of them then."""
        self._canceller = self._leveller = None

    def _wrapped(self, frame: Int16) -> Any:
        if frame.size != FRAME_SAMPLES:
            raise ValueError(f"a frame has {FRAME_SAMPLES} samples, not {frame.size}")
        return self._frame(bytearray(frame.tobytes()), RATE_HZ, 1, FRAME_SAMPLES)
