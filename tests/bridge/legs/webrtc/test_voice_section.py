"""On which section our voice goes out, and to which connection."""

import asyncio

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from tests.fakes.rtc_pair import connect, make_side, sides, tone, until


async def test_the_answer_says_where_our_voice_is_and_names_it_as_asked() -> None:
    async with sides() as (caller, answerer):
        answerer.peer.say(answerer.voice, ("PA_agent|TR_voice", "TR_voice"))
        caller.peer.expect_audio()
        caller.peer.speak()
        answer = await answerer.peer.answer(await caller.peer.offer())
        assert answer.voice_mid == "0"
        first = answer.sdp.split("m=audio")[1]
        assert "a=msid:PA_agent|TR_voice TR_voice" in first
        assert "a=sendonly" in first
        assert "useinbandfec=1" in first


async def test_a_section_for_both_directions_carries_both() -> None:
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    side = make_side("answerer")
    try:
        browser.addTransceiver("audio", direction="sendrecv")
        await browser.setLocalDescription()
        answer = await side.peer.answer(browser.localDescription.sdp, needs_audio=True)
        assert "a=sendrecv" in answer.sdp
        assert answer.voice_mid == "0"
        await browser.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        await asyncio.wait_for(side.connected.wait(), 5)
    finally:
        await side.close()
        await browser.close()


async def test_a_voice_moves_to_a_new_connection_and_is_heard_there_alone() -> None:
    async with sides() as (caller, answerer), sides() as (second, _unused):
        await connect(caller, answerer)
        answerer.lane.push(tone(10.0))
        await until(lambda: caller.audio.size > 1_600)
        new = make_side("new")
        try:
            new.peer.say(answerer.voice)
            await connect(second, new, channel=False)
            await until(lambda: second.audio.size > 1_600)
            await answerer.peer.close()
            n = second.audio.size
            await until(lambda: second.audio.size > n + 1_600)
        finally:
            await new.close()
