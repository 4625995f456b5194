"""From a plan to its files: what is asked of the server, and what is refused before anything is made."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.batch.one_call import load_inputs, run
from bridge.batch.plan import CallerInput, CallPlan, CallProgress
from bridge.errors import AudioFileError, BridgeError, ConfigError, UsageError

RATE_HZ = 8_000
SCRIPT = """
[[tools]]
name = "lookUp"
answer = '{"name": "Anna"}'

[variables]
name = ""

[[steps]]
tool = { name = "lookUp" }

[[steps]]
hang_up = "Goodbye, {name}."
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "caller.wav"
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)
    soundfile.write(path, tone, RATE_HZ, subtype="PCM_16")
    return path


def plan(recording: Path, **options: object) -> CallPlan:
    inputs = (CallerInput(recording),)
    out_dir = recording.parent / "out"
    settings = {"virtual": True, "tail_s": 2.0, "model": "tipring/tone"} | options
    return CallPlan(inputs=inputs, out_dir=out_dir, **settings)  # type: ignore[arg-type]


def test_call_writes_its_four_files(recording: Path) -> None:
    result = run(plan(recording))

    out = recording.parent / "out"
    assert {path.name for path in out.iterdir()} == {
        "agent.wav",
        "call.wav",
        "call.json",
        "timeline.html",
    }
    stereo, _ = soundfile.read(out / "call.wav", dtype="int16")
    assert np.array_equal(stereo[:, 0], result.caller)
    assert np.array_equal(stereo[:, 1], result.agent)
    assert json.loads((out / "call.json").read_text())["end_reason"] == "hangup"


def test_caller_of_one_file_is_on_tape_from_the_first_sample(recording: Path) -> None:
    result = run(plan(recording))

    said, _ = soundfile.read(recording, dtype="int16")
    assert np.array_equal(result.caller[:RATE_HZ], said)
    assert not result.caller[RATE_HZ:].any()


def test_progress_tells_the_seconds_and_the_words(recording: Path) -> None:
    seen: list[tuple[float, str]] = []

    run(plan(recording), lambda now: seen.append((now.at_s, now.text)))

    seconds = [at_s for at_s, _ in seen]
    assert seconds == sorted(seconds)
    assert any("agent: Tone ready." in text for _, text in seen)


def test_progress_fills_and_is_full_at_the_end(recording: Path) -> None:
    seen: list[CallProgress] = []

    run(plan(recording), seen.append)

    parts = [now.at_s / now.of_s for now in seen if now.of_s]
    assert len(parts) == len(seen)
    assert parts == sorted(parts)
    assert parts[0] < 0.5
    assert parts[-1] == 1.0


def test_script_file_brings_its_tools_and_their_answers(recording: Path) -> None:
    script = recording.parent / "my-script.toml"
    script.write_text(SCRIPT)

    result = run(plan(recording, model=None, script=script))

    assert [(call.name, call.result) for call in result.tool_calls] == [
        ("lookUp", '{"name": "Anna"}')
    ]
    assert result.transcripts[-1].text == "Goodbye, Anna."
    assert result.end_reason == "agent_hangup"


def test_answer_of_the_plan_beats_the_script_s(recording: Path) -> None:
    script = recording.parent / "my-script.toml"
    script.write_text(SCRIPT)

    result = run(plan(recording, model=None, script=script, tools={"lookUp": '{"name": "Bob"}'}))

    assert result.transcripts[-1].text == "Goodbye, Bob."


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"model": "tipring/tome"}, Exception, "did you mean 'tipring/tone'"),
        ({"model": None, "agent": "nobody"}, UsageError, "no script 'nobody'"),
        ({"join_url": "ws://x/y"}, UsageError, "--virtual works with the embedded server only"),
        ({"model": None, "script": Path("missing.toml")}, ConfigError, "cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    recording: Path, options: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        run(plan(recording, **options))


def test_broken_input_stops_the_call_before_it_begins(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")

    with pytest.raises(AudioFileError, match=r"broken\.wav"):
        run(plan(broken))
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_is_wrong_usage_before_the_call(recording: Path) -> None:
    (recording.parent / "out").write_text("a file")

    with pytest.raises(UsageError, match="cannot be a folder for results"):
        run(plan(recording))


def test_results_that_cannot_be_written_are_one_sentence(recording: Path) -> None:
    (recording.parent / "out" / "call.json").mkdir(parents=True)

    with pytest.raises(BridgeError, match="the results cannot be written into"):
        run(plan(recording))


def test_inputs_keep_their_offsets_and_notes(recording: Path) -> None:
    stereo = recording.parent / "stereo.wav"
    soundfile.write(stereo, np.zeros((RATE_HZ, 2)), RATE_HZ)
    inputs = (CallerInput(recording), CallerInput(stereo, 1.5))

    loaded = load_inputs(CallPlan(inputs=inputs, out_dir=Path()))

    assert [turn.offset_s for turn in loaded.turns] == [None, 1.5]
    assert "left" in loaded.notes["stereo.wav"]


def test_real_time_call_takes_as_long_as_it_lasts(recording: Path) -> None:
    result = run(plan(recording, virtual=False, tail_s=0.5))

    assert result.figures.duration_s == pytest.approx(result.caller.size / RATE_HZ, abs=0.001)
    assert result.underruns == 0
    assert result.end_reason == "hangup"
