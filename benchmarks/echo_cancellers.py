"""Which wheel from PyPI takes the loudspeaker best out of the microphone: echo taken, voice kept, CPU, size.

    pip install livekit pywebrtc-audio pyaec
    python benchmarks/echo_cancellers.py

A recorded voice is played for 30 s and comes back at -10 dB, 40 ms late, over paths that get worse. Shown for each
wheel that is installed: how far the echo was taken down (ERLE, dB) in the first three seconds and after, how many
seconds after the third had a frame of echo above -50 dBFS (an agent may take it for a word), how much of a second
voice over the first got through (dB), the CPU time of a 10 ms frame, and what the wheel takes on the disk.

Not measured: `aec-audio-processing` and `webrtc-audio-processing` have no wheels for Linux, `speexdsp` none at all;
`webrtc-noise-gain` cancels no echo.
"""

import importlib
import importlib.metadata
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge.batch.audio_file import read_audio
from bridge_codecs.pcm import Int16

Float64: TypeAlias = NDArray[np.float64]
Process: TypeAlias = Callable[[Int16, Int16], Int16]
"""What the microphone heard and what was played meanwhile, 10 ms each; what is left of the microphone's."""

RATE_HZ: Final = 16_000
FRAME: Final = RATE_HZ // 100
DURATION_S: Final = 30
DELAY_MS: Final = 40
ECHO_DB: Final = -10.0
NOISE_DBFS: Final = -65.0
RECORDINGS: Final = Path(__file__).parents[1] / "bridge" / "assets" / "recordings"
VOICE: Final = ("afternoon", "appointment", "elephants", "hours")
SECOND_VOICE: Final = "monday"
SECOND_AT_S: Final = (8, 14, 20, 26)


def livekit_() -> Process:
    """The module inside LiveKit's own SDK."""
    frame_of: Any = importlib.import_module("livekit.rtc").AudioFrame
    module: Any = importlib.import_module("livekit.rtc.apm").AudioProcessingModule(
        echo_cancellation=True, noise_suppression=True, high_pass_filter=True
    )

    def process(heard: Int16, played: Int16) -> Int16:
        module.process_reverse_stream(frame_of(played.tobytes(), RATE_HZ, 1, FRAME))
        module.set_stream_delay_ms(DELAY_MS)
        frame = frame_of(bytearray(heard.tobytes()), RATE_HZ, 1, FRAME)
        module.process_stream(frame)
        return np.frombuffer(frame.data, np.int16)

    return process


def pywebrtc_audio_() -> Process:
    """The same module in a wheel of its own."""
    processor: Any = importlib.import_module("pywebrtc_audio").AudioProcessor(
        sample_rate=RATE_HZ,
        echo_cancellation=True,
        noise_suppression=True,
        high_pass_filter=True,
        stream_delay_ms=DELAY_MS,
    )
    process: Process = processor.process
    return process


def pyaec_() -> Process:
    """Speex's canceller and noise suppression."""
    canceller: Any = importlib.import_module("pyaec").Aec(FRAME, 20 * FRAME, RATE_HZ, True)

    def process(heard: Int16, played: Int16) -> Int16:
        return np.array(canceller.cancel_echo(heard, played), np.int16)

    return process


WHEELS: Final = {"livekit": livekit_, "pywebrtc-audio": pywebrtc_audio_, "pyaec": pyaec_}


def main() -> None:
    voice, second = voices()
    print(
        f"{'path':16} {'wheel':16} {'ERLE 0-3 s':>10} {'3-30 s':>7} {'loud s':>7} {'second voice':>13} "
        f"{'CPU/10 ms':>10}"
    )
    for path, echo in paths(voice):
        for name, make in WHEELS.items():
            try:
                importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
            print(f"{path:16} {name:16} {row(make, voice, echo, second)}")
    for name in WHEELS:
        print(f"{name:16} {on_disk(name)}")


