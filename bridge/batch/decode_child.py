"""Decodes one audio file in a process of its own: what breaks in here harms nobody.

Run as a script by `bridge.batch.audio_file`: the file is standard input (already open, so no name
is ever interpreted), `argv[1]` the greatest duration in seconds. On standard output come
records of one kind octet, a 4-octet big-endian length and that many octets: `H` a JSON header
{rate_hz, channels, format}, `A` float32 little-endian samples of the left channel, and one `E`, a
JSON ending {error, note}. Imports nothing of ours, so that it starts quickly.

libsndfile is tried first, FFmpeg second. The process gives itself 16 MB above what the libraries
map and 0.9 s of CPU time from one record to the next; the system ends it when it takes more.
"""

import contextlib
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

MEMORY_BYTES: Final = 16 << 20
CPU_S_PER_RECORD: Final = 0.9
MAX_CHANNELS: Final = 32
MIN_RATE_HZ: Final = 1_000
MAX_RATE_HZ: Final = 384_000
BLOCK_FRAMES: Final = 1 << 15
UNKNOWN_FRAMES: Final = 1 << 62
"""libsndfile gives a length of this order when the file says none."""

# FFmpeg guesses a format from the content; playlists and the like, which open further addresses,
# are not in this list, and the one protocol allowed is the file object it is given.
AV_FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mp3,mov,mp4,m4a,3gp,3g2,mj2,"
    "mpeg,mpegts,ogg,rm,tak,tta,voc,w64,wav,wv"
)


class Undecodable(Exception):  # noqa: N818 - what happened, for this file alone
    """The file is no audio, or none that may be read; the text says why."""


class Damaged(Undecodable):
    """The file ends before it said it would."""


class Sink:
    """Writes records to standard output and re-arms the CPU timer with each."""

    def __init__(self, out: BinaryIO, max_s: float) -> None:
        self.n_frames = 0
        self._out = out
        self._max_s = max_s
        self._rate_hz = 1
        self._header = b""

    def header(self, rate_hz: int, channels: int, name: str) -> None:
        """Say what is coming; goes out with the first samples. Raises: Undecodable."""
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise Undecodable(f"it claims {rate_hz} samples a second")
        if not 1 <= channels <= MAX_CHANNELS:
            raise Undecodable(f"it claims {channels} channels")
        self._rate_hz = rate_hz
        body = {"rate_hz": rate_hz, "channels": channels, "format": name}
        self._header = json.dumps(body).encode()

    def audio(self, left: Any) -> None:
        """Float32 samples of the left channel. Raises: Undecodable past the greatest duration."""
        self.n_frames += len(left)
        self.check_duration(self.n_frames)
        if self._header:
            self.record(b"H", self._header)
            self._header = b""
        self.record(b"A", left.astype("<f4").tobytes())

    def check_duration(self, n_frames: int) -> None:
        """Raises: Undecodable when so many frames are longer than may be."""
        if n_frames / self._rate_hz > self._max_s:
            raise Undecodable(f"it is longer than {self._max_s / 3600:g} h")

    def record(self, kind: bytes, body: bytes) -> None:
        """One record, out at once."""
        self._out.write(kind + struct.pack(">I", len(body)) + body)
        self._out.flush()
        arm_timer()


def arm_timer() -> None:
    """Die by SIGPROF unless called again within so much CPU time."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, CPU_S_PER_RECORD)


def limit_memory() -> None:
    """Let the process grow by so much from now on, where the system can hold it to that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not everywhere

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(
            resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY_BYTES, hard)
        )
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def lift_memory_limit() -> None:
    """Let libraries be loaded again."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def decode(sink: Sink) -> str:
    """Decode standard input into `sink`; gives a note, or "". Raises: Undecodable."""
    import soundfile  # noqa: PLC0415 - before the memory limit, which counts from what is loaded

    limit_memory()
    arm_timer()
    try:
        with soundfile.SoundFile(0, closefd=False) as sound:
            return _pass_on(
                _sndfile_blocks(sound, sink), sink, (Damaged, soundfile.LibsndfileError)
            )
    except soundfile.LibsndfileError:
        os.lseek(0, 0, os.SEEK_SET)
        return _decode_av(sink)


def _decode_av(sink: Sink) -> str:
    lift_memory_limit()
    import av  # noqa: PLC0415 - a third of the start-up time, for the few files that need it

    limit_memory()
    options = {"format_whitelist": AV_FORMATS, "protocol_whitelist": "pipe"}
    try:
        with av.open(sys.stdin.buffer, options=options, metadata_errors="replace") as container:
            return _pass_on(_av_blocks(container, sink), sink, (av.FFmpegError, ValueError))
    except av.FFmpegError as exc:
        raise Undecodable("it is no audio that libsndfile or FFmpeg knows") from exc


def _pass_on(blocks: Iterator[Any], sink: Sink, broken: tuple[type[Exception], ...]) -> str:
    """What decodes before the first error is used; an error before any audio is the caller's."""
    try:
        for left in blocks:
            sink.audio(left)
    except broken:
        if not sink.n_frames:
            raise
        return "damaged"
    return ""


def _sndfile_blocks(sound: Any, sink: Sink) -> Iterator[Any]:
    sink.header(sound.samplerate, sound.channels, str(sound.format))
    promised = sound.frames if sound.frames < UNKNOWN_FRAMES else 0
    sink.check_duration(promised)
    # Bounded by bytes: 32 channels of a block would be 4 MB.
    n_frames = max(1, BLOCK_FRAMES // sound.channels)
    while len(block := sound.read(n_frames, dtype="float32", always_2d=True)):
        yield block[:, 0]
    if sink.n_frames < promised:
        raise Damaged("there is no audio in it")


def _av_blocks(container: Any, sink: Sink) -> Iterator[Any]:
    import av  # noqa: PLC0415

    if not container.streams.audio:
        raise Undecodable("there is no audio in it")
    stream = container.streams.audio[0]
    to_planes: Any = None
    rate_hz = 0
    for frame in container.decode(stream):
        if to_planes is None:
            rate_hz = frame.sample_rate
            sink.header(rate_hz, frame.layout.nb_channels, container.format.name.split(",")[0])
            to_planes = av.AudioResampler(format="fltp", layout=frame.layout, rate=rate_hz)
        for planes in to_planes.resample(frame):
            yield planes.to_ndarray()[0]


def main() -> None:
    """Decode, and say at the end how it went."""
    sink = Sink(sys.stdout.buffer, float(sys.argv[1]))
    ending = {"error": "", "note": ""}
    try:
        ending["note"] = decode(sink)
    except Undecodable as exc:
        ending["error"] = str(exc)
    except MemoryError:
        ending["error"] = "decoding it takes more memory than it may"
    except Exception as exc:  # noqa: BLE001 - a decoder's bug is the file's end, not a traceback
        ending["error"] = f"the decoder gave up ({type(exc).__name__})"
    sink.record(b"E", json.dumps(ending).encode())


if __name__ == "__main__":
    main()
