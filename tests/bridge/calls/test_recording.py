from pathlib import Path

import numpy as np

from bridge.calls.recording import open_recorder, recording_path


async def test_a_recorder_writes_the_file_of_its_call(tmp_path: Path) -> None:
    errors: list[str] = []
    recorder = open_recorder(
        tmp_path, "some-call", rate_hz=8_000, agent_hz=16_000, on_error=errors.append
    )
    recorder.heard(np.ones(8_000, np.int16))
    await recorder.close()

    path = recording_path(tmp_path, "some-call")
    assert path == tmp_path / "some-call.wav"
    content = path.read_bytes()
    assert int.from_bytes(content[22:24], "little") == 2
    assert int.from_bytes(content[24:28], "little") == 8_000
    assert len(content) == 44 + 8_000 * 4
    assert errors == []


async def test_an_error_is_told_once_in_a_sentence(tmp_path: Path) -> None:
    errors: list[str] = []
    recorder = open_recorder(
        tmp_path / "none", "c", rate_hz=8_000, agent_hz=8_000, on_error=errors.append
    )
    for _ in range(100):
        recorder.heard(np.ones(800, np.int16))
    await recorder.close()

    assert errors == ["c.wav: recording stopped, no such file or directory"]
