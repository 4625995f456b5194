from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.errors import ConfigError
from bridge.gateway.phone.recordings import MAX_S, RATE_HZ, SHIPPED, Recording, load_recordings
from bridge.phone_config import FallbackConfig
from bridge.virtual import run_virtual


def loaded(*paths: Path) -> dict[Path, Recording]:
    fallbacks = [FallbackConfig(recording=path) for path in paths]
    return dict(run_virtual(load_recordings(fallbacks)))


def write(path: Path, seconds: float, rate_hz: int = 8_000, channels: int = 1) -> Path:
    samples = np.full((round(seconds * rate_hz), channels), 1_000, np.int16)
    soundfile.write(path, samples, rate_hz, subtype="PCM_16")
    return path


def test_the_recording_that_ships_is_short_and_there_whoever_asks() -> None:
    recording = loaded()[SHIPPED]

    assert 1.0 < recording.duration_s < 3.0  # a caller is hung up within five seconds
    assert np.abs(recording.samples.astype(int)).max() > 1_000
    assert SHIPPED.stat().st_size < 64 * 1024


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (44_100, 2), (48_000, 1)])
def test_any_audio_file_will_do(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = write(tmp_path / "sorry.wav", 1.5, rate_hz, channels)

    recording = loaded(path)[path]

    assert recording.duration_s == pytest.approx(1.5, abs=0.01)
    middle = recording.samples[RATE_HZ // 2 : RATE_HZ]
    assert middle.mean() == pytest.approx(1_000, abs=5)


def test_a_recording_has_a_bound(tmp_path: Path) -> None:
    loaded(write(tmp_path / "long.wav", MAX_S))

    with pytest.raises(ConfigError, match="at most 60 s"):
        loaded(write(tmp_path / "longer.wav", MAX_S + 0.01))


@pytest.mark.parametrize("content", [None, b"", b"no audio"])
def test_a_file_that_is_no_audio_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"x\.wav: the recording cannot be read"):
        loaded(path)
