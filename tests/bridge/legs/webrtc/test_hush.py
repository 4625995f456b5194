"""Speech told from the silence around it."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.webrtc.hush import HUSH_S, QUIET, Hush
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000
FRAME = RATE_HZ // 50
ENOUGH = round(HUSH_S * 50)
LOUD = np.full(FRAME, 1_000, np.int16)
ZERO = np.zeros(FRAME, np.int16)


class Heard:
    def __init__(self) -> None:
        self.frames: list[Int16 | None] = []
        self.hush = Hush(RATE_HZ, self.frames.append, lambda: self.frames.append(None))

    @property
    def ends(self) -> list[int]:
        return [n for n, frame in enumerate(self.frames) if frame is None]

    def hear(self, *frames: Int16) -> int:
        before = len(self.frames)
        for frame in frames:
            self.hush.hear(frame)
        return len(self.frames) - before


def test_silence_before_speech_is_not_passed_on() -> None:
    assert Heard().hear(*[ZERO] * 100) == 0


def test_an_utterance_ends_after_enough_silence_and_not_before() -> None:
    heard = Heard()
    heard.hear(LOUD, *[ZERO] * (ENOUGH - 1))
    assert heard.ends == []

    heard.hear(ZERO)

    assert len(heard.ends) == 1
    assert len(heard.frames) == 1 + ENOUGH + 1
    assert heard.hear(*[ZERO] * 100) == 0


def test_a_pause_inside_an_utterance_is_passed_on_whole() -> None:
    heard = Heard()
    heard.hear(LOUD, *[ZERO] * (ENOUGH - 1), LOUD)

    assert len(heard.frames) == ENOUGH + 1


def test_the_softest_speech_is_speech() -> None:
    soft = ZERO.copy()
    soft[-1] = -(QUIET + 1)

    assert Heard().hear(soft) == 1
    assert Heard().hear(np.full(FRAME, QUIET, np.int16)) == 0


def test_the_lowest_sample_is_loud() -> None:
    lowest = np.full(FRAME, -32_768, np.int16)

    assert Heard().hear(lowest) == 1


def test_a_lost_connection_ends_an_utterance_once() -> None:
    heard = Heard()
    heard.hear(LOUD)
    heard.hush.reset()
    heard.hush.reset()

    assert len(heard.ends) == 1


def test_an_empty_frame_is_nothing() -> None:
    assert Heard().hear(np.empty(0, np.int16)) == 0


@given(st.lists(st.booleans(), max_size=80))
def test_every_loud_frame_passes_and_every_utterance_ends_once(loud: list[bool]) -> None:
    heard = Heard()
    heard.hear(*[LOUD if each else ZERO for each in loud], *[ZERO] * ENOUGH)

    passed = [frame for frame in heard.frames if frame is not None]
    assert sum(bool(frame.any()) for frame in passed) == sum(loud)
    assert bool(heard.ends) == any(loud)
    assert all(a + 1 < b for a, b in pairwise(heard.ends))
