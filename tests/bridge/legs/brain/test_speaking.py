import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bridge.brains.base import Say, SpeechChunk
from bridge.brains.tone import ToneBrain
from bridge.legs.brain.host import Medium
from bridge.legs.brain.speaking import Speaking
from bridge.virtual import run_virtual
from bridge.wire.messages import State, Transcript
from tests.fakes.brain_parts import ListJournal, play, words
from tests.fakes.legs import HandPort, hand_port


class Stage:
    """A speaking agent, and a far end that plays."""

    def __init__(self, medium: Medium = "voice") -> None:
        brain = ToneBrain()
        self.ends: HandPort = hand_port(outgoing_hz=brain.speech_hz)
        self.journal = ListJournal()
        self.speaking = Speaking(brain, self.ends.port, self.journal, medium)
        self.player = asyncio.create_task(play(self.ends.outgoing))

    async def end(self) -> None:
        self.player.cancel()
        await asyncio.wait((self.player,))

    @property
    def pieces(self) -> list[tuple[str | None, str | None, bool]]:
        return [(m.text, m.delta, m.final) for m in self.ends.messages if isinstance(m, Transcript)]


def test_a_voiced_message_goes_from_its_first_word_over_deltas_to_the_whole() -> None:
    async def call() -> None:
        stage = Stage()
        await stage.speaking.say(Say("One two three."))

        assert stage.pieces == [
            ("One", None, False),
            (None, " two", False),
            (None, " three.", False),
            ("One two three.", None, True),
        ]
        assert isinstance(stage.ends.messages[0], State)
        assert stage.journal.texts == [("agent", "One two three.")]
        await stage.end()

    run_virtual(call())


def test_a_written_message_has_the_same_form_and_no_audio_and_no_state() -> None:
    async def call() -> None:
        stage = Stage("text")
        await stage.speaking.say(Say(" One  two"))

        assert stage.pieces == [
            ("One", None, False),
            (None, " ", False),
            (None, " two", False),
            ("One  two", None, True),
        ]
        assert not [m for m in stage.ends.messages if isinstance(m, State)]
        assert stage.ends.outgoing.stats.pushed == 0
        await stage.end()

    run_virtual(call())


@pytest.mark.parametrize("medium", ["voice", "text"])
def test_speech_streamed_by_the_brain_is_taken_as_it_is(medium: Medium) -> None:
    async def call() -> None:
        stage = Stage(medium)
        await stage.speaking.say(Say("ignored", chunks=words("as streamed", 16_000)))

        assert stage.pieces[-1] == ("as streamed", None, True)
        await stage.end()

    run_virtual(call())


def test_an_empty_message_leaves_nothing() -> None:
    async def call() -> None:
        for medium in ("voice", "text"):
            stage = Stage(medium)
            await stage.speaking.say(Say(""))
            assert stage.ends.messages == []
            assert stage.journal.messages == []
            await stage.end()

    run_virtual(call())


def test_the_medium_of_an_utterance_is_that_of_its_beginning() -> None:
    async def call() -> None:
        stage = Stage()
        saying = asyncio.create_task(stage.speaking.say(Say("One two three.")))
        await asyncio.sleep(0.2)
        stage.speaking.medium = "text"
        await saying
        await stage.speaking.say(Say("Four."))

        media = [m.medium for m in stage.ends.messages if isinstance(m, Transcript) and m.final]
        assert media == ["voice", "text"]
        await stage.end()

    run_virtual(call())


def test_a_state_is_told_once() -> None:
    async def call() -> None:
        stage = Stage()
        for _ in range(2):
            stage.speaking.set_state("listening")
        assert len(stage.ends.messages) == 1
        await stage.end()

    run_virtual(call())


def test_a_cut_clears_the_far_end_before_the_final_text_of_what_was_heard() -> None:
    async def call() -> None:
        stage = Stage()
        saying = asyncio.create_task(stage.speaking.say(Say("One two three four.")))
        await asyncio.sleep(0.3)
        stage.speaking.cut("user")
        saying.cancel()
        await asyncio.wait((saying,))

        assert stage.ends.clears == [pytest.approx(0.3)]
        assert stage.pieces[-1] == ("One two", None, True)
        assert stage.journal.events == [
            (
                "agent_interrupted",
                {
                    "heardText": "One two",
                    "unheardText": " three four.",
                    "ordinal": 0,
                    "cause": "user",
                },
            )
        ]
        assert not stage.speaking.uninterruptible
        await stage.end()

    run_virtual(call())


def test_a_cut_of_nothing_clears_the_far_end_and_records_nothing() -> None:
    async def call() -> None:
        stage = Stage()
        await stage.speaking.say(Say("One."))
        stage.speaking.cut("user")

        assert len(stage.ends.clears) == 1
        assert stage.journal.events == []
        await stage.end()

    run_virtual(call())


def test_at_the_end_what_waits_may_be_played_to_its_last_sample() -> None:
    async def call() -> None:
        stage = Stage()
        stage.player.cancel()
        saying = asyncio.create_task(stage.speaking.say(Say("One two three four.")))
        await asyncio.sleep(0.1)
        saying.cancel()
        await asyncio.wait((saying,))
        stage.speaking.end()
        lane = stage.ends.outgoing
        lane.pull(lane.depth_samples - 7)

        assert lane.pull(320).size == 7
        assert stage.ends.clears == []

    run_virtual(call())


def test_a_voice_that_is_cut_is_closed() -> None:
    async def call() -> None:
        stage = Stage()
        closed: list[bool] = []

        async def endless() -> AsyncIterator[SpeechChunk]:
            try:
                while True:
                    yield SpeechChunk(np.ones(16_000, np.int16), " on")
            finally:
                closed.append(True)

        saying = asyncio.create_task(stage.speaking.say(Say("", chunks=endless())))
        await asyncio.sleep(0.5)
        stage.speaking.cut("user")
        saying.cancel()
        await asyncio.wait((saying,))

        assert closed == [True]
        await stage.end()

    run_virtual(call())


def test_a_blank_message_takes_an_ordinal_and_is_final_at_once() -> None:
    async def call() -> None:
        stage = Stage()
        stage.speaking.blank()
        await stage.speaking.say(Say("One."))

        assert stage.pieces[0] == ("", None, True)
        ordinals = [m.ordinal for m in stage.ends.messages if isinstance(m, Transcript)]
        assert ordinals == [0, 1, 1]
        await stage.end()

    run_virtual(call())
