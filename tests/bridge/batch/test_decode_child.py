import io
import json
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bridge.batch import decode_child
from bridge.batch.decode_child import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, Sink, Undecodable
from tests.fakes.recordings import encoded, encoded_m4a


@pytest.fixture(autouse=True)
def _no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_child, "arm_timer", lambda: None)


def records(written: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    while written:
        (n_bytes,) = struct.unpack(">I", written[1:5])
        found.append((written[:1], written[5 : 5 + n_bytes]))
        written = written[5 + n_bytes :]
    return found


def run_file(folder: Path, content: bytes, max_s: float = 60) -> list[tuple[bytes, bytes]]:
    path = folder / "in"
    path.write_bytes(content)
    command = [sys.executable, "-I", decode_child.__file__, str(max_s)]
    with path.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=True)
    return records(done.stdout)


@pytest.mark.parametrize("content", [encoded("FLAC", channels=2), encoded_m4a()])
def test_a_header_comes_first_then_floats_then_one_ending(tmp_path: Path, content: bytes) -> None:
    header, *audio, ending = run_file(tmp_path, content)

    told = json.loads(header[1])
    assert (header[0], told["rate_hz"], told["channels"]) == (b"H", 44_100, 2)
    assert {kind for kind, _ in audio} == {b"A"}
    samples = np.frombuffer(b"".join(body for _, body in audio), "<f4")
    assert samples.size == pytest.approx(44_100, abs=2_100)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert (ending[0], json.loads(ending[1])) == (b"E", {"error": "", "note": ""})


def test_what_is_no_audio_has_an_ending_alone(tmp_path: Path) -> None:
    [(kind, body)] = run_file(tmp_path, b"no audio at all" * 100)

    assert kind == b"E"
    assert "no audio" in json.loads(body)["error"]


def test_a_file_that_says_it_is_too_long_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    [(_, body)] = run_file(tmp_path, encoded("FLAC", seconds=4), max_s=3.9)

    assert json.loads(body)["error"].startswith("it is longer than")


@pytest.mark.parametrize(
    ("rate_hz", "channels"),
    [(MIN_RATE_HZ - 1, 1), (MAX_RATE_HZ + 1, 1), (0, 1), (8_000, 0), (8_000, MAX_CHANNELS + 1)],
)
def test_claims_beyond_the_limits_are_refused(rate_hz: int, channels: int) -> None:
    with pytest.raises(Undecodable, match="it claims"):
        Sink(io.BytesIO(), 60).header(rate_hz, channels, "X")


@pytest.mark.parametrize(("rate_hz", "channels"), [(MIN_RATE_HZ, 1), (MAX_RATE_HZ, MAX_CHANNELS)])
def test_claims_at_the_limits_go_out_with_the_first_samples(rate_hz: int, channels: int) -> None:
    out = io.BytesIO()
    sink = Sink(out, 60)

    sink.header(rate_hz, channels, "X")
    assert not out.getvalue()
    sink.audio(np.zeros(3, np.float32))
    sink.audio(np.zeros(2, np.float32))

    assert [kind for kind, _ in records(out.getvalue())] == [b"H", b"A", b"A"]


def test_audio_past_the_greatest_duration_is_refused() -> None:
    sink = Sink(io.BytesIO(), 1.0)
    sink.header(8_000, 1, "X")

    sink.audio(np.zeros(8_000, np.float32))

    with pytest.raises(Undecodable, match="longer"):
        sink.audio(np.zeros(1, np.float32))


SPIN = """
import signal, sys
sys.path.insert(0, sys.argv[1])
import decode_child
decode_child.CPU_S_PER_RECORD = 0.1
decode_child.arm_timer()
while True:
    pass
"""


def test_a_decoder_that_spins_is_ended_by_its_own_clock() -> None:
    folder = str(Path(decode_child.__file__).parent)

    done = subprocess.run([sys.executable, "-c", SPIN, folder], timeout=30, check=False)

    assert done.returncode == -signal.SIGPROF


GROW = """
import sys
sys.path.insert(0, sys.argv[1])
import decode_child
decode_child.limit_memory()
try:
    bytearray(64 << 20)
except MemoryError:
    decode_child.lift_memory_limit()
    bytearray(64 << 20)
    print("held")
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits are for Linux")
def test_a_decoder_cannot_grow_beyond_its_limit_until_that_is_lifted() -> None:
    folder = str(Path(decode_child.__file__).parent)

    done = subprocess.run(
        [sys.executable, "-c", GROW, folder], timeout=30, check=True, capture_output=True
    )

    assert done.stdout == b"held\n"
