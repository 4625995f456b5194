"""An agent on a laptop: its own voice comes back from the loudspeaker at -10 dB, 40 ms late, and does not interrupt it.

Whole calls in virtual time, with the voice and the detector that are installed; the room is `tests.fakes.room`.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.brains.speech.espeak import espeak_installed
from bridge.legs.device.apm import is_installed
from bridge.legs.device.leg import DeviceLeg
from bridge.talk.caller import make_caller
from bridge.talk.events import Interrupted
from bridge.talk.session import CallSession
from bridge.talk.sound import Sound
from bridge.talk.world import TalkPlan, talking_place
from bridge.virtual import run_virtual
from tests.fakes.echo_path import voice
from tests.fakes.room import Room, RoomHost

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="livekit is not installed"),
    pytest.mark.skipif(not espeak_installed(), reason="espeak-ng is not installed"),
]

PART = (
    "In the old days every telephone call passed through the hands of an operator. She sat before a "
    "board with a hundred sockets, and each socket had a little lamp. When a lamp was lit, she took a "
    "cord, put its plug into the socket, and asked which number was wanted."
)


@dataclass
class Talked:
    """What became of a talk."""

    interrupted_at_s: list[float] = field(default_factory=list)
    spoken_s: float = 0.0


def talk(folder: Path, room: Room, sound: Sound, seconds: float) -> Talked:
    """The agent reads for so long to whoever is in the room."""
    script = folder / "reading.toml"
    steps = [f'[[steps]]\nsay = "Part {number}. {PART}"\n' for number in range(60)]
    script.write_text('description = "Reads."\n' + "".join(steps))
    return run_virtual(_talk(TalkPlan(script=script, virtual=True), room, sound, seconds))


async def _talk(plan: TalkPlan, room: Room, sound: Sound, seconds: float) -> Talked:
    talked = Talked()
    caller = await make_caller(sound, plan.rates, host=lambda: RoomHost(room))
    assert isinstance(caller.leg, DeviceLeg)
    try:
        async with talking_place(plan) as place:
            session = CallSession(caller.leg, rates=plan.rates, api=place.api)
            session.on(Interrupted, lambda event: talked.interrupted_at_s.append(event.at_s))
            async with session:
                await session.join_call(place.join_url)
                for _ in range(round(seconds * 10)):
                    await asyncio.sleep(0.1)
                    talked.spoken_s += 0.1 * (session.status == "speaking")
    finally:
        await caller.close()
    return talked


def test_with_echo_cancellation_the_agent_is_not_interrupted_by_itself(tmp_path: Path) -> None:
    talked = talk(tmp_path, Room(), Sound(), 40)
    assert talked.interrupted_at_s == []
    assert talked.spoken_s > 32


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nor_in_ten_minutes(tmp_path: Path) -> None:
    talked = talk(tmp_path, Room(), Sound(), 600)
    assert talked.interrupted_at_s == []
    assert talked.spoken_s > 500


@pytest.mark.slow
def test_without_it_the_agent_is_interrupted_by_itself_again(tmp_path: Path) -> None:
    talked = talk(tmp_path, Room(), Sound(aec=False), 6)
    assert len(talked.interrupted_at_s) >= 2
    assert talked.interrupted_at_s[0] < 2


def test_somebody_who_speaks_over_the_agent_still_interrupts_it(tmp_path: Path) -> None:
    room = Room()
    room.say(12.0, voice("appointment"))
    talked = talk(tmp_path, room, Sound(), 14)
    [at_s] = talked.interrupted_at_s
    assert 12.0 < at_s < 13.0


def test_half_duplex_lets_nobody_interrupt(tmp_path: Path) -> None:
    room = Room()
    room.say(8.0, voice("appointment"))
    talked = talk(tmp_path, room, Sound(half_duplex=True), 10)
    assert talked.interrupted_at_s == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "room",
    [
        pytest.param(Room(delay_ms=150), id="late"),
        pytest.param(Room(drift_ppm=200), id="drifting"),
        pytest.param(Room(noise_dbfs=-50), id="noisy"),
        pytest.param(Room(echo_db=0), id="loud"),
        pytest.param(Room(rate_hz=48_000, microphone_hz=44_100), id="two rates"),
    ],
)
def test_in_worse_rooms_it_is_not_interrupted_either(tmp_path: Path, room: Room) -> None:
    assert talk(tmp_path, room, Sound(), 40).interrupted_at_s == []
