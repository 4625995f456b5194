"""Session descriptions: what is refused in one sentence, and whom it blames."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer
from bridge.legs.webrtc.sdp_text import MAX_BYTES, MAX_SECTIONS
from tests.fakes.rtc_pair import an_offer, make_side

BAD_OFFERS: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "garbage": lambda _: "\x00\xff not SDP " * 10,
    "a megabyte": lambda good: good + "a=x:y\r\n" * 150_000,
    "many sections": lambda good: good + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * (MAX_SECTIONS + 1),
    "no audio": lambda good: good.split("m=audio")[0] + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
    "no Opus": lambda good: good.replace("opus/48000/2", "speex/16000"),
    "no ICE": lambda good: good.replace("a=ice-ufrag", "a=x-ufrag"),
    "no fingerprint": lambda good: good.replace("a=fingerprint", "a=x-fingerprint"),
    "head alone": lambda good: good.split("m=")[0],
    "cut off": lambda good: good[: len(good) // 3],
    "a mid twice": lambda good: good.replace("a=mid:1", "a=mid:0"),
    "no such role": lambda good: good.replace("actpass", "secret"),
    "no such number": lambda good: good.replace("a=rtpmap:96 ", "a=rtpmap:secret "),
}


@pytest.mark.parametrize("what", BAD_OFFERS)
async def test_an_offer_that_cannot_be_used_is_refused_in_one_sentence(what: str) -> None:
    offer = BAD_OFFERS[what](await an_offer())
    side = make_side("strict")
    try:
        with pytest.raises(RemoteWireError) as refused:
            await side.peer.answer(offer, needs_audio=True)
        sentence = str(refused.value)
        assert "\n" not in sentence
        assert len(sentence) < 200
        for inside_out in ("secret", "object", "NoneType", "literal", "KeyError"):
            assert inside_out not in sentence
    finally:
        await side.close()


async def test_a_description_of_the_greatest_length_passes_and_a_longer_one_does_not() -> None:
    offer = await an_offer()
    filled = offer + "a=x:y\r\n" * ((MAX_BYTES - len(offer)) // 7)
    for text, passes in ((filled, True), (filled + "a=x:yyyyyy\r\n", False)):
        side = make_side("strict")
        try:
            if passes:
                await side.peer.answer(text)
            else:
                with pytest.raises(RemoteWireError, match="64 KiB"):
                    await side.peer.answer(text)
        finally:
            await side.close()


async def test_an_offer_damaged_anywhere_is_answered_or_refused() -> None:
    offer = await an_offer()
    lines = offer.split("\r\n")
    for skipped in range(len(lines)):
        side = make_side("patient")
        text = "\r\n".join(lines[:skipped] + lines[skipped + 1 :])
        with suppress(RemoteWireError):
            await side.peer.answer(text)
        await side.close()


async def test_a_description_that_comes_as_the_peer_closes_is_nobody_s_fault() -> None:
    offer = await an_offer()
    for n_steps in range(
        30
    ):  # each of them another wait that the close falls into; an answer takes about a dozen
        side = make_side("hasty")
        answering = asyncio.create_task(side.peer.answer(offer))
        for _ in range(n_steps):
            await asyncio.sleep(0)
        await side.close()
        [result] = await asyncio.gather(answering, return_exceptions=True)
        assert not isinstance(result, RemoteWireError)


async def test_an_external_address_takes_the_place_of_ours() -> None:
    peer = Peer(RtcOptions(external_address="203.0.113.7"), name="behind NAT")
    try:
        peer.expect_audio()
        offer = await peer.offer()
        hosts = {line.split()[4] for line in offer.split("\r\n") if line.startswith("a=candidate:")}
        assert hosts <= {"203.0.113.7", "127.0.0.1"} | {host for host in hosts if ":" in host}
    finally:
        await peer.close()
