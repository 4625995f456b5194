import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.calls.recording import open_recorder, recording_path
from bridge.legs.base import Ended
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.intake import Intake
from bridge.legs.join_socket import JoinSocketLeg
from bridge.legs.recorder import CallRecorder
from bridge.legs.webrtc.hearing import Hearing
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates
from bridge.wire.carriers.base import MediaFormat
from bridge.wire.messages.enabled import EnabledDataMessages
from tests.fakes.legs import HandSocket, hand_port
from tests.fakes.rtc import FakeLink

RATE_HZ: Final = 8_000
FRAME: Final = 160
LONG_S: Final = 15
"""More than a disk may fall behind."""
LATE_S: Final = 130
"""More than may wait for a disk."""


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


async def _webrtc(recorder: CallRecorder) -> float:
    """A client that is away for so long, and comes back by another connection."""
    hearing, port = Hearing(RATE_HZ, recorder), hand_port().port
    for _ in range(2):
        link = FakeLink()
        for _ in range(50):
            hearing.hear(link, np.ones(FRAME, np.int16), port)
            await asyncio.sleep(0.02)
        await asyncio.sleep(LONG_S)
    return LONG_S + 2


async def _webrtc_late(recorder: CallRecorder) -> float:
    """A client who is there for so long before anything of it is heard, while the agent speaks."""
    hearing, port, link = Hearing(RATE_HZ, recorder), hand_port().port, FakeLink()
    hearing.begin(link)
    for _ in range(LATE_S * RATE_HZ // FRAME):
        recorder.sent(np.ones(FRAME, np.int16), plays_in_s=None)
        await asyncio.sleep(0.02)
    for _ in range(50):
        hearing.hear(link, np.ones(FRAME, np.int16), port)
        await asyncio.sleep(0.02)
    return LATE_S + 1


async def _socket(recorder: CallRecorder) -> float:
    """A client whose network holds up as much as is taken at once, twice."""
    socket = HandSocket()
    leg = JoinSocketLeg(
        socket,
        rates=Rates(RATE_HZ, RATE_HZ),
        client_buffer_ms=60,
        enabled=EnabledDataMessages.for_carrier("server_web_socket"),
        recorder=recorder,
    )
    task: asyncio.Task[Ended] = asyncio.create_task(leg.run(hand_port().port))
    await asyncio.sleep(0.01)
    assert socket.receiver is not None
    for _ in range(2):
        for _ in range(10 * RATE_HZ // FRAME):
            socket.receiver.on_bytes(bytes(2 * FRAME))
        await asyncio.sleep(LONG_S)
    socket.receiver.on_close(1000, "")
    await task
    return 2 * 10


async def _phone(recorder: CallRecorder) -> float:
    """A line that loses as much as silence stands for at most, twice."""
    loop = asyncio.get_running_loop()
    intake = Intake(MediaFormat("l16le", RATE_HZ), CarrierFigures(), recorder)
    intake.open(Lane(RATE_HZ, 2_000, "drop_oldest"))
    for _ in range(2):
        await asyncio.sleep(0.02)
        intake.hear(bytes(2 * FRAME), loop.time())
        intake.missing(1000 * LONG_S, loop.time())
    intake.stop()
    return 2 * 10 + 0.04


async def _agent_alone(recorder: CallRecorder) -> float:
    """An agent who speaks to a caller of whom nothing comes until the end."""
    for _ in range(LONG_S * RATE_HZ // FRAME):
        recorder.sent(np.ones(FRAME, np.int16), plays_in_s=None)
        await asyncio.sleep(0.02)
    recorder.heard(np.ones(FRAME, np.int16))
    return LONG_S


@pytest.mark.parametrize("talk", [_webrtc, _webrtc_late, _socket, _phone, _agent_alone])
def test_a_recording_outlives_what_comes_all_at_once(
    tmp_path: Path, talk: Callable[[CallRecorder], Awaitable[float]]
) -> None:
    async def call() -> None:
        errors: list[str] = []
        recorder = open_recorder(
            tmp_path, "c", rate_hz=RATE_HZ, agent_hz=RATE_HZ, on_error=errors.append
        )
        long_s = await talk(recorder)
        await recorder.close()

        assert errors == []
        n_bytes = recording_path(tmp_path, "c").stat().st_size - 44
        assert n_bytes / 4 / RATE_HZ == pytest.approx(long_s, abs=0.05)

    run_virtual(call())
