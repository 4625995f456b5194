"""The voice: pace, interruption, silence, mute and what the ledger is told; in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.legs.webrtc.beat import FRAME_S
from bridge.legs.webrtc.opus import make_decoder
from bridge.legs.webrtc.voice import TAIL_FRAMES, Voice
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16

RATE_HZ = 24_000
FRAME = RATE_HZ // 50


class Wire:
    """A sender that keeps what it gets."""

    def __init__(self) -> None:
        self.loss_percent = 0
        self.sent: list[tuple[float, int, bytes]] = []

    def send(self, payload: bytes, timestamp: int) -> None:
        self.sent.append((asyncio.get_running_loop().time(), timestamp, payload))

    def audio(self) -> Int16:
        decoder = make_decoder(RATE_HZ)
        return np.concatenate([decoder.decode(payload) for _, _, payload in self.sent])


class Tape:
    """A recorder of what is sent."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, float | None]] = []

    def heard(self, samples: Int16) -> None:
        raise AssertionError(f"{samples.size} samples of nobody")

    def sent(self, samples: Int16, *, plays_in_s: float | None) -> None:
        self.pieces.append((samples.size, plays_in_s))

    def cleared(self, *, unplayed_s: float) -> None:
        raise AssertionError(f"the leg says {unplayed_s}")


def tone(seconds: float) -> Int16:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (8_000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)


Scene = Callable[[Voice, Lane, Wire], Awaitable[None]]


def play(scene: Scene, tape: Tape | None = None) -> Wire:
    """Run a scene with a voice that is attached."""

    async def call() -> Wire:
        lane, wire = Lane(RATE_HZ, 5_000, "drop_newest"), Wire()
        voice = Voice(lane, recorder=tape)
        voice.attach(wire)
        await scene(voice, lane, wire)
        voice.close()
        return wire

    return run_virtual(call())


