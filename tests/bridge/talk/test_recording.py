"""A recording: every sample where it was heard, whole files whatever happens."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.batch.result import CallResult
from bridge.errors import UsageError
from bridge.talk.recording import Recording, make_folder
from bridge.talk.watched_lane import WatchedLane
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16, silence
from tests.fakes.talk_world import tone

IN_HZ, OUT_HZ = 16_000, 24_000
FRAME_S = 0.02
RESULT = CallResult(
    call_id="c", rate_hz=OUT_HZ, caller=silence(0), agent=silence(0), end_reason="hangup"
)


class Tape:
    """A recording, the lane it watches, and a loudspeaker in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.errors: list[str] = []
        self.folder = folder
        self.lane = WatchedLane(OUT_HZ, 30_000, "drop_newest")
        self.recording = Recording(folder, self.lane, caller_hz=IN_HZ, on_error=self.errors.append)
        self.lane.on_gone = self.recording.played

    def play(self, n: int, *, late_s: float = 0.0) -> None:
        """The loudspeaker takes samples that sound later."""
        n_real = min(n, self.lane.depth_samples)
        self.lane.pull_padded(n)
        if n_real:
            self.lane.ledger.sent(n_real, asyncio.get_running_loop().time() + late_s)

    async def run(self, seconds: float, said: Int16 | None = None, *, late_s: float = 0.0) -> None:
        """Frames of both sides at real tempo."""
        frame = round(IN_HZ * FRAME_S)
        for number in range(round(seconds / FRAME_S)):
            piece = silence(frame)
            if said is not None:
                real = said[number * frame : (number + 1) * frame]
                piece[: real.size] = real
            self.recording.heard(piece)
            self.play(round(OUT_HZ * FRAME_S), late_s=late_s)
            await asyncio.sleep(FRAME_S)

    def read(self) -> tuple[Int16, Int16]:
        both, rate_hz = soundfile.read(self.folder / "call.wav", dtype="int16")
        assert rate_hz == OUT_HZ
        agent, _ = soundfile.read(self.folder / "agent.wav", dtype="int16")
        assert np.array_equal(agent, both[:, 1])
        return both[:, 0], both[:, 1]


def taped(folder: Path, talk: Callable[[Tape], Any]) -> Tape:
    async def call() -> Tape:
        tape = Tape(folder)
        await talk(tape)
        await tape.recording.finish(RESULT)
        return tape

    return run_virtual(call())


def span_s(samples: Int16) -> tuple[float, float]:
    loud = np.flatnonzero(np.abs(samples) > 1_000)
    return float(loud[0]) / OUT_HZ, float(loud[-1]) / OUT_HZ


def test_both_sides_stand_where_they_were_heard(tmp_path: Path) -> None:
    async def talk(tape: Tape) -> None:
        await tape.run(1.0)
        tape.lane.push(tone(0.5, OUT_HZ))
        await tape.run(1.0, tone(0.5))
        await tape.run(0.5)

    caller, agent = taped(tmp_path, talk).read()

    assert span_s(caller) == pytest.approx((1.0, 1.5), abs=0.005)
    assert span_s(agent) == pytest.approx((1.0, 1.5), abs=0.005)
    assert caller.size / OUT_HZ == pytest.approx(2.5, abs=0.01)


def test_a_device_s_latency_is_on_the_tape(tmp_path: Path) -> None:
    async def talk(tape: Tape) -> None:
        await tape.run(1.0)
        tape.lane.push(tone(0.5, OUT_HZ))
        await tape.run(1.5, late_s=0.12)

    _, agent = taped(tmp_path, talk).read()

    assert span_s(agent) == pytest.approx((1.12, 1.62), abs=0.005)


def test_what_was_cleared_before_it_was_heard_is_on_no_tape(tmp_path: Path) -> None:
    async def talk(tape: Tape) -> None:
        tape.lane.push(tone(2.0, OUT_HZ))
        await tape.run(0.5, late_s=0.1)
        tape.lane.clear()
        tape.lane.ledger.flush(asyncio.get_running_loop().time())
        await tape.run(0.3)
        tape.lane.push(tone(0.2, OUT_HZ))
        await tape.run(1.0)

    _, agent = taped(tmp_path, talk).read()

    first = agent[: round(0.7 * OUT_HZ)]
    second = agent[round(0.7 * OUT_HZ) :]
    assert span_s(first) == pytest.approx((0.1, 0.5), abs=0.03)
    assert span_s(second) == pytest.approx((0.1, 0.3), abs=0.03)


def test_a_microphone_that_is_lost_for_a_while_leaves_silence(tmp_path: Path) -> None:
    async def talk(tape: Tape) -> None:
        await tape.run(1.0, tone(1.0))
        await asyncio.sleep(2.0)
        await tape.run(1.0, tone(1.0))

    caller, _ = taped(tmp_path, talk).read()

    assert caller.size / OUT_HZ == pytest.approx(4.0, abs=0.05)
    assert not caller[round(1.1 * OUT_HZ) : round(2.9 * OUT_HZ)].any()
    assert np.abs(caller[round(3.1 * OUT_HZ) : round(3.9 * OUT_HZ)]).max() > 1_000


def test_a_long_call_piles_nothing_up(tmp_path: Path) -> None:
    async def talk(tape: Tape) -> None:
        for _ in range(60):
            tape.lane.push(tone(0.9, OUT_HZ))
            await tape.run(1.0)
            assert len(tape.recording._pieces) < 10
            assert tape.recording._aligner.nbytes < 500_000

    taped(tmp_path, talk)


def test_a_call_without_a_sample_has_its_files(tmp_path: Path) -> None:
    async def talk(tape: Tape) -> None:
        await asyncio.sleep(0)

    taped(tmp_path, talk)

    assert json.loads((tmp_path / "call.json").read_text())["figures"]["duration_s"] == 0.0
    assert (tmp_path / "timeline.html").exists()


def test_a_folder_that_vanishes_costs_the_recording_and_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    errors: list[str] = []

    async def call() -> None:
        tape = Tape(folder)
        folder.rmdir()
        await tape.run(1.0)
        await tape.recording.finish(RESULT)
        errors.extend(tape.errors)
        assert not tape.recording.complete

    run_virtual(call())

    assert len(errors) == 3
    assert all("recording stopped" in each for each in errors[:2])
    assert "the results cannot be written" in errors[2]


def test_results_that_cannot_be_written_are_said_beside_a_whole_recording(tmp_path: Path) -> None:
    (tmp_path / "timeline.html").mkdir()

    async def talk(tape: Tape) -> None:
        assert tape.recording.complete
        await tape.run(1.0)

    tape = taped(tmp_path, talk)

    assert not tape.recording.complete
    assert len(tape.errors) == 1
    assert "cannot be written" in tape.errors[0]
    assert tape.read()[0].size


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(UsageError, match="cannot be a folder"):
        make_folder(tmp_path / "a")
