"""The caller's leg of a talk on fake devices, and the conversation that the screen sees of it, in virtual time."""

import asyncio

import numpy as np
import pytest

from bridge.errors import UsageError
from bridge.legs.base import Ended
from bridge.legs.device import apm
from bridge.talk.caller import make_caller
from bridge.talk.conversation import Conversation
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.screen.needs import Gauges
from bridge.talk.serving import serve
from bridge.talk.session import CallSession
from bridge.talk.sound import Sound
from bridge.talk.world import RATES, TalkPlan, talking_place
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.fakes.desk import pair
from tests.fakes.fake_host import FakeDevice, FakeHost

PLAN = TalkPlan(virtual=True, agent="receptionist")


def loud(_at_s: float, n: int) -> Int16:
    return np.full(n, 9_000, np.int16)


class Watcher:
    """A front that looks at the conversation when the call has lasted for three seconds, and hangs up."""

    linger_s = 0.0

    def __init__(self, *presses: str) -> None:
        self.gauges = Gauges()
        self.refusals: list[str] = []
        self._presses = presses

    def take(self, event: object) -> None:
        """Nothing is told."""

    def refuse(self, sentence: str) -> None:
        self.refusals.append(sentence)

    async def run(self, talk: Conversation) -> None:
        for press in self._presses:
            getattr(talk, press)()
        await talk.ready()
        await asyncio.sleep(3)
        self.gauges = talk.gauges()
        talk.hang_up()
        await asyncio.sleep(1_000)


async def talked(watcher: Watcher, sound: Sound, *devices: FakeDevice, wait_s: float = 0) -> Ended:
    host = FakeHost(*devices)
    caller = await make_caller(sound, RATES, lambda: host)
    await asyncio.sleep(wait_s)
    async with talking_place(PLAN) as place:
        session = CallSession(caller.leg, rates=RATES, api=place.api)
        async with session:
            await session.join_call(place.join_url)
            conversation = Conversation(session, caller.device, watcher.refuse)
            ended = await serve(session, conversation, watcher)  # type: ignore[arg-type]
    await caller.close()
    return ended


def test_the_gauges_show_what_the_devices_measure() -> None:
    watcher = Watcher()

    run_virtual(talked(watcher, Sound(aec=False), *pair(sound=loud)))

    gauges = watcher.gauges
    assert gauges.devices == ("Mic", "Speaker")
    assert gauges.mic_dbfs == pytest.approx(-11.2, abs=1)
    assert gauges.speaker_dbfs > -60
    assert gauges.buffer_ms > 0
    assert gauges.latency_ms is not None
    assert gauges.latency_ms > 0
    assert gauges.drops == 0


def test_what_the_microphone_heard_while_the_call_was_made_is_no_loss() -> None:
    watcher = Watcher()

    run_virtual(talked(watcher, Sound(aec=False), *pair(sound=loud), wait_s=20))

    assert watcher.gauges.drops == 0


def test_a_muted_microphone_is_silent_on_its_meter() -> None:
    watcher = Watcher("toggle_mic")

    run_virtual(talked(watcher, Sound(aec=False), *pair(sound=loud)))

    assert watcher.gauges.mic_dbfs < -60


def test_no_microphone_is_a_sentence_and_the_sound_system_is_given_back() -> None:
    speaker = FakeDevice("Speaker", n_outputs=2)

    with pytest.raises(UsageError, match="no microphone"):
        run_virtual(talked(Watcher(), Sound(aec=False), speaker))


def test_without_any_sound_device_the_way_out_is_told() -> None:
    with pytest.raises(UsageError, match=r"no sound device.*--text"):
        run_virtual(talked(Watcher(), Sound(aec=False)))


def test_without_echo_cancellation_a_note_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apm, "is_installed", lambda: False)

    async def notes(sound: Sound) -> list[str]:
        caller = await make_caller(sound, RATES, lambda: FakeHost(*pair()))
        await caller.close()
        return list(caller.notes)

    assert run_virtual(notes(Sound())) == [apm.WHAT_IS_LEFT]
    assert run_virtual(notes(Sound(aec=False))) == []
    assert run_virtual(notes(Sound(half_duplex=True))) == []
    assert run_virtual(notes(Sound(push_to_talk=True))) == []


def test_who_types_needs_no_sound_system() -> None:
    def none() -> FakeHost:
        raise AssertionError("nobody needs it")

    async def scene() -> None:
        caller = await make_caller(Sound(typed=True), RATES, none)
        assert isinstance(caller.leg, ProgramLeg)
        assert caller.device is None
        await caller.close()

    run_virtual(scene())


def test_what_cannot_be_done_is_said_and_harms_nobody() -> None:
    async def scene() -> list[str]:
        caller = await make_caller(Sound(typed=True), RATES)
        said: list[str] = []
        async with CallSession(caller.leg, rates=RATES) as session:
            talk = Conversation(session, caller.device, said.append)
            talk.send_text("hello?")
            talk.send_dtmf("1")
            talk.set_output_medium("text")
            talk.answer_tool("nobody", "asked")
            talk.push_to_talk(held=True)
            assert talk.gauges() == Gauges()
        return said

    said = run_virtual(scene())

    assert len(said) == 4
    assert all("not live" in sentence for sentence in said[:3])
