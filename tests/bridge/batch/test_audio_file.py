import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

from bridge.batch import audio_file, wav_reader
from bridge.batch.audio_file import RecordedAudio, read_audio
from bridge.errors import AudioFileError
from tests.fakes.recordings import FORMATS, encoded, encoded_m4a, mutated

LEFT_TAKEN = "stereo: the left one is taken"


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def level_dbfs(audio: RecordedAudio) -> float:
    return float(20 * np.log10(np.sqrt(np.mean((audio.samples / 32_768) ** 2))))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", encoded("WAV", channels=2)),
        ("a24.wav", encoded("WAV", subtype="PCM_24", channels=2)),
        ("float.wav", encoded("WAV", subtype="FLOAT", channels=2)),
        ("ulaw.wav", encoded("WAV", subtype="ULAW", channels=2)),
        ("a.flac", encoded("FLAC", channels=2)),
        ("a.ogg", encoded("OGG", channels=2)),
        ("a.mp3", encoded("MP3", channels=2)),
        ("a.m4a", encoded_m4a()),
        ("a.w64", encoded("W64", channels=2)),
        ("a.rf64", encoded("RF64", channels=2)),
        ("wrong-name.wav", encoded("FLAC", channels=2)),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else ""
    ),  # a child cannot inherit a name of 100 KB
)
@pytest.mark.parametrize("rate_hz", [8_000])
def test_any_format_becomes_its_left_channel_at_the_asked_rate(
    tmp_path: Path, name: str, content: bytes, rate_hz: int
) -> None:
    audio = read_audio(put(tmp_path, name, content), rate_hz)

    assert audio.duration_s == pytest.approx(1, abs=0.06)
    assert audio.samples.size == pytest.approx(audio.duration_s * rate_hz, abs=1)
    assert audio.samples.dtype == np.int16
    assert level_dbfs(audio) == pytest.approx(-13.5, abs=0.3)
    assert audio.note == LEFT_TAKEN


def test_a_mono_file_at_the_asked_rate_comes_back_sample_for_sample(tmp_path: Path) -> None:
    samples = np.random.default_rng(3).integers(-32_768, 32_768, 100_001).astype(np.int16)
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, samples, 8_000, subtype="PCM_16")

        audio = read_audio(tmp_path / name, 8_000)

        assert np.array_equal(audio.samples, samples)
        assert audio.note == ""


def wav(data: bytes, *, rate_hz: int = 8_000, channels: int = 1, bits: int = 16) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, 0, 0, bits)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data


CRAFTED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "one-octet": (b"R", "no audio"),
    "text": (b"this is a letter, no sound\n" * 400, "no audio"),
    "zeros": (bytes(100_000), "no audio"),
    "noise": (random.Random(1).randbytes(100_000), "no audio"),
    "png": (b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(5_000), "no audio"),
    "playlist": (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "no audio"),
    "head-only": (encoded("WAV")[:12], "ends before"),
    "no-data": (encoded("WAV")[:36], "ends before"),
    "no-samples": (wav(b""), "no audio in it"),
    "one-sample": (wav(b"\1\0", rate_hz=44_100), "no audio in it"),
    "no-rate": (wav(b"\1\0" * 100, rate_hz=0), "0 samples a second"),
    "absurd-rate": (wav(b"\1\0" * 100, rate_hz=4_000_000_000), "4000000000 samples"),
    "absurd-channels": (wav(b"\1\0" * 70_000, channels=65_535), "65535 channels"),
    "seven-bits": (wav(b"\1\0" * 100, bits=7), "7 bits"),
    "chunk-bomb": (b"RIFF\0\0\0\0WAVE" + b"LIST\0\0\0\0" * 100_000, "chunks"),
    "flac-head": (encoded("FLAC")[:60], "no audio"),
    "ogg-head": (encoded("OGG")[:100], "no audio"),
    "flac-lying": (encoded("FLAC")[:18] + b"\xff" * 8 + encoded("FLAC")[26:], "no audio"),
    "m4a-cut": (encoded_m4a()[: len(encoded_m4a()) // 2], "no audio"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_file_is_refused_with_one_sentence_that_names_it(
    tmp_path: Path, name: str
) -> None:
    content, word = CRAFTED[name]
    path = put(tmp_path, f"{name}.wav", content)

    started = time.process_time() + sum(os.times()[2:4])
    with pytest.raises(AudioFileError, match=word) as caught:
        read_audio(path, 8_000)

    assert str(caught.value).startswith(f"{name}.wav: ")
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)
    # CPU time, own and the child's: the wall clock of a busy machine proves nothing.
    assert time.process_time() + sum(os.times()[2:4]) - started <= 1.0


