"""When somebody was audible: by the audio, on the loop's clock."""

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.talk.onset import HOLE_S, KEPT_S, FirstSound, RecentSpeech, SourceClock
from tests.fakes.talk_world import tone

RATE_HZ = 16_000
FRAME = RATE_HZ // 50


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def quiet(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def speech(*pieces: np.ndarray[tuple[int], np.dtype[np.int16]]) -> RecentSpeech:
    """The pieces one after the other, in frames at real tempo, from 100 s on."""
    hand = Hand()
    recent = RecentSpeech(RATE_HZ, SourceClock(RATE_HZ, 100.0, hand))
    samples = np.concatenate(pieces)
    for start in range(0, samples.size, FRAME):
        hand.now_s += 0.02
        recent.add(samples[start : start + FRAME])
    return recent


def test_speech_ended_with_its_last_loud_frame() -> None:
    recent = speech(quiet(1), tone(1), quiet(0.7))

    assert recent.ended_s() == pytest.approx(102.0, abs=0.011)


def test_nobody_spoke_in_silence_and_before_the_call() -> None:
    assert speech(quiet(1)).ended_s() is None
    assert RecentSpeech(RATE_HZ, SourceClock(RATE_HZ, 0.0, Hand())).ended_s() is None


def test_speech_is_forgotten_after_a_while() -> None:
    assert speech(tone(1), quiet(KEPT_S - 0.5)).ended_s() == pytest.approx(101.0, abs=0.011)
    assert speech(tone(1), quiet(KEPT_S + 0.5)).ended_s() is None


def test_a_source_whose_pieces_jitter_has_no_holes() -> None:
    hand = Hand()
    clock = SourceClock(RATE_HZ, 100.0, hand)
    ends: list[float] = []
    for late_s in (0.0, 0.03, 0.001, 0.09, 0.0):
        hand.now_s = 100.02 + 0.02 * len(ends) + late_s
        ends.append(clock.push(FRAME))

    assert ends == pytest.approx([100.02, 100.04, 100.06, 100.08, 100.10])


@pytest.mark.parametrize(("hole_s", "moved"), [(HOLE_S - 0.01, False), (HOLE_S + 0.01, True)])
def test_a_long_hole_moves_what_follows(hole_s: float, moved: bool) -> None:
    hand = Hand()
    clock = SourceClock(RATE_HZ, 100.0, hand)
    hand.now_s += 0.02
    clock.push(FRAME)
    hand.now_s += 0.02 + hole_s

    assert (clock.push(FRAME) == hand.now_s) is moved


def test_a_source_that_opens_late_is_not_dated_back() -> None:
    hand = Hand()
    clock = SourceClock(RATE_HZ, 100.0, hand)
    hand.now_s += 0.05

    assert clock.push(FRAME) == pytest.approx(100.05)


class Played:
    """A lane from 16 to 8 kHz, and when its first sounds were played."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.lane = Lane(8_000, 10_000, "drop_newest", source_hz=RATE_HZ)
        self.first = FirstSound(self.lane, self.at.append)

    def push(self, samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self.first.came(samples)
        self.lane.push(samples)

    def play(self, n: int, now_s: float) -> None:
        self.lane.pull_padded(n)
        self.lane.ledger.sent(n, now_s)
        self.first.look()


def test_the_first_sound_is_told_when_it_is_played() -> None:
    played = Played()
    played.push(np.concatenate((quiet(0.1), tone(1))))
    played.play(400, 10.0)
    assert played.at == []
    played.play(4_000, 10.05)

    assert played.at == pytest.approx([10.1], abs=0.002)


def test_only_the_first_sound_of_an_utterance_is_told() -> None:
    played = Played()
    played.push(tone(1))
    played.push(tone(1))
    played.play(16_000, 10.0)
    played.first.expect()
    played.push(tone(1))
    played.play(8_000, 20.0)

    assert played.at == pytest.approx([10.0, 20.0], abs=0.002)


def test_a_sound_that_was_cleared_is_never_told() -> None:
    played = Played()
    played.push(tone(1))
    played.lane.clear()
    played.first.cleared()
    played.lane.push(quiet(1))
    played.play(8_000, 10.0)

    assert played.at == []


def test_a_sound_that_was_played_before_the_clear_is_told() -> None:
    played = Played()
    played.push(tone(1))
    played.lane.pull_padded(80)
    played.lane.ledger.sent(80, 10.0)
    played.lane.clear()
    played.first.cleared()

    assert played.at == pytest.approx([10.0], abs=0.002)
