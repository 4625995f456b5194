"""The peer: both roles on loopback, what it refuses, and that nothing of it stays."""

import asyncio
import gc
import os
import re
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from av import AudioFrame

from bridge.errors import BridgeError
from bridge.legs.webrtc import inside
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import MAX_CHANNELS, Peer
from bridge.legs.webrtc.sdp_text import MAX_CANDIDATES
from bridge.legs.webrtc.source_guard import MAX_REMOTE
from bridge_codecs.pcm import Int16
from tests.fakes.free_ports import free_udp_ports
from tests.fakes.rtc_pair import LOOPBACK, an_offer, connect, make_side, sides, tone, until


async def test_each_hears_what_the_other_says_and_messages_go_both_ways() -> None:
    async with sides() as (caller, answerer):
        channel = await connect(caller, answerer)
        assert channel is not None
        for side in (caller, answerer):
            side.lane.push(tone(0.4))
        await until(lambda: channel.open and bool(answerer.channels))
        assert channel.send("ping")
        assert answerer.channels[0].send(b"\x00pong")
        await until(lambda: answerer.messages == ["ping"] and caller.messages == [b"\x00pong"])
        await asyncio.sleep(0.5)
        for side in (caller, answerer):
            loud = side.audio[np.abs(side.audio) > 5_000]
            assert loud.size / LOOPBACK.ear_hz > 0.4 * 0.4  # half of a sine's samples are that high
            assert side.lane.ledger.sent_samples == 0.4 * LOOPBACK.voice_hz
        assert answerer.channels[0].label == "tipring"


async def test_a_message_that_is_longer_than_the_peer_takes_harms_nothing() -> None:
    async with sides() as (caller, answerer):
        caller.peer.open_channel("tipring").on_message = caller.messages.append
        caller.peer.speak()
        offer = await caller.peer.offer()
        small = re.sub(r"a=max-message-size:\d+", "a=max-message-size:1000", offer)
        assert small != offer
        await caller.peer.accept((await answerer.peer.answer(small)).sdp)
        await until(lambda: answerer.channels and answerer.channels[0].open)

        assert not answerer.channels[0].send("x" * 1_001)
        assert answerer.channels[0].send("x" * 1_000)
        await until(lambda: caller.messages == ["x" * 1_000])


async def test_a_foreign_peer_answers_our_offer_and_is_heard() -> None:
    side = make_side("offering")
    foreign = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        side.peer.open_channel("tipring")
        side.peer.expect_audio()
        side.peer.speak()
        offer = await side.peer.offer()
        await foreign.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        foreign.addTrack(AudioStreamTrack())
        await foreign.setLocalDescription()
        await side.peer.accept(foreign.localDescription.sdp)
        await until(lambda: side.audio.size > 1_600)
        assert np.abs(side.audio).max() < 8  # its track is silent
    finally:
        await side.close()
        await foreign.close()


async def test_video_is_answered_with_nothing_and_hurts_nobody() -> None:
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    side = make_side("answerer")
    try:
        browser.addTransceiver("audio", direction="sendrecv")
        browser.addTransceiver("video", direction="sendonly")
        await browser.setLocalDescription()
        answer = await side.peer.answer(browser.localDescription.sdp)
        assert "a=inactive" in answer.sdp.split("m=video")[1]
        await browser.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        await asyncio.wait_for(side.connected.wait(), 5)
    finally:
        await side.close()
        await browser.close()


async def test_a_later_offer_adds_a_track_to_a_connection_that_lives() -> None:
    async with sides() as (caller, answerer):
        channel = caller.peer.open_channel("first")
        caller.peer.expect_audio()
        answer = await answerer.peer.answer(await caller.peer.offer())
        await caller.peer.accept(answer.sdp)
        await until(lambda: channel.open)
        caller.lane.push(tone(5.0))
        assert not answerer.heard
        caller.peer.speak()
        again = await answerer.peer.answer(await caller.peer.offer())
        await caller.peer.accept(again.sdp)
        await until(lambda: answerer.audio.size > 1_600)
        assert again.voice_mid == answer.voice_mid


class Tone(AudioStreamTrack):
    """A microphone of aiortc's own."""

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz = hz
        self._at = 0

    async def recv(self) -> AudioFrame:
        frame = cast("AudioFrame", await super().recv())
        at = (self._at + np.arange(frame.samples)) / frame.sample_rate
        self._at += frame.samples
        frame.planes[0].update((8_000 * np.sin(2 * np.pi * self._hz * at)).astype("<i2").tobytes())
        return frame


