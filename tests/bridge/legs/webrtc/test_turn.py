"""Connections through somebody else's STUN and TURN server: coturn, on loopback."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.legs.webrtc import inside
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.legs.webrtc.server_watch import ServerWatch
from bridge.legs.webrtc.source_guard import GuardedConnection
from tests.fakes.rtc_pair import LOOPBACK, Side, connect, make_side, sides, tone, until
from tests.fakes.turn_server import USER, WORD, TurnServer, turn_server

OPTIONS = replace(LOOPBACK, private_peers="allow")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TurnServer]:
    async with turn_server(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.legs.webrtc.source_guard.watch", ServerWatch())


def through(url: str, word: str = WORD) -> RtcOptions:
    return replace(OPTIONS, ice_servers=(IceServer(url, USER, word),))


def candidates(sdp: str, kind: str) -> list[int]:
    """The ports of these."""
    return [
        int(port) for port in re.findall(rf"^a=candidate:.* (\d+) typ {kind}\b", sdp, re.MULTILINE)
    ]


def relayed_only(sdp: str) -> str:
    return "\r\n".join(
        line
        for line in sdp.split("\r\n")
        if not line.startswith("a=candidate:") or " typ relay" in line
    )


def connection_of(side: Side) -> GuardedConnection:
    [transport] = inside._ice_transports(side.peer._connection)
    connection = transport._connection
    assert isinstance(connection, GuardedConnection)
    return connection


async def test_a_stun_server_says_where_we_are_seen(server: TurnServer) -> None:
    side = make_side("seen", replace(OPTIONS, ice_servers=(IceServer(server.stun),)))
    try:
        side.peer.expect_audio()
        offer = await side.peer.offer()
        assert candidates(offer, "srflx") == candidates(offer, "host")
    finally:
        await side.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_through_a_turn_server_alone_is_heard_both_ways(
    server: TurnServer, transport: str
) -> None:
    async with sides(through(server.turn(transport))) as (caller, answerer):
        channel = caller.peer.open_channel("tipring")
        channel.on_message = caller.messages.append
        caller.peer.expect_audio()
        caller.peer.speak()
        offer = await caller.peer.offer()
        assert set(candidates(offer, "relay")) <= set(server.relays)
        keep_to_relays(caller)
        answer = await answerer.peer.answer(relayed_only(offer))
        keep_to_relays(answerer)
        await caller.peer.accept(relayed_only(answer.sdp))
        await until(lambda: caller.connected.is_set() and answerer.connected.is_set(), 10.0)
        for side in (caller, answerer):
            pair = connection_of(side)._nominated[1]
            assert pair.local_candidate.type == "relay"
            assert pair.remote_addr[1] in server.relays
            side.lane.push(tone(1.0))
        await until(lambda: all((abs(side.audio) > 5_000).any() for side in (caller, answerer)))
        await until(lambda: channel.open and answerer.channels)
        channel.send("through")
        await until(lambda: answerer.messages == ["through"])


def keep_to_relays(side: Side) -> None:
    """As behind a firewall: checks from its own sockets reach nobody."""
    for protocol in connection_of(side)._protocols:
        if protocol.local_candidate.type == "host":
            protocol.send_stun = lambda *_: None  # type: ignore[method-assign]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_wrong_credential_is_one_sentence_in_the_log_and_calls_connect_all_the_same(
    server: TurnServer, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bridge")
    for _ in range(2):
        async with sides(through(server.turn(transport), "wrong")) as (caller, answerer):
            await connect(caller, answerer)
    [said] = [record.getMessage() for record in caplog.records if record.name.startswith("bridge")]
    assert said == (
        "! the TURN server of WebRTC calls refuses the username or the credential of ice_servers; "
        "calls do without it"
    )


async def test_a_server_that_a_room_has_named_is_no_fault_of_the_configuration(
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = replace(through("turn:127.0.0.1:9?transport=tcp"), room_servers=True)
    side = make_side("in a room", options)
    side.peer.expect_audio()
    await side.peer.offer()
    await side.close()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("bridge")]
    assert said == [
        "! the TURN server of a room that was joined cannot be reached; calls do without it"
    ]


async def test_a_server_that_is_of_use_again_is_told_once(
    server: TurnServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bridge")
    for word in ("wrong", WORD, WORD):
        side = make_side("caller", through(server.turn("udp"), word))
        side.peer.expect_audio()
        offer = await side.peer.offer()
        assert bool(candidates(offer, "relay")) is (word == WORD)
        await side.close()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("bridge")]
    assert len(said) == 2
    assert said[1] == "= the TURN server of WebRTC calls is of use again"
    assert WORD not in caplog.text


async def test_a_server_that_nobody_runs_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    async with sides(through("turn:127.0.0.1:9?transport=tcp")) as (caller, answerer):
        await connect(caller, answerer)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("bridge")]
    assert said == [
        "! the TURN server of WebRTC calls cannot be reached: look at its address; calls do without it"
    ]
