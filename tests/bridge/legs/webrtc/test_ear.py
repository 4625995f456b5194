"""The ear: what it hands on under loss, jitter and bad packets; in virtual time."""

import asyncio
import random
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pystoi import stoi

from bridge.brains.speech.espeak import EspeakVoice
from bridge.legs.webrtc import opus
from bridge.legs.webrtc.ear import OTHER_AFTER_S, Ear, EarFigures
from bridge.legs.webrtc.opus import make_encoder
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler
from tests.fakes.lossy import arrivals, burst_loss, random_loss

SEND_HZ: Final = 24_000
EAR_HZ: Final = 16_000
FRAME_S: Final = 0.02
JITTER_S: Final = 0.02
LAG_S: Final = 0.0065
"""How far the encoder looks ahead."""
WORDS: Final = (
    "The quick brown fox jumps over the lazy dog near the river bank. She sells sea shells by the sea shore. ",
    "He thought about seven thick thistle sticks. We were away a year ago, when the weather changed for good.",
)
ANY_PACKET: Final = bytes([9 << 3]) + b"\x55" * 20


@cache
def speech() -> Int16:
    """Some eleven seconds at `SEND_HZ`."""

    async def say() -> Int16:
        voice = EspeakVoice()
        try:
            spoken = [(await voice.say(text)).samples for text in WORDS]
        finally:
            await voice.close()
        return np.concatenate(spoken)

    return resampled(asyncio.run(say()), EspeakVoice.rate_hz, SEND_HZ)


@cache
def packets(percent: int) -> tuple[bytes, ...]:
    """The speech as a sender encodes it who knows of so much loss."""
    encoder = make_encoder(SEND_HZ, 28_000)
    encoder.expect_loss(percent)
    n = encoder.frame_samples
    samples = speech()
    return tuple(encoder.encode(samples[i : i + n]) for i in range(0, samples.size - n + 1, n))


def resampled(samples: Int16, from_hz: int, to_hz: int) -> Int16:
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def heard(sent: tuple[bytes, ...], comes: list[bool], *, jitter_s: float = JITTER_S) -> Int16:
    """What an ear makes of what comes, until the last packet's time is over."""

    async def listen() -> Int16:
        loop = asyncio.get_running_loop()
        out: list[Int16] = []
        ear = Ear(out.append, EAR_HZ)
        began_s = loop.time()
        for at_s, index in arrivals(comes, jitter_s, 7):
            await asyncio.sleep(max(0.0, began_s + at_s - loop.time()))
            ear.put(index & 0xFFFF, 960 * index, sent[index])
        end_s = began_s + FRAME_S * len(comes) + ear.figures.patience_ms / 1000
        await asyncio.sleep(max(0.0, end_s - loop.time()))
        ear.close()
        return np.concatenate(out)

    return run_virtual(listen())


@pytest.mark.parametrize("pattern", [random_loss, burst_loss])
@pytest.mark.parametrize(
    ("loss", "percent", "least"), [(0.01, 0, 0.95), (0.05, 5, 0.85), (0.2, 20, 0.60)]
)
def test_speech_stays_intelligible_under_loss_and_jitter(
    loss: float, percent: int, least: float, pattern: Callable[[int, float, int], list[bool]]
) -> None:
    sent = packets(percent)
    clean = resampled(speech(), SEND_HZ, EAR_HZ)
    for seed in range(2):
        comes = pattern(len(sent), loss, seed)
        audio = heard(sent, comes)[round(LAG_S * EAR_HZ) :]
        n = min(clean.size, audio.size)
        assert stoi(clean[:n], audio[:n], EAR_HZ) >= least, f"seed {seed}"


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05, 0.2])
def test_what_is_heard_is_as_long_as_what_was_said(loss: float) -> None:
    n = 1_000
    for seed in range(3):
        audio = heard((ANY_PACKET,) * n, random_loss(n, loss, seed))
        assert abs(audio.size / EAR_HZ - n * FRAME_S) <= 0.02 * n * FRAME_S / 10


async def _an_ear(rate_hz: int = EAR_HZ) -> tuple[Ear, list[Int16]]:
    out: list[Int16] = []
    return Ear(out.append, rate_hz), out