def pitch(samples: Int16) -> float:
    """The loudest frequency of the last fifth of a second, Hz; 0 if that is silence."""
    last = samples[-LOOPBACK.ear_hz // 5 :].astype(np.float64)
    if not last.size or np.abs(last).max() < 1_000:
        return 0.0
    return float(np.abs(np.fft.rfft(last)).argmax() * LOOPBACK.ear_hz / last.size)


async def test_a_client_that_publishes_anew_is_heard_on_its_new_track() -> None:
    foreign, side = RTCPeerConnection(RTCConfiguration(iceServers=[])), make_side("answerer")

    async def publish(hz: float) -> RTCRtpTransceiver:
        transceiver = foreign.addTransceiver(Tone(hz), direction="sendonly")
        await foreign.setLocalDescription()
        answer = await side.peer.answer(foreign.localDescription.sdp)
        await foreign.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return transceiver

    try:
        first = await publish(400)
        await until(lambda: abs(pitch(side.audio) - 400) < 20)
        first.sender.track.stop()
        first.direction = "inactive"
        await publish(900)
        await until(lambda: abs(pitch(side.audio) - 900) < 20)
    finally:
        await side.close()
        await foreign.close()


async def test_what_is_said_while_nobody_is_connected_waits() -> None:
    side = make_side("alone")
    side.lane.push(tone(0.5))
    await asyncio.sleep(0.06)
    assert side.lane.depth_ms == 500
    await side.close()


async def test_offer_upon_offer_names_no_more_addresses_than_one() -> None:
    good = await an_offer()
    side = make_side("used against others")
    try:
        for i in range(4):
            named = "".join(
                f"a=candidate:{n} 1 udp 2130706431 127.0.0.{n + 1} {20_000 + i} typ host\r\n"
                for n in range(MAX_CANDIDATES - 1)
            )
            await side.peer.answer(good + named)
        [transport] = inside._ice_transports(side.peer._connection)
        known = transport._connection.remote_candidates
        assert len(known) == MAX_REMOTE
        assert any(each.port == 20_000 for each in known)
    finally:
        await side.close()


async def test_more_channels_than_allowed_are_closed() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        more = [caller.peer.open_channel(f"{i}") for i in range(MAX_CHANNELS + 3)]
        await until(lambda: sum(channel.open for channel in more) == MAX_CHANNELS - 1)
        assert len(answerer.channels) == MAX_CHANNELS


async def test_ports_come_from_the_range_and_one_that_is_full_says_so() -> None:
    free = free_udp_ports(2)
    options = RtcOptions(addresses=("127.0.0.1",), port_range=(free[0], free[-1]))
    made = [make_side(f"{i}", options) for i in range(3)]
    try:
        ports = set()
        for side in made[:2]:
            side.peer.expect_audio()
            offer = await side.peer.offer()
            ports.add(int(offer.split("m=audio ")[1].split()[0]))
        assert ports == set(free)
        made[2].peer.expect_audio()
        with pytest.raises(BridgeError, match="port range"):
            await made[2].peer.offer()
    finally:
        for side in made:
            await side.close()


async def test_nobody_is_asked_for_our_address_unless_it_is_configured() -> None:
    peer = Peer(LOOPBACK, name="discreet")
    peer.expect_audio()
    await peer.offer()
    transports = inside._ice_transports(peer._connection)
    assert [t._connection.stun_server for t in transports] == [None]
    await peer.close()


async def test_a_peer_that_was_never_connected_closes_and_closes_again() -> None:
    for asked in range(3):
        side = make_side("early")
        if asked:
            side.peer.expect_audio()
        if asked > 1:
            await side.peer.offer()
        await side.close()
        await side.close()
        with pytest.raises(BridgeError):
            await side.peer.answer(await an_offer())


async def test_a_peer_closed_while_it_connects_leaves_nothing() -> None:
    for pause_s in (0.0, 0.005, 0.01, 0.02, 0.03):
        async with sides() as (caller, answerer):
            caller.peer.expect_audio()
            caller.peer.speak()
            answer = await answerer.peer.answer(await caller.peer.offer())
            await caller.peer.accept(answer.sdp)
            await asyncio.sleep(pause_s)


async def test_the_other_side_notices_a_close() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        await caller.close()
        await until(lambda: answerer.states[-1] in ("closed", "failed"), 2)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_two_hundred_calls_one_after_the_other_leave_memory_flat() -> None:
    async def call() -> None:
        async with sides() as (caller, answerer):
            await connect(caller, answerer)
            caller.lane.push(tone(0.1))
            await asyncio.sleep(0.05)

    def resident_kb() -> float:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024

    sizes = []
    for _ in range(4):
        for _ in range(50):
            await call()
        sizes.append(resident_kb())
    assert sizes[-1] - sizes[0] < 3_000