def test_frames_go_out_every_20_ms_by_the_absolute_clock() -> None:
    async def scene(_voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(tone(1.0))
        await asyncio.sleep(10.0)

    wire = play(scene)
    times = [at_s for at_s, _, _ in wire.sent]
    assert times == pytest.approx([times[0] + FRAME_S * n for n in range(501)], abs=1e-6)
    stamps = np.diff([stamp for _, stamp, _ in wire.sent])
    assert set(stamps.tolist()) == {960}


def test_what_was_pushed_is_what_is_heard() -> None:
    async def scene(_voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(tone(1.0))
        lane.end_segment()
        await asyncio.sleep(1.2)

    audio = play(scene).audio()
    loud = np.flatnonzero(np.abs(audio) > 4_000)
    assert (loud[-1] - loud[0]) / RATE_HZ == pytest.approx(1.0, abs=0.01)
    assert np.abs(audio[loud[-1] + 2 * FRAME :]).max() < 60


def test_silence_costs_no_encoding_but_keeps_the_connection_alive() -> None:
    figures = {}

    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        await asyncio.sleep(1.0)
        figures["before"] = voice.figures.encoded
        lane.push(np.zeros(RATE_HZ, np.int16))
        await asyncio.sleep(1.5)
        figures["zeros"] = voice.figures.encoded
        lane.push(tone(0.2))
        await asyncio.sleep(1.0)
        figures["after"] = voice.figures.encoded
        figures["sent"] = voice.figures.sent

    wire = play(scene)
    assert figures["before"] == figures["zeros"] == 0
    assert figures["after"] == 10 + TAIL_FRAMES
    assert figures["sent"] == len(wire.sent) == pytest.approx(175, abs=2)
    assert np.abs(wire.audio()[-RATE_HZ // 2 :]).max() < 8


def test_the_packet_of_silence_is_silence_to_any_decoder() -> None:
    async def scene(_voice: Voice, _lane: Lane, _wire: Wire) -> None:
        await asyncio.sleep(1.0)

    assert np.abs(play(scene).audio()).max() < 8


def test_an_interruption_is_heard_within_two_frames() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(tone(3.0))
        await asyncio.sleep(1.0)
        lane.clear()
        voice.clear()
        lane.ledger.flush(asyncio.get_running_loop().time())
        await asyncio.sleep(0.5)

    wire = play(scene)
    loud = np.flatnonzero(np.abs(wire.audio()) > 4_000)
    assert loud[-1] / RATE_HZ <= 1.0 + 2 * FRAME_S


def test_the_ledger_knows_what_was_heard_at_an_interruption() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        lane.push(tone(3.0))
        await asyncio.sleep(1.01)
        lane.clear()
        voice.clear()
        heard = lane.ledger.played(loop.time())
        assert heard / RATE_HZ == pytest.approx(1.01, abs=FRAME_S)
        assert lane.ledger.sent_samples - heard <= FRAME
        lane.ledger.flush(loop.time())
        assert lane.ledger.gaps.count == 0

    play(scene)


def test_a_short_last_frame_is_filled_up_but_not_counted() -> None:
    async def scene(_voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(tone(0.05))
        lane.end_segment()
        await asyncio.sleep(0.2)
        assert lane.ledger.sent_samples == 0.05 * RATE_HZ

    play(scene)


def test_a_peer_that_mutes_us_hears_silence_and_time_goes_on() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        voice.muted = True
        lane.push(tone(1.0))
        await asyncio.sleep(0.5)
        assert lane.depth_ms == pytest.approx(500, abs=20)
        assert voice.figures.encoded == 0
        voice.muted = False
        await asyncio.sleep(1.0)

    loud = np.flatnonzero(np.abs(play(scene).audio()) > 4_000)
    assert loud[0] / RATE_HZ == pytest.approx(0.5, abs=0.03)
    assert loud[-1] / RATE_HZ == pytest.approx(1.0, abs=0.03)


def test_held_takes_nothing_from_the_lane() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        voice.held = True
        lane.push(tone(1.0))
        await asyncio.sleep(1.0)
        assert lane.depth_ms == 1000
        assert lane.ledger.sent_samples == 0

    assert len(play(scene).sent) == pytest.approx(50, abs=1)


def test_attached_to_nobody_takes_nothing_and_to_another_goes_on() -> None:
    async def scene(voice: Voice, lane: Lane, wire: Wire) -> None:
        other = Wire()
        lane.push(tone(2.0))
        await asyncio.sleep(0.5)
        voice.detach(other)  # not attached: nothing happens
        await asyncio.sleep(0.1)
        voice.detach(wire)
        depth, n = lane.depth_ms, len(wire.sent)
        await asyncio.sleep(0.5)
        assert (lane.depth_ms, len(wire.sent)) == (depth, n)
        voice.attach(other)
        await asyncio.sleep(0.5)
        assert len(wire.sent) == n
        assert len(other.sent) == pytest.approx(25, abs=1)

    play(scene)


def test_a_voice_that_is_closed_speaks_to_nobody_any_more() -> None:
    async def scene(voice: Voice, lane: Lane, wire: Wire) -> None:
        lane.push(tone(1.0))
        await asyncio.sleep(0.1)
        voice.close()
        n = len(wire.sent)
        voice.attach(wire)
        await asyncio.sleep(0.5)
        assert len(wire.sent) == n

    play(scene)


def test_a_recording_is_told_when_each_stretch_plays() -> None:
    tape = Tape()

    async def scene(_voice: Voice, lane: Lane, _wire: Wire) -> None:
        for _ in range(2):
            lane.push(tone(0.06))
            lane.end_segment()
            await asyncio.sleep(0.5)

    play(scene, tape)
    assert [size for size, _ in tape.pieces] == [FRAME] * 6
    when = [plays_in_s for _, plays_in_s in tape.pieces]
    assert when[1:3] == when[4:6] == [None, None]
    assert when[0] == when[3] == pytest.approx(0.0, abs=0.005)


def test_loss_on_the_way_is_told_to_the_encoder_within_a_second_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[int] = []

    async def scene(voice: Voice, _lane: Lane, wire: Wire) -> None:
        monkeypatch.setattr(voice._encoder, "expect_loss", told.append)
        await asyncio.sleep(1.0)
        wire.loss_percent = 10
        await asyncio.sleep(3.0)
        wire.loss_percent = 0
        await asyncio.sleep(1.5)

    play(scene)
    assert told == [10, 0]


async def _live(lane: Lane, seconds: float, samples: Int16) -> None:
    """Frame by frame, as they would come from a peer."""
    for _ in range(round(seconds / FRAME_S)):
        lane.push(samples[:FRAME])
        await asyncio.sleep(FRAME_S)


def test_live_audio_that_fell_behind_catches_up_in_a_quiet_moment() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(tone(0.06))  # three frames that a hiccup has left behind
        await _live(lane, 3.0, tone(0.02))
        behind_ms = lane.depth_ms
        assert behind_ms >= 40
        assert voice.figures.passed_over == 0
        await _live(lane, 3.0, np.zeros(FRAME, np.int16))
        assert lane.depth_ms <= 20
        assert voice.figures.passed_over == pytest.approx(behind_ms / 20, abs=1)
        lost = lane.stats.pulled - lane.ledger.sent_samples
        assert lost == 0

    play(scene)


def test_speech_that_was_made_ahead_of_time_keeps_its_pauses() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        for _ in range(3):
            lane.push(np.concatenate([tone(0.1), np.zeros(RATE_HZ, np.int16), tone(0.1)]))
            await asyncio.sleep(1.5)
        lane.end_segment()
        assert voice.figures.passed_over == 0

    play(scene)


def test_the_end_of_an_utterance_is_not_shortened_either() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(np.zeros(RATE_HZ // 4, np.int16))
        lane.end_segment()
        await asyncio.sleep(1.0)
        assert voice.figures.passed_over == 0
        assert voice.figures.sent == pytest.approx(50, abs=1)

    play(scene)


def test_holes_within_an_utterance_are_counted_and_pauses_between_two_are_not() -> None:
    seen: list[tuple[int, float | None]] = []

    async def scene(voice: Voice, lane: Lane, wire: Wire) -> None:
        await asyncio.sleep(0.5)
        assert voice.figures.first_s is None
        lane.push(tone(0.2))
        lane.end_segment()
        await asyncio.sleep(1.0)
        seen.append((voice.figures.underruns, voice.figures.first_s))
        for _ in range(2):
            lane.push(tone(0.2))
            await asyncio.sleep(0.5)
        seen.append((voice.figures.underruns, voice.figures.first_s))

    wire = play(scene)
    first_s = seen[0][1]
    assert first_s is not None
    assert first_s - wire.sent[0][0] == pytest.approx(0.5, abs=0.021)
    assert seen == [(0, first_s), (2, first_s)]


@pytest.mark.parametrize(("late_s", "counts"), [(0.035, 0), (0.075, 1)])
def test_frames_that_went_out_late_are_counted(late_s: float, counts: int) -> None:
    late: list[int] = []

    async def scene(voice: Voice, _lane: Lane, _wire: Wire) -> None:
        await asyncio.sleep(0.1)
        due_s = asyncio.get_running_loop().time() - late_s
        voice.beat(due_s)
        late.append(voice.figures.late)

    play(scene)
    assert late == [counts]


def test_a_voice_that_may_not_run_ahead_sends_everything_in_its_time() -> None:
    async def scene(voice: Voice, lane: Lane, _wire: Wire) -> None:
        lane.push(tone(3.0))
        await asyncio.sleep(1.0)
        assert voice.figures.ahead_ms == 0

    wire = play(scene)
    assert len(wire.sent) == pytest.approx(51, abs=1)
