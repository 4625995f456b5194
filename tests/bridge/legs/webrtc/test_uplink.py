"""The caller's way to a room: every word goes out, pauses work the delay off, and what is lost is counted."""

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat

import numpy as np
import pytest

from bridge.legs.webrtc.ear import Ear
from bridge.legs.webrtc.room_peers import AHEAD_MS
from bridge.legs.webrtc.uplink import AUDIBLE, HEAD_MS, KEEPS_MS, LAG_MS, NOISE_MAX, TAIL_MS, Uplink
from bridge.legs.webrtc.voice import Voice
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16

RATE_HZ = 16_000
FRAME = RATE_HZ // 50
ZERO = np.zeros(FRAME, np.int16)


def word(number: int, frames: int = 1) -> list[Int16]:
    """Frames that can be told from those of other words."""
    return [np.full(FRAME, 1_000 + number, np.int16)] * frames


def ms(samples: Int16) -> float:
    return 1000 * samples.size / RATE_HZ


def pulled(uplink: Uplink) -> Int16:
    return uplink.lane.pull_padded(uplink.lane.depth_samples)


def test_live_audio_goes_out_as_it_comes_silence_and_all() -> None:
    uplink = Uplink(RATE_HZ)
    frames = [*word(1, 20), *[ZERO] * 50, *word(2, 20), *[ZERO] * 100]
    for frame in frames:
        uplink.push(frame)
        assert pulled(uplink).tolist() == frame.tolist()

    assert uplink.pauses_left_out_ms == 0


def test_a_word_that_waits_keeps_its_end_and_its_beginning_and_only_the_pause_between_goes() -> (
    None
):
    uplink = Uplink(RATE_HZ)
    soft = np.full(FRAME, AUDIBLE, np.int16)  # the softest that counts as silence
    for frame in chain(word(1, 50), [soft] * 50, word(2, 50)):
        uplink.push(frame)

    out = pulled(uplink)
    kept_ms = TAIL_MS + HEAD_MS
    assert ms(out) == 2_000 + kept_ms
    assert ms(out[out == AUDIBLE]) == kept_ms
    assert ms(out[out == 1_001]) == ms(out[out == 1_002]) == 1_000
    assert uplink.pauses_left_out_ms == 1_000 - kept_ms
    assert uplink.lost_ms == 0