def row(make: Callable[[], Process], voice: Float64, echo: Float64, second: Float64) -> str:
    noise = np.random.default_rng(2).normal(size=voice.size) * 10 ** (NOISE_DBFS / 20)
    begin_s = time.process_time()
    left = run(make(), voice, echo + noise)
    cpu_us = (time.process_time() - begin_s) / (left.size / FRAME) * 1e6
    after = slice(3 * RATE_HZ, None)
    levels = np.array([level_db(frame) for frame in left[after].reshape(-1, FRAME)])
    loud_s = np.count_nonzero(levels.reshape(-1, 100).max(axis=1) > -50)
    both = run(make(), voice, echo + noise + second)
    spoken = second != 0
    kept_db = level_db(both[spoken]) - level_db(second[spoken])
    erle = [level_db(echo[part]) - level_db(left[part]) for part in (slice(0, 3 * RATE_HZ), after)]
    return f"{erle[0]:10.1f} {erle[1]:7.1f} {loud_s:7} {kept_db:13.1f} {cpu_us:7.0f} us"


def run(process: Process, voice: Float64, heard: Float64) -> Float64:
    played, mixed = to_pcm(voice), to_pcm(heard)
    parts = [
        process(mixed[at : at + FRAME], played[at : at + FRAME])
        for at in range(0, played.size, FRAME)
    ]
    return np.concatenate(parts) / 32_768


def paths(voice: Float64) -> Iterator[tuple[str, Float64]]:
    delayed = np.concatenate((np.zeros(DELAY_MS * RATE_HZ // 1000), voice))[: voice.size]
    yield "air", at_level(delayed, voice)
    room = at_level(in_room(delayed), voice)
    yield "room", room
    yield (
        "room, moved",
        np.concatenate((room[: room.size // 2], np.roll(room, 320)[room.size // 2 :])),
    )
    at = np.arange(voice.size)
    yield "room, 100 ppm", np.interp(at * (1 - 1e-4), at, room)
    yield "room, overdriven", at_level(in_room(np.tanh(4 * delayed)), voice)


def in_room(sound: Float64) -> Float64:
    """Reverberation of 0.2 s behind the direct sound."""
    at = np.arange(RATE_HZ // 5)
    tail = 0.3 * np.random.default_rng(1).normal(size=at.size) * np.exp(-at / (0.03 * RATE_HZ))
    tail[0] = 1.0
    n = 1 << (sound.size + tail.size - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, n) * np.fft.rfft(tail, n), n)[: sound.size]


def at_level(echo: Float64, voice: Float64) -> Float64:
    wanted = 10 ** ((level_db(voice) + ECHO_DB) / 20)
    return echo * (wanted / 10 ** (level_db(echo) / 20))


def voices() -> tuple[Float64, Float64]:
    """The voice that is played, without a pause, and the one that speaks over it now and then."""
    n_samples = DURATION_S * RATE_HZ
    voice = np.resize(np.concatenate([recording(name) for name in VOICE]), n_samples)
    second = np.zeros(n_samples)
    spoken = 0.6 * recording(SECOND_VOICE)
    for at_s in SECOND_AT_S:
        second[at_s * RATE_HZ :][: spoken.size] = spoken
    return voice, second


def recording(name: str) -> Float64:
    samples: Float64 = read_audio(RECORDINGS / f"{name}.flac", RATE_HZ).samples.astype(np.float64)
    return 0.5 * samples / float(np.abs(samples).max())


def to_pcm(sound: Float64) -> Int16:
    return np.clip(np.rint(32_768 * sound), -32_768, 32_767).astype(np.int16)


def level_db(sound: Float64) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-14))


def on_disk(name: str) -> str:
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    size = sum(Path(str(file.locate())).stat().st_size for file in files)
    return f"{importlib.metadata.version(name)}, {size / 1e6:.1f} MB on the disk"


if __name__ == "__main__":
    main()
