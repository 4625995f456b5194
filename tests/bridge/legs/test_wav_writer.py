import asyncio
import errno
import io
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.legs import wav_writer
from bridge.legs.wav_writer import HEADER_BYTES, MAX_WAITING_MS, WavFile, WavRecording, wav_header
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000


def ramp(n_samples: int, start: int = 0) -> Int16:
    return (np.arange(start, start + n_samples) % 30_000).astype(np.int16)


def never(sentence: str) -> None:
    raise AssertionError(sentence)


def read(path: Path) -> Int16:
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == RATE_HZ
    return np.asarray(samples, np.int16)


async def job_done(recording: WavRecording) -> None:
    if recording._job is not None:
        await asyncio.wait([recording._job])
        await asyncio.sleep(0)


@pytest.mark.parametrize("channels", [1, 2])
async def test_a_closed_recording_reads_back_sample_for_sample(
    tmp_path: Path, channels: int
) -> None:
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=channels, on_error=never)
    sound = ramp(50_001 * channels).reshape(-1, channels) if channels > 1 else ramp(50_001)

    for at in range(0, len(sound), 160):
        recording.write(sound[at : at + 160])
        if at % 1_600 == 0:
            await asyncio.sleep(0)
    await recording.close()

    assert np.array_equal(read(path), sound)
    with wave.open(str(path)) as second_reader:
        assert second_reader.getnframes() == 50_001
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_recording_of_nothing_is_a_file_without_samples(tmp_path: Path) -> None:
    recording = WavRecording(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1, on_error=never)

    await recording.close()
    await recording.close()

    assert read(tmp_path / "a.wav").size == 0


async def test_what_comes_after_the_close_is_ignored(tmp_path: Path) -> None:
    recording = WavRecording(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1, on_error=never)
    recording.write(ramp(100))
    await recording.close()

    recording.write(ramp(100))
    await recording.close()

    assert read(tmp_path / "a.wav").size == 100


async def test_an_old_file_is_replaced_and_a_link_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    (tmp_path / "a.wav").symlink_to(precious)
    recording = WavRecording(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1, on_error=never)
    recording.write(ramp(10))

    await recording.close()

    assert precious.read_text() == "keep me"
    assert read(tmp_path / "a.wav").size == 10


async def test_a_cancelled_close_finishes_the_file_all_the_same(tmp_path: Path) -> None:
    recording = WavRecording(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1, on_error=never)
    recording.write(ramp(5_000))
    closing = asyncio.ensure_future(recording.close())
    await asyncio.sleep(0)

    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await recording.close()

    assert read(tmp_path / "a.wav").size == 5_000


@pytest.mark.parametrize("n_good", range(1, 8))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
async def test_the_nth_write_that_fails_stops_the_recording_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_good: int, code: int
) -> None:
    n_writes = 0

    def failing_write(descriptor: int, data: bytes) -> int:
        nonlocal n_writes
        n_writes += 1
        # Half of a block goes through before the error, odd octets included.
        if n_writes == n_good:
            return real_write(descriptor, bytes(data)[:333])
        if n_writes == n_good + 1:
            raise OSError(code, os.strerror(code))
        return real_write(descriptor, data)

    real_write = os.write
    errors: list[str] = []
    path = tmp_path / "a.wav"
    monkeypatch.setattr(os, "write", failing_write)
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=2, on_error=errors.append)

    sound = ramp(40_000).reshape(-1, 2)
    for at in range(0, len(sound), 640):
        recording.write(sound[at : at + 640])
        await job_done(recording)
    await recording.close()

    assert errors == [f"a.wav: recording stopped, {os.strerror(code).lower()}"]
    assert recording.stopped
    if n_good > 1:
        kept = read(path)
        assert kept.size
        assert np.array_equal(kept, sound[: len(kept)])
        assert path.stat().st_size == HEADER_BYTES + kept.size * 2