PEAK_MEMORY: Final = """
import resource, sys
from pathlib import Path
from bridge.batch.audio_file import read_audio
from bridge.errors import AudioFileError
try:
    read_audio(Path(sys.argv[1]), 8_000)
except AudioFileError:
    pass
status = Path("/proc/self/status").read_text()
own_kb = int(status.partition("VmHWM:")[2].split()[0])
print(own_kb, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

COVER: Final = b"ID3\x04\0\0\x07\x7f\x7f\x7f" + b"APIC\x07\x7f\x7f\x70\0\0\0image/png\0\3\0"
BOMBS: Final = {
    "cover.mp3": COVER + bytes(16 << 20) + encoded("MP3"),
    "text.wav": b"RIFF\0\0\0\0WAVELIST\0\0\0\1" + bytes(16 << 20) + encoded("WAV")[12:],
    "picture.flac": b"fLaC\6\xff\xff\xff" + bytes(16 << 20),
    "silence.flac": encoded("FLAC", seconds=60),
}


@pytest.mark.parametrize("name", BOMBS)
def test_neither_we_nor_the_decoder_take_64_mb_for_a_hostile_file(
    tmp_path: Path, name: str
) -> None:
    command = [sys.executable, "-c", PEAK_MEMORY, str(put(tmp_path, name, BOMBS[name]))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert all(int(peak_kb) <= 64 << 10 for peak_kb in done.stdout.split())


@pytest.mark.parametrize("what", ["missing.wav", "."])
def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path, what: str) -> None:
    with pytest.raises(AudioFileError, match=r"no such file|no file, but a folder"):
        read_audio(tmp_path / what, 8_000)


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")

    with pytest.raises(AudioFileError, match="pipe"):
        read_audio(tmp_path / "pipe.wav", 8_000)


def test_a_name_with_nul_is_no_file_name() -> None:
    with pytest.raises(AudioFileError, match="no file name"):
        read_audio(Path("a\0.wav"), 8_000)


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_file_gives_what_is_there_and_says_so(tmp_path: Path, form: str) -> None:
    content = encoded(form, seconds=4, noise=0.1)
    path = put(tmp_path, f"cut.{form.lower()}", content[: len(content) // 2])

    audio = read_audio(path, 8_000)

    assert 1 < audio.duration_s < 3
    assert form in ("OGG", "MP3") or "it is" in audio.note


def test_numbers_that_are_none_become_silence_in_wav_and_elsewhere(tmp_path: Path) -> None:
    sound = np.full(8_000, 0.25, np.float32)
    sound[10:20] = np.nan
    sound[30] = np.inf
    for name in ("a.wav", "a.caf"):
        soundfile.write(tmp_path / name, sound, 8_000, subtype="FLOAT")

        audio = read_audio(tmp_path / name, 8_000)

        assert set(np.unique(audio.samples)) == {0, 8_192}
        assert audio.note == "11 of its samples are no numbers and became silence"


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_the_longest_recording_passes_and_one_sample_more_is_refused(
    tmp_path: Path, name: str
) -> None:
    soundfile.write(tmp_path / name, np.ones(8_001, np.int16), 8_000)

    assert read_audio(tmp_path / name, 8_000, max_s=8_001 / 8_000).samples.size == 8_001
    with pytest.raises(AudioFileError, match="longer than"):
        read_audio(tmp_path / name, 8_000, max_s=1.0)


def test_odd_rates_are_resampled_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "odd.wav", np.full(44_056, 8_000, np.int16), 44_056)

    audio = read_audio(tmp_path / "odd.wav", 16_000)

    assert audio.samples.size == pytest.approx(16_000, abs=1)
    assert int(audio.samples[8_000]) == pytest.approx(8_000, abs=2)


def test_a_decoder_that_never_answers_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = put(tmp_path, "sleeper.py", b"import time; time.sleep(60)")
    monkeypatch.setattr(audio_file, "_CHILD", sleeper)
    monkeypatch.setattr(audio_file, "_CHILD_BASE_S", 0.2)

    with pytest.raises(AudioFileError, match="took too long"):
        read_audio(put(tmp_path, "a.flac", encoded("FLAC")), 8_000)


def check_outcome(path: Path) -> bool:
    """Whether the file was audio; anything but audio or an AudioFileError is a failure."""
    try:
        audio = read_audio(path, 8_000)
    except AudioFileError:
        return False
    assert audio.samples.dtype == np.int16
    assert audio.samples.size
    return True


def test_300_mutated_wavs_are_audio_or_refused(tmp_path: Path) -> None:
    chance = random.Random(12)
    kinds = [encoded("WAV", subtype=s, seconds=0.05) for s in ("PCM_16", "PCM_24", "FLOAT")]
    outcomes = []
    for number in range(300):
        content = mutated(chance.choice(kinds), chance)
        path = put(tmp_path, f"{number}.wav", content)
        # Those that a child must decode have their own test: a process each is too slow for here.
        with path.open("rb") as file:
            try:
                plain = wav_reader.open_plain(file) is not None
            except AudioFileError:
                plain = True
        if plain:
            outcomes.append(check_outcome(path))

    assert len(outcomes) > 200
    assert {True, False} == set(outcomes)


@pytest.mark.parametrize("form", ["FLAC", "OGG", "MP3"])
def test_a_few_mutated_files_of_each_kind_are_audio_or_refused(tmp_path: Path, form: str) -> None:
    chance = random.Random(form)
    content = encoded(form, seconds=0.1)

    for number in range(3):
        check_outcome(put(tmp_path, f"{number}.{form}", mutated(content, chance)))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("form", FORMATS)
def test_10000_mutated_files_are_audio_or_refused(tmp_path: Path, form: str) -> None:
    chance = random.Random(form)
    content = encoded(form, seconds=0.1)
    n_files = 8_500 if form == "WAV" else 500

    for number in range(n_files):
        path = put(tmp_path, f"{number}.{form}", mutated(content, chance))
        check_outcome(path)
        path.unlink()
