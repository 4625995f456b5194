"""Candidates that trickle in: kept, bounded, never waited for."""

import asyncio

from bridge.legs.webrtc.sdp_text import MAX_CANDIDATES
from bridge.legs.webrtc.trickle import MAX_CANDIDATE_CHARS
from tests.fakes.rtc_pair import connect, make_side, sides, until


async def test_candidates_may_come_before_the_description_and_in_any_shape() -> None:
    async with sides() as (caller, answerer):
        caller.peer.expect_audio()
        caller.peer.speak()
        offer = await caller.peer.offer()
        found = [line for line in offer.split("\r\n") if line.startswith("a=candidate:")]
        bare = "\r\n".join(line for line in offer.split("\r\n") if not line.startswith("a=cand"))
        answerer.peer.add_candidate({"candidate": found[0][2:], "sdpMid": "0", "sdpMLineIndex": 0})
        no_candidate = ('{"candidate": 1}', '{"candidate": "candidate:x"}', "1", 1_000 * "[")
        for bad in ("", "[]", "{", "null", *no_candidate):
            answerer.peer.add_candidate(bad)
        answer = await answerer.peer.answer(bare)
        for line in answer.sdp.split("\r\n"):
            if line.startswith("a=candidate:"):
                answer = answer._replace(sdp=answer.sdp.replace(line + "\r\n", ""))
        await caller.peer.accept(answer.sdp)
        await asyncio.wait_for(answerer.connected.wait(), 5)


async def test_candidates_by_the_thousand_are_not_kept() -> None:
    side = make_side("flooded")
    text = "candidate:1 1 udp 2130706431 127.0.0.{} {} typ host"
    for i in range(3_000):
        side.peer.add_candidate(
            {"candidate": text.format(1 + i % 200, 1_000 + i), "sdpMid": "0", "sdpMLineIndex": 0}
        )
    assert len(side.peer._trickle._kept) == MAX_CANDIDATES
    await side.close()


async def test_names_of_mdns_hold_nothing_up() -> None:
    names = [f"0f5b1c1e-4a4f-4d5e-9d0f-7f9d5a1b2c{n:02}.local" for n in range(20)]
    async with sides() as (caller, answerer):
        caller.peer.expect_audio()
        caller.peer.speak()
        offer = await caller.peer.offer()
        line = next(each for each in offer.split("\r\n") if each.startswith("a=candidate"))
        hidden = "".join(line.replace("127.0.0.1", name) + "\r\n" for name in names)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        answer = await answerer.peer.answer(offer.replace(f"{line}\r\n", hidden))
        for name in names:
            answerer.peer.add_candidate(
                {"candidate": f"candidate:1 1 udp 1 {name} 5000 typ host", "sdpMid": "0"}
            )
        assert loop.time() - began_s < len(names) / 2  # each would be waited for a second
        await caller.peer.accept(answer.sdp)
        await asyncio.wait_for(answerer.connected.wait(), 5)


async def test_what_cannot_be_a_candidate_is_passed_over_in_any_shape_and_length() -> None:
    side = make_side("patient")
    good = {"candidate": "candidate:1 1 udp 1 127.0.0.1 5000 typ host", "sdpMid": "0"}
    long = {**good, "candidate": good["candidate"] + " x" * MAX_CANDIDATE_CHARS}
    for bad in (
        long,
        "x" * (MAX_CANDIDATE_CHARS + 1),
        {**good, "sdpMid": None},
        {**good, "candidate": ""},
    ):
        side.peer.add_candidate(bad)
    assert side.peer._trickle._kept == []
    side.peer.add_candidate(good)
    assert len(side.peer._trickle._kept) == 1
    await side.close()


async def test_a_candidate_that_cannot_be_added_harms_nothing_and_none_outlives_its_peer() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer, channel=False)
        nowhere = {"candidate": "candidate:1 1 udp 1 127.0.0.1 5000 typ host", "sdpMid": "no such"}
        answerer.peer.add_candidate(nowhere)
        assert len(answerer.peer._trickle._tasks) == 1
        await until(lambda: not answerer.peer._trickle._tasks)
        answerer.peer.add_candidate(
            {**nowhere, "candidate": "candidate:1 1 udp 1 a.local 5000 typ host"}
        )
        assert answerer.peer.state == "connected"