@pytest.mark.parametrize(("level", "left_out"), [(AUDIBLE, True), (AUDIBLE + 1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_only_what_cannot_be_heard_is_a_pause(level: int, sign: int, left_out: bool) -> None:
    uplink = Uplink(RATE_HZ)
    uplink.push(np.full(RATE_HZ, sign * level, np.int16))

    assert (uplink.pauses_left_out_ms > 0) == left_out


@pytest.mark.parametrize("n", [1, 7, FRAME - 1, FRAME + 1, 5 * FRAME, RATE_HZ])
def test_pieces_of_any_length_are_the_same_audio(n: int) -> None:
    said = np.concatenate([*word(1, 30), *word(2, 30)])
    uplink = Uplink(RATE_HZ)
    for at in range(0, said.size, n):
        uplink.push(said[at : at + n])

    assert pulled(uplink).tolist() == said.tolist()


def test_what_waits_is_bounded_and_what_gives_way_is_counted() -> None:
    uplink = Uplink(RATE_HZ)
    for frame in word(1, round(KEEPS_MS / 20)):
        uplink.push(frame)
    assert uplink.lost_ms == 0
    for frame in word(2, 10):
        uplink.push(frame)

    assert uplink.lost_ms == 200
    assert uplink.waiting_ms == KEEPS_MS


def test_the_pauses_of_a_noisy_line_work_a_delay_off_and_its_soft_words_stay() -> None:
    chance = np.random.default_rng(5)

    def noisy(level: int, seconds: float) -> Int16:
        n = round(seconds * RATE_HZ)
        tone = level * np.sin(2 * np.pi * 300 * np.arange(n) / RATE_HZ)
        return np.rint(tone + chance.normal(0, 150, n)).astype(np.int16)

    uplink = Uplink(RATE_HZ)
    for _ in range(2):
        uplink.push(noisy(6_000, 0.9))
        uplink.push(noisy(0, 1.2))
    before_ms = uplink.waiting_ms
    uplink.push(noisy(0, 2.0))
    paused_ms = uplink.waiting_ms
    assert paused_ms < before_ms + 300
    uplink.push(noisy(1_500, 2.0))
    assert uplink.waiting_ms == paused_ms + 2_000
    assert uplink.lost_ms == 0


@pytest.mark.parametrize(
    ("speech", "rest", "left_out"),
    [
        (20_000, NOISE_MAX, True),
        (20_000, NOISE_MAX + 1, False),
        (2_000, 500, True),
        (2_000, 501, False),
        (500, 500, False),  # one who speaks softly on a line without noise
    ],
)
def test_noise_is_no_pause_where_it_might_be_speech(speech: int, rest: int, left_out: bool) -> None:
    uplink = Uplink(RATE_HZ)
    uplink.push(np.full(RATE_HZ, speech, np.int16))
    uplink.push(np.full(8 * RATE_HZ, rest, np.int16))

    assert (uplink.pauses_left_out_ms > 0) == left_out


def test_a_delay_is_gone_after_a_pause_of_its_length_and_stays_gone() -> None:
    uplink = Uplink(RATE_HZ)
    for frame in word(1, 50):
        uplink.push(frame)
    left_out = []
    for _ in range(70):
        uplink.push(ZERO)
        uplink.lane.pull_padded(FRAME)
        left_out.append(uplink.pauses_left_out_ms)

    assert uplink.waiting_ms <= LAG_MS
    assert 900 <= left_out[-1] <= 1_000
    assert left_out[-10] == left_out[-1]


# Through codec and ear, as a server of ours hears it


def tone(seconds: float, hz: int) -> list[Int16]:
    at = np.arange(round(seconds * 50) * FRAME) / RATE_HZ
    samples = (8_000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)
    return list(samples.reshape(-1, FRAME))


class Heard:
    """An ear behind the uplink's voice, and when it heard what; what it does not get is given."""

    loss_percent = 0

    def __init__(self, lost: Iterator[bool] | None = None) -> None:
        self.ear = Ear(self._hear, RATE_HZ)
        self.loud_ms: list[float] = []
        self.loud_at_s: list[float] = []
        self._lost = repeat(False) if lost is None else lost
        self._sequence = 0

    def send(self, payload: bytes, timestamp: int) -> None:
        self._sequence += 1
        if not next(self._lost):
            self.ear.put(self._sequence & 0xFFFF, timestamp, payload)

    def _hear(self, samples: Int16) -> None:
        if np.abs(samples.astype(np.int32)).max() > 2_000:
            self.loud_ms.append(ms(samples))
            self.loud_at_s.append(asyncio.get_running_loop().time())


async def spoken(heard: Heard, kept: list[Int16], live: list[Int16]) -> tuple[Uplink, Voice, float]:
    """What was kept, all at once, then the rest at its tempo; and when that was over."""
    uplink = Uplink(RATE_HZ)
    voice = Voice(uplink.lane, ahead_ms=AHEAD_MS)
    voice.attach(heard)
    await asyncio.sleep(0.3)
    uplink.push(np.concatenate(kept))
    for frame in live:
        uplink.push(frame)
        await asyncio.sleep(0.02)
    over_s = asyncio.get_running_loop().time()
    await asyncio.sleep(12)
    voice.close()
    heard.ear.close()
    return uplink, voice, over_s


@pytest.mark.parametrize("kept_s", [0.5, 1.0, 1.5, 3.0, 10.0])
def test_every_word_kept_for_a_room_is_heard_there_and_none_twice(kept_s: float) -> None:
    async def call() -> None:
        heard = Heard()
        uplink, voice, _ = await spoken(heard, tone(kept_s, 440), tone(2.0, 440))

        assert sum(heard.loud_ms) == pytest.approx(1000 * kept_s + 2_000, abs=41)
        figures = heard.ear.figures
        assert (figures.late, figures.repeated, figures.concealed_ms) == (0, 0, 0)
        assert voice.figures.ahead_ms <= AHEAD_MS
        assert uplink.lost_ms == 0

    run_virtual(call())


def test_what_was_kept_reaches_a_server_of_ours_at_twice_its_tempo() -> None:
    async def call() -> None:
        heard = Heard()
        await spoken(heard, tone(1.4, 440), tone(3.0, 440))

        begun_s = heard.loud_at_s[0]
        by_then = sum(
            each
            for each, at_s in zip(heard.loud_ms, heard.loud_at_s, strict=True)
            if at_s < begun_s + 1.0
        )
        assert by_then == pytest.approx(2_000, abs=61)

    run_virtual(call())


def test_the_delay_of_ten_kept_seconds_is_gone_after_the_next_pause() -> None:
    async def call() -> None:
        heard = Heard()
        live = [*tone(1.0, 440), *[ZERO] * 450, *tone(1.0, 880)]
        uplink, _, over_s = await spoken(heard, tone(10.0, 440), live)

        assert sum(heard.loud_ms) == pytest.approx(12_000, abs=81)
        assert heard.loud_at_s[-1] - over_s < 0.15
        assert 8_000 < uplink.pauses_left_out_ms < 9_000

    run_virtual(call())


def test_a_lossy_network_costs_what_it_loses_and_catching_up_costs_no_more() -> None:
    async def call() -> None:
        chance = np.random.default_rng(11)
        heard = Heard(bool(chance.random() < 0.05) for _ in repeat(None))
        await spoken(heard, tone(5.0, 440), tone(3.0, 440))

        assert sum(heard.loud_ms) == pytest.approx(8_000, abs=160)

    run_virtual(call())
