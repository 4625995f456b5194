"""Audio files for tests: good ones in every format, and mutated ones."""

import functools
import io
import random

import av
import numpy as np
import soundfile

FORMATS = ("WAV", "FLAC", "OGG", "MP3")


@functools.cache
def encoded(
    form: str,
    *,
    subtype: str | None = None,
    channels: int = 1,
    seconds: float = 1,
    noise: float = 0,
) -> bytes:
    """A 440 Hz tone at -10 dBFS and noise on the left, silence elsewhere; 44.1 kHz."""
    at = np.arange(round(44_100 * seconds)) / 44_100
    sound = np.zeros((at.size, channels))
    sound[:, 0] = 0.3 * np.sin(2 * np.pi * 440 * at)
    sound[:, 0] += np.random.default_rng(5).normal(0, 1, at.size) * noise
    written = io.BytesIO()
    soundfile.write(written, sound, 44_100, format=form, subtype=subtype)
    return written.getvalue()


@functools.cache
def encoded_m4a() -> bytes:
    """The same tone as AAC in MP4, stereo; libsndfile cannot read it."""
    at = np.arange(44_100) / 44_100
    left = (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44_100)
        stream.layout = "stereo"
        planes = np.ascontiguousarray(np.stack([left, np.zeros_like(left)]))
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written.getvalue()


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with a few octets changed (mostly at the front), dropped, doubled or cut off."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if not made:
            break
        at = chance.randrange(min(len(made), 128) if chance.random() < 0.7 else len(made))
        match chance.randrange(5):
            case 0 | 1:
                made[at] = chance.randrange(256)
            case 2:
                made[at : at + 4] = chance.choice((b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff"))
            case 3:
                del made[at : at + chance.randint(1, 16)]
            case _:
                made[at:at] = made[at : at + chance.randint(1, 64)]
    if chance.random() < 0.3:
        del made[chance.randrange(len(made) + 1) :]
    return bytes(made)
