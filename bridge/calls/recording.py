"""Where a call's recording lies, and what writes it."""

from collections.abc import Callable
from pathlib import Path

from bridge.legs.recorder import CallRecorder
from bridge.legs.wav_writer import WavRecording


def recording_path(folder: Path, call_id: str) -> Path:
    """The file of a call's recording; ids are made by us, so the name is safe."""
    return folder / f"{call_id}.wav"


def open_recorder(
    folder: Path,
    call_id: str,
    *,
    rate_hz: int,
    agent_hz: int,
    on_error: Callable[[str], None],
) -> CallRecorder:
    """A stereo recorder that streams to the call's file; an error stops the recording, not the call."""
    sink = WavRecording(
        recording_path(folder, call_id), rate_hz=rate_hz, channels=2, on_error=on_error
    )
    return CallRecorder(sink, rate_hz=rate_hz, agent_hz=agent_hz)
