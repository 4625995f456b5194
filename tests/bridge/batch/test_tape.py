from pathlib import Path

import numpy as np
import soundfile

from bridge.batch.result import AGENT_WAV, CALL_WAV
from bridge.batch.tape import CallTape
from bridge_codecs.pcm import Int16


def tape_in(
    folder: Path | None, errors: list[str] | None = None, progress: list[float] | None = None
) -> CallTape:
    told: list[str] = [] if errors is None else errors
    seconds: list[float] = [] if progress is None else progress
    return CallTape(folder, rate_hz=8_000, on_error=told.append, on_progress=seconds.append)


def frames(n: int) -> list[tuple[Int16, Int16]]:
    return [(np.full(160, k + 1, np.int16), np.full(160, -k - 1, np.int16)) for k in range(n)]


async def test_both_files_hold_the_same_instants(tmp_path: Path) -> None:
    tape = tape_in(tmp_path)
    for caller, agent in frames(100):
        tape.write(caller, agent)
    await tape.close()
    stereo, rate_hz = soundfile.read(tmp_path / CALL_WAV, dtype="int16")
    mono, _ = soundfile.read(tmp_path / AGENT_WAV, dtype="int16")

    caller, agent = tape.sides()
    assert rate_hz == 8_000
    assert np.array_equal(stereo[:, 0], caller)
    assert np.array_equal(stereo[:, 1], agent)
    assert np.array_equal(mono, agent)
    assert tape.duration_s == 2.0


async def test_without_a_folder_the_samples_are_kept_alone() -> None:
    tape = tape_in(None)
    for caller, agent in frames(3):
        tape.write(caller, agent)
    await tape.close()

    assert tape.sides()[0].size == 480


async def test_an_empty_tape_has_two_empty_sides() -> None:
    tape = tape_in(None)
    await tape.close()
    assert [side.size for side in tape.sides()] == [0, 0]


async def test_progress_is_told_once_a_second() -> None:
    progress: list[float] = []
    tape = tape_in(None, progress=progress)
    for caller, agent in frames(125):
        tape.write(caller, agent)
    await tape.close()

    assert progress == [1.0, 2.0]


async def test_a_file_that_cannot_be_written_is_told_and_the_samples_stay(tmp_path: Path) -> None:
    errors: list[str] = []
    tape = tape_in(tmp_path / "none", errors)
    for caller, agent in frames(100):
        tape.write(caller, agent)
    await tape.close()

    assert sorted(errors) == [
        f"{name}: recording stopped, no such file or directory" for name in (AGENT_WAV, CALL_WAV)
    ]
    assert tape.sides()[1].size == 16_000
