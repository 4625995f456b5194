"""The ear: what it hands on under loss, jitter and bad packets; in virtual time."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.legs.webrtc import opus
from bridge.legs.webrtc.ear import OTHER_AFTER_S, Ear, EarFigures
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.fakes.lossy import FRAME_S, burst_loss, random_loss
from tests.fakes.lossy_speech import EAR_HZ, heard, intelligibility, packets

ANY_PACKET: Final = bytes([9 << 3]) + b"\x55" * 20


@pytest.mark.parametrize("pattern", [random_loss, burst_loss])
@pytest.mark.parametrize(
    ("loss", "percent", "least"), [(0.01, 0, 0.95), (0.05, 5, 0.85), (0.2, 20, 0.60)]
)
def test_speech_stays_intelligible_under_loss_and_jitter(
    loss: float, percent: int, least: float, pattern: Callable[[int, float, int], list[bool]]
) -> None:
    sent = packets(percent)
    for seed in range(2):
        assert intelligibility(sent, pattern(len(sent), loss, seed)) >= least, f"seed {seed}"


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