async def test_a_folder_that_is_not_there_stops_the_recording(tmp_path: Path) -> None:
    errors: list[str] = []
    path = tmp_path / "nowhere" / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=errors.append)

    recording.write(ramp(8_000))
    await recording.close()

    assert errors == ["a.wav: recording stopped, no such file or directory"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
async def test_a_device_that_is_always_full_stops_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode: real_open("/dev/full", os.O_WRONLY))
    errors: list[str] = []
    recording = WavRecording(
        tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1, on_error=errors.append
    )

    recording.write(ramp(8_000))
    await recording.close()

    assert errors == ["a.wav: recording stopped, no space left on device"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_disk_that_fills_up_keeps_what_fitted_and_takes_a_new_file_later(
    tiny_disk: Path,
) -> None:
    errors: list[str] = []
    path = tiny_disk / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=errors.append)
    sound = ramp(80_000)

    for at in range(0, sound.size, 800):
        recording.write(sound[at : at + 800])
        await job_done(recording)
    await recording.close()

    kept = read(path)
    assert errors == ["a.wav: recording stopped, no space left on device"]
    assert kept.size > 30_000
    assert np.array_equal(kept, sound[: kept.size])

    path.unlink()
    again = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=never)
    again.write(sound[:8_000])
    await again.close()
    assert read(path).size == 8_000


@pytest.fixture
def stuck_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that takes nothing until it is told to."""
    freed = threading.Event()
    append = WavFile.append

    def wait(file: WavFile, payload: bytes) -> None:
        assert freed.wait(30)
        append(file, payload)

    monkeypatch.setattr(WavFile, "append", wait)
    yield freed
    freed.set()


async def test_a_disk_that_does_not_keep_up_ends_the_recording_and_not_the_loop(
    tmp_path: Path, stuck_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav_writer, "MAX_PENDING_MS", 300)
    errors: list[str] = []
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=errors.append)
    loop = asyncio.get_running_loop()
    recording.write(ramp(RATE_HZ))
    begun_s = loop.time()

    while not errors:
        recording.write(ramp(80))
        await asyncio.sleep(0.01)
    assert loop.time() - begun_s > 0.3
    stuck_disk.set()
    await recording.close()

    assert errors == ["a.wav: recording stopped, the disk does not keep up"]
    assert read(path).size == RATE_HZ


async def test_behind_a_stuck_disk_so_much_waits_and_no_more(
    tmp_path: Path, stuck_disk: threading.Event
) -> None:
    errors: list[str] = []
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=errors.append)
    n_most = RATE_HZ * MAX_WAITING_MS // 1000

    recording.write(ramp(800))
    recording.write(ramp(n_most))
    recording.write(ramp(1, 1))
    assert not errors
    recording.write(ramp(1, 1))
    stuck_disk.set()
    await recording.close()

    assert errors == ["a.wav: recording stopped, the disk does not keep up"]


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so much time pass, s, in which the loop does nothing."""
    loop = asyncio.get_running_loop()
    time_s, late_s = loop.time, 0.0

    def pass_by(seconds: float) -> None:
        nonlocal late_s
        late_s += seconds

    monkeypatch.setattr(loop, "time", lambda: time_s() + late_s)
    return pass_by


async def test_a_process_that_stood_still_while_it_wrote_has_no_slow_disk(
    tmp_path: Path, stuck_disk: threading.Event, later: Callable[[float], None]
) -> None:
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=never)
    sound = ramp(2_000)

    recording.write(sound[:1_000])
    later(600.0)
    recording.write(sound[1_000:])
    stuck_disk.set()
    await recording.close()

    assert np.array_equal(read(path), sound)


async def test_a_disk_that_is_done_is_not_behind_before_the_loop_hears_of_it(
    tmp_path: Path, later: Callable[[float], None]
) -> None:
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=never)
    sound = ramp(20_000)

    recording.write(sound[:1_000])
    while not recording._written:
        time.sleep(0.001)  # noqa: ASYNC251 - the loop is to stand still
    for at in range(1_000, 20_000, 500):
        later(1.0)
        recording.write(sound[at : at + 500])
    await recording.close()

    assert np.array_equal(read(path), sound)


@pytest.mark.parametrize(("n_looks", "stopped"), [(9, False), (10, False), (11, True)])
async def test_a_disk_that_is_looked_at_for_ten_seconds_is_behind(
    tmp_path: Path,
    stuck_disk: threading.Event,
    later: Callable[[float], None],
    n_looks: int,
    stopped: bool,
) -> None:
    recording = WavRecording(
        tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1, on_error=lambda _: None
    )
    recording.write(ramp(1_000))
    for _ in range(n_looks):
        later(0.99)
        recording.write(ramp(100))
    assert recording.stopped is stopped
    stuck_disk.set()
    await recording.close()