def test_audio_in_order_is_handed_on_at_once() -> None:
    async def call() -> None:
        ear, out = await _an_ear()
        for index in range(5):
            ear.put(index, 960 * index, ANY_PACKET)
            assert len(out) == index + 1
            assert out[-1].dtype == np.int16
            assert out[-1].shape == (EAR_HZ // 50,)
            await asyncio.sleep(FRAME_S)
        ear.close()

    run_virtual(call())


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 24_000, 48_000])
def test_every_rate_of_opus_is_heard_at_its_own_length(rate_hz: int) -> None:
    async def call() -> None:
        ear, out = await _an_ear(rate_hz)
        for index in (0, 1, 3, 4):
            ear.put(index, 960 * index, ANY_PACKET)
            await asyncio.sleep(FRAME_S)
        await asyncio.sleep(0.2)
        ear.close()
        assert sum(len(samples) for samples in out) >= 5 * rate_hz // 50
        assert {len(samples) for samples in out} == {rate_hz // 50}

    run_virtual(call())


def test_time_goes_on_when_the_peer_is_gone_and_stands_still_after_close() -> None:
    async def call() -> None:
        ear, out = await _an_ear()
        ear.put(0, 0, ANY_PACKET)
        await asyncio.sleep(2.0)
        assert abs(sum(map(len, out)) / EAR_HZ - 2.0) < 0.1
        assert ear.figures.silent_ms > 1_500
        ear.close()
        n = len(out)
        ear.put(1, 960, ANY_PACKET)
        await asyncio.sleep(1.0)
        assert len(out) == n

    run_virtual(call())


def test_another_stream_is_not_heard_beside_the_first_but_after_it() -> None:
    async def call() -> None:
        ear, out = await _an_ear()
        for index in range(20):
            ear.put(index, 960 * index, ANY_PACKET, ssrc=1)
            ear.put(index, 5_000_000 + 960 * index, ANY_PACKET, ssrc=2)
            await asyncio.sleep(FRAME_S)
        assert ear.figures.foreign == 20
        assert len(out) <= 21
        await asyncio.sleep(OTHER_AFTER_S)
        ear.put(20, 5_000_000 + 960 * 40, ANY_PACKET, ssrc=2)
        assert ear.figures.received == 21
        ear.close()

    run_virtual(call())


@pytest.mark.parametrize("cut", range(40))
def test_a_packet_cut_off_anywhere_costs_no_time_and_hurts_nobody(cut: int) -> None:
    async def call() -> None:
        ear, out = await _an_ear()
        sent = packets(0)
        for index in range(30):
            payload = sent[index + 50]
            ear.put(index, 960 * index, payload[:cut] if index == 15 else payload)
            await asyncio.sleep(FRAME_S)
        await asyncio.sleep(0.1)
        ear.close()
        length_s = sum(map(len, out)) / EAR_HZ
        assert abs(length_s - 0.68) <= 0.04

    run_virtual(call())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_whatever_stands_in_packets_the_ear_goes_on(payloads: list[bytes], seed: int) -> None:
    async def call() -> None:
        rng = random.Random(seed)
        ear, out = await _an_ear()
        for index, payload in enumerate(payloads):
            ear.put(index, 960 * index + rng.choice((0, 0, 0, 7, 480)), payload)
            await asyncio.sleep(FRAME_S)
        ear.put(1_000, 960 * len(payloads), ANY_PACKET)
        await asyncio.sleep(0.3)
        ear.close()
        assert sum(map(len, out)) > 0

    run_virtual(call())


def test_without_libopus_time_is_right_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "_LIB", None)
    n = 100
    audio = heard(packets(0)[:n], random_loss(n, 0.1, 3))
    assert abs(audio.size / EAR_HZ - n * FRAME_S) <= 0.02


class HastyLoop:
    """A loop that gives a plain handle for an instant that is past, as uvloop does."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.armed: list[float] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, call: Callable[[], None]) -> "HastyLoop":
        assert callable(call)
        self.armed.append(when_s)
        return self

    def cancel(self) -> None:
        self.armed.pop()


def test_a_timer_that_has_no_instant_is_a_timer_all_the_same() -> None:
    async def call() -> None:
        ear, out = await _an_ear()
        loop = HastyLoop()
        ear._loop = loop  # type: ignore[assignment]
        for index in range(20):
            ear.put(index, 960 * index, ANY_PACKET)
            loop.now_s += FRAME_S
        assert len(out) == 20
        assert len(loop.armed) == 1

    run_virtual(call())


@pytest.mark.parametrize(("percent", "recovers"), [(0, False), (20, True)])
def test_what_was_lost_and_what_of_it_was_recovered_is_counted(
    percent: int, recovers: bool
) -> None:
    sent = packets(percent)
    gone = range(100, 400, 10)

    async def listen() -> EarFigures:
        ear, _ = await _an_ear()
        for index in range(450):
            if index not in gone:
                ear.put(index, 960 * index, sent[index])
            await asyncio.sleep(FRAME_S)
        ear.close()
        return ear.figures

    figures = run_virtual(listen())
    assert figures.lost == len(gone)
    assert figures.concealed_ms == 20 * len(gone)
    assert (figures.recovered > len(gone) / 2) == recovers
    assert figures.missed_ms == 20 * (len(gone) - figures.recovered)
    assert 0 < figures.depth_max_ms < 60
