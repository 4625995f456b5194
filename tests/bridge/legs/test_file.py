import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from bridge.legs.base import Ended, LegEvent, MessageEvent
from bridge.legs.file import FileLeg, Underruns
from bridge.virtual import run_virtual
from bridge.wire.messages import State, Transcript
from bridge_codecs.pcm import Int16
from tests.fakes.legs import HandPort, hand_port

FRAME = 160
SPEAKING = MessageEvent(State(state="speaking"))
LISTENING = MessageEvent(State(state="listening"))


class Script:
    """Says the numbers of its frames, for so many frames."""

    def __init__(self, n_frames: int) -> None:
        self.n_frames = n_frames
        self.asked: list[float] = []
        self.heard_frames: list[Int16] = []
        self.events: list[LegEvent] = []

    def next_frame(self, n_samples: int, now_s: float) -> Int16 | None:
        if len(self.asked) == self.n_frames:
            return None
        self.asked.append(now_s)
        return np.full(n_samples, len(self.asked), np.int16)

    def heard(self, samples: Int16, now_s: float) -> None:
        self.heard_frames.append(samples)

    def receive(self, event: LegEvent, now_s: float) -> None:
        self.events.append(event)


class Tape:
    def __init__(self) -> None:
        self.frames: list[tuple[Int16, Int16]] = []

    def write(self, caller: Int16, agent: Int16) -> None:
        assert caller.size == agent.size
        self.frames.append((caller, agent))

    @property
    def agent(self) -> Int16:
        return np.concatenate([agent for _, agent in self.frames])


async def playing(n_frames: int) -> tuple[FileLeg, Script, Tape, HandPort, "asyncio.Task[Ended]"]:
    script, tape, ends = Script(n_frames), Tape(), hand_port()
    leg = FileLeg(script, tape, rate_hz=8_000)
    return leg, script, tape, ends, asyncio.create_task(leg.run(ends.port))


def tone(n_samples: int) -> Int16:
    return np.full(n_samples, 1_000, np.int16)


def test_one_frame_goes_out_every_20_ms_until_the_script_hangs_up() -> None:
    async def call() -> None:
        _, script, tape, ends, task = await playing(50)
        ended = await task

        assert ended == Ended("hangup")
        assert script.asked == pytest.approx([n * 0.02 for n in range(50)])
        assert ends.outgoing.depth_samples == 50 * FRAME
        assert len(tape.frames) == 50

    run_virtual(call())


def test_the_tape_holds_what_was_played_not_what_was_received() -> None:
    async def call() -> None:
        _, _, tape, ends, task = await playing(50)
        await asyncio.sleep(0.101)
        ends.incoming.push(tone(10 * FRAME))  # 0.2 s at once
        await asyncio.sleep(0.1)
        ends.incoming.clear()
        await task

        loud = np.flatnonzero(tape.agent)
        assert (loud[0], loud[-1]) == (6 * FRAME, 11 * FRAME - 1)

    run_virtual(call())


def test_what_is_played_is_reported_to_the_ledger_and_silence_is_not() -> None:
    async def call() -> None:
        _, _, _, ends, task = await playing(50)
        ends.incoming.push(tone(3 * FRAME + 10))
        await task

        assert ends.incoming.ledger.sent_samples == 3 * FRAME + 10

    run_virtual(call())


def test_draining_ends_when_the_last_sample_is_played() -> None:
    async def call() -> None:
        leg, _, tape, ends, task = await playing(100)
        await asyncio.sleep(0.1)
        ends.incoming.push(tone(10 * FRAME))
        await leg.drain()

        assert np.count_nonzero(tape.agent) == 10 * FRAME
        await leg.drain()  # nothing there: returns at once
        await task

    run_virtual(call())


def test_the_script_sees_every_event() -> None:
    async def call() -> None:
        leg, script, _, _, task = await playing(1)
        leg.receive(SPEAKING)
        await task

        assert script.events == [SPEAKING]

    run_virtual(call())


