"""What the agent says to a client: held, cleared and heard out, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.speech import WAY_S, Speech
from tests.fakes.rtc import VOICE_HZ, FakeVoice

Virtual = Callable[[Coroutine[Any, Any, None]], None]
SECOND = np.full(VOICE_HZ, 1_000, np.int16)


class Tape:
    """Notes what was cleared unplayed."""

    def __init__(self) -> None:
        self.unplayed_s: list[float] = []

    def cleared(self, *, unplayed_s: float) -> None:
        self.unplayed_s.append(unplayed_s)


def speech(tape: Tape | None = None) -> tuple[Speech, Lane, FakeVoice]:
    lane, voices = Lane(VOICE_HZ, 10_000, "drop_newest"), []

    def make(lane: Lane, _: Recorder | None) -> Any:
        voices.append(FakeVoice(lane))
        return voices[-1]

    return Speech(lane, make, cast("Recorder | None", tape)), lane, voices[0]


def test_nothing_is_said_before_the_client_is_there(virtual: Virtual) -> None:
    async def call() -> None:
        said, lane, voice = speech()
        lane.push(SECOND)
        await asyncio.sleep(1)
        assert voice.played == []
        said.go_on()
        await asyncio.sleep(0.5)
        assert voice.played
        said.hold()
        n = len(voice.played)
        await asyncio.sleep(5)
        assert len(voice.played) == n
        voice.close()

    virtual(call())


def test_the_last_word_is_waited_for_all_the_way_to_the_clients_ear(virtual: Virtual) -> None:
    async def call() -> None:
        said, lane, voice = speech()
        said.go_on()
        lane.push(SECOND)
        await said.heard_out()
        last_s = voice.played[-1][0] + 0.02
        assert abs(asyncio.get_running_loop().time() - last_s - WAY_S) < 0.025
        voice.close()

    virtual(call())


def test_a_client_that_is_away_is_not_waited_for(virtual: Virtual) -> None:
    async def call() -> None:
        said, lane, voice = speech()
        lane.push(SECOND)
        await said.heard_out()
        assert asyncio.get_running_loop().time() == 0
        voice.close()

    virtual(call())


def test_a_clear_drops_what_the_voice_holds_and_the_recording_is_told(virtual: Virtual) -> None:
    async def call() -> None:
        tape = Tape()
        said, lane, voice = speech(tape)
        said.clear()
        lane.ledger.sent(VOICE_HZ, asyncio.get_running_loop().time())
        said.clear()
        assert voice.cleared == 2
        assert tape.unplayed_s == [0.0, 1.0]
        voice.close()

    virtual(call())
