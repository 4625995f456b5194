"""The guess at a byte order: sure of speech and of quiet lines, silent about silence."""

from typing import get_args

import numpy as np
import pytest

from bridge.wire.carriers.byte_order import ByteOrder, ByteOrderHint
from bridge_codecs.l16 import encode_l16
from bridge_codecs.pcm import Int16

ORDERS: tuple[ByteOrder, ...] = get_args(ByteOrder)
RATE_HZ = 8_000


def voice(peak: float) -> Int16:
    """A second that sounds a little like a vowel."""
    t = np.arange(RATE_HZ) / RATE_HZ
    wave = np.sum([np.sin(2 * np.pi * 140 * n * t) / n for n in range(1, 12)], axis=0)
    samples: Int16 = (peak * wave / np.abs(wave).max()).astype(np.int16)
    return samples


def noise(peak: int) -> Int16:
    return np.random.default_rng(1).integers(-peak, peak + 1, RATE_HZ).astype(np.int16)


def hint_for(sound: Int16, sent: ByteOrder, configured: ByteOrder) -> list[ByteOrder | None]:
    hint, payload = ByteOrderHint(configured, RATE_HZ), encode_l16(sound, sent)
    pieces = [payload[at : at + 320] for at in range(0, len(payload), 320)]
    return [hint.hear(piece) for piece in pieces]


SOUNDS = {
    "loud voice": voice(30_000),
    "quiet voice": voice(200),
    "noise": noise(8_000),
    "hiss": noise(3),
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("sent", ORDERS)
@pytest.mark.parametrize("configured", ORDERS)
def test_the_other_order_is_named_after_one_second_if_it_is_the_right_one(
    sound: str, sent: ByteOrder, configured: ByteOrder
) -> None:
    told = hint_for(SOUNDS[sound], sent, configured)

    assert told[:-1] == [None] * 49
    assert told[-1] == (None if sent == configured else sent)


def test_a_hint_is_given_once() -> None:
    hint, second = ByteOrderHint("big", RATE_HZ), encode_l16(voice(5_000), "little")

    assert [hint.hear(second) for _ in range(3)] == ["little", None, None]
    assert hint.decided


def test_silence_decides_nothing_for_ten_seconds_and_then_nobody_listens() -> None:
    hint, silence = ByteOrderHint("big", RATE_HZ), bytes(2 * RATE_HZ)

    for _ in range(9):
        assert hint.hear(silence) is None
        assert not hint.decided
    assert hint.hear(silence) is None

    assert hint.decided
    assert hint.hear(encode_l16(voice(5_000), "little")) is None


def test_what_is_rough_in_both_orders_decides_nothing() -> None:
    hint = ByteOrderHint("big", RATE_HZ)

    assert hint.hear(encode_l16(noise(32_767), "little")) is None
    assert not hint.decided


def test_a_voice_after_silence_is_heard() -> None:
    hint = ByteOrderHint("big", RATE_HZ)

    hint.hear(bytes(2 * RATE_HZ))

    assert hint.hear(encode_l16(voice(5_000), "little")) == "little"