@pytest.mark.parametrize("piece", [160, RATE_HZ, 15 * RATE_HZ])
async def test_much_that_comes_at_once_is_no_slow_disk(tmp_path: Path, piece: int) -> None:
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=1, on_error=never)
    sound = ramp(30 * RATE_HZ)

    recording.write(sound[:800])  # the disk is at work
    for at in range(800, sound.size, piece):
        recording.write(sound[at : at + piece])
    await recording.close()

    assert np.array_equal(read(path), sound)


async def test_a_gap_of_any_length_is_no_slow_disk_and_keeps_its_place(
    tmp_path: Path, stuck_disk: threading.Event
) -> None:
    path = tmp_path / "a.wav"
    recording = WavRecording(path, rate_hz=RATE_HZ, channels=2, on_error=never)
    sound = ramp(1_600, 1).reshape(-1, 2)

    recording.write(sound)  # the disk is at work
    for _ in range(2 * MAX_WAITING_MS // 1000):
        recording.write(np.zeros((RATE_HZ, 2), np.int16))
    recording.write(sound)
    stuck_disk.set()
    await recording.close()

    kept = read(path)
    n_gap = 2 * MAX_WAITING_MS * RATE_HZ // 1000
    assert len(kept) == n_gap + 1_600
    assert np.array_equal(kept[:800], sound)
    assert not kept[800:-800].any()
    assert np.array_equal(kept[-800:], sound)


KILLED = """
import asyncio, sys
from pathlib import Path
import numpy as np
from bridge.legs.wav_writer import WavRecording
async def main():
    recording = WavRecording(Path(sys.argv[1]), rate_hz=8_000, channels=1, on_error=print)
    at = 0
    while True:
        recording.write((np.arange(at, at + 160) % 30_000).astype(np.int16))
        at += 160
        print(at, flush=True)
        await asyncio.sleep(0.002)
asyncio.run(main())
"""


@pytest.mark.parametrize("n_lines", [1, 40, 173, 400])
def test_a_kill_costs_at_most_100_ms_and_the_file_opens(tmp_path: Path, n_lines: int) -> None:
    path = tmp_path / "a.wav"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(n_lines):
            accepted = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        accepted = max([accepted, *(int(line) for line in writer.stdout if line.endswith("\n"))])

    if accepted >= RATE_HZ // 10:
        kept = read(path)
        assert np.array_equal(kept, ramp(kept.size))
        assert accepted - kept.size <= RATE_HZ // 10
        # A second reader, which knows nothing of endless headers, gets the same samples.
        assert path.read_bytes()[HEADER_BYTES:] == kept.tobytes()


def test_the_length_of_a_header_is_endless_until_known_and_beyond_4_gib() -> None:
    known = wav_header(RATE_HZ, 2, 1_000)

    assert known[4:8] == (1_036).to_bytes(4, "little")
    assert known[40:44] == (1_000).to_bytes(4, "little")
    for endless in (None, 2**32 - 37, 2**33):
        header = wav_header(RATE_HZ, 2, endless)
        assert header[4:8] == header[40:44] == b"\xff" * 4
    assert wav_header(RATE_HZ, 2, 2**32 - 38)[40:44] == (2**32 - 38).to_bytes(4, "little")


def test_an_unfinished_file_opens_as_it_is(tmp_path: Path) -> None:
    file = WavFile(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1)
    file.append(ramp(1_000).tobytes())

    unfinished = (tmp_path / "a.wav").read_bytes()
    file.finish()

    samples, _ = soundfile.read(io.BytesIO(unfinished), dtype="int16")
    assert np.array_equal(samples, ramp(1_000))
    assert read(tmp_path / "a.wav").size == 1_000


def test_the_disk_is_asked_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    synced: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    monkeypatch.setattr(os, "fdatasync", lambda _: synced.append(now_s))
    file = WavFile(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=1)

    for step_s in (100.0, 100.9, 101.0, 101.5, 102.1):
        now_s = step_s
        file.sync()
    file.finish()

    assert synced == [101.0, 102.1]