def test_cancelled_it_stops_at_once() -> None:
    async def call() -> None:
        _, script, _, _, task = await playing(1_000)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(1)

        assert len(script.asked) <= 6

    run_virtual(call())


# Underruns


def heard(*real: int, frame: int = FRAME) -> Underruns:
    """Underruns of a speaking agent whose audio came in these portions, one in each tick."""
    underruns = Underruns()
    underruns.speaking(on=True)
    play(underruns, real, frame=frame)
    return underruns


def play(underruns: Underruns, real: Sequence[int], *, frame: int = FRAME, tick: int = 0) -> None:
    for number, n_samples in enumerate(real, tick):
        underruns.played(n_samples, frame, number * 0.02)


def test_unbroken_speech_has_no_hole() -> None:
    assert heard(FRAME, FRAME, FRAME).count == 0


def test_a_hole_that_begins_with_a_whole_frame_is_counted() -> None:
    underruns = heard(FRAME, 0, 0, FRAME)

    assert underruns.count == 1
    assert underruns.total_ms == pytest.approx(40)


def test_a_hole_that_begins_in_a_frame_is_counted_from_there() -> None:
    underruns = heard(FRAME, FRAME // 2, 0, FRAME)

    assert underruns.count == 1
    assert underruns.total_ms == pytest.approx(30)


def test_each_hole_counts() -> None:
    underruns = heard(FRAME, 0, FRAME, 40, FRAME)

    assert underruns.count == 2
    assert underruns.total_ms == pytest.approx(20 + 15)


def test_short_frames_one_after_the_other_are_a_hole_each() -> None:
    assert heard(FRAME, 80, 80, 80).count == 2


def test_the_silence_before_the_first_and_after_the_last_sample_is_no_hole() -> None:
    assert heard(0, 0, FRAME, FRAME, 0, 0).count == 0


def test_silence_of_a_listening_agent_is_no_hole() -> None:
    underruns = heard(FRAME, 0)
    underruns.speaking(on=False)
    play(underruns, [0, 0], tick=2)
    underruns.speaking(on=True)
    play(underruns, [0, FRAME], tick=4)

    assert underruns.count == 0


def test_the_pause_between_two_utterances_is_no_hole() -> None:
    underruns = heard(FRAME, FRAME)
    underruns.utterance(over=True)  # while its last half frame is still to be played
    play(underruns, [80, 0, 0, FRAME], tick=2)

    assert underruns.count == 0


def test_a_hole_within_the_second_utterance_counts() -> None:
    underruns = heard(FRAME)
    underruns.utterance(over=True)
    play(underruns, [FRAME], tick=1)
    underruns.utterance(over=False)
    play(underruns, [0, FRAME], tick=2)

    assert underruns.count == 1


def test_an_end_told_after_the_audio_ran_dry_makes_no_hole() -> None:
    underruns = heard(FRAME, 80, 0)
    underruns.utterance(over=True)
    play(underruns, [0, FRAME], tick=3)

    assert underruns.count == 0


def test_a_clear_makes_no_hole() -> None:
    underruns = heard(FRAME, 80)
    underruns.segment_over()
    play(underruns, [0, FRAME], tick=2)

    assert underruns.count == 0


def test_the_leg_counts_holes_from_states_and_transcripts() -> None:
    async def call() -> None:
        leg, _, _, ends, task = await playing(50)
        leg.receive(SPEAKING)
        for gap_s, final in ((0.06, False), (0.06, True), (0.06, None)):
            ends.incoming.push(tone(FRAME))
            if final is not None:
                words = Transcript(role="agent", text="x", final=final, ordinal=0)
                leg.receive(MessageEvent(words))
            await asyncio.sleep(gap_s)
        leg.receive(LISTENING)
        await task

        assert leg.underruns.count == 1
        assert leg.underruns.total_ms == pytest.approx(40)

    run_virtual(call())
