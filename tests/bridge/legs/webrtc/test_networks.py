"""Peers on networks that are not kind: lossy, without any address, behind STUN, with somebody else's certificate."""

import asyncio
import random
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aioice import stun

from bridge.legs.webrtc import inside, source_guard
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.legs.webrtc.source_guard import GATHER_S, GuardedProtocol
from bridge.loops import new_event_loop
from bridge_codecs.pcm import Int16
from tests.fakes.lossy_relay import Weather, relay
from tests.fakes.own_time import own_time_s
from tests.fakes.rtc_pair import LOOPBACK, connect, make_side, sides, tone, until

ROOT = Path(__file__).parents[4]
SETTLED_S = 2.0
"""The jitter buffer knows the network by then."""


class Lossy:
    """Every datagram towards our sockets is lost with a chance, or comes later; STUN, DTLS and RTP alike."""

    def __init__(self, loss: float, jitter_s: float, seed: int) -> None:
        self._loss = loss
        self._jitter_s = jitter_s
        self._rng = random.Random(seed)
        self._through = GuardedProtocol.datagram_received

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lossy = self

        def received(protocol: GuardedProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
            if lossy._rng.random() >= lossy._loss:
                after_s = lossy._rng.uniform(0, lossy._jitter_s)
                loop = asyncio.get_running_loop()
                loop.call_later(after_s, lossy._through, protocol, data, addr)

        monkeypatch.setattr(GuardedProtocol, "datagram_received", received)


async def connecting_s(weather: Weather) -> float:
    """From an offer to a connection, s of our own time, both peers ours; all packets suffer, both ways."""
    async with relay(weather) as between, sides() as (caller, answerer):
        channel = caller.peer.open_channel("tipring")
        caller.peer.expect_audio()
        caller.peer.speak()
        offer = between.hide_browser(await caller.peer.offer())
        began_s = own_time_s()
        answer = await answerer.peer.answer(offer)
        await caller.peer.accept(between.hide_server(answer.sdp))
        await until(lambda: caller.connected.is_set() and answerer.connected.is_set(), 20.0)
        took_s = own_time_s() - began_s
        await until(lambda: channel.open, 20.0)
        return took_s


async def heard_on(
    loss: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[float, float]]:
    """At each instant how far what was heard is ahead of the time that passed, s."""
    ahead: list[tuple[float, float]] = []
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        Lossy(loss, 0.02, seed=4).install(monkeypatch)
        loop = asyncio.get_running_loop()
        heard, began_s = 0, loop.time()

        def hear(samples: Int16) -> None:
            nonlocal heard
            heard += samples.size
            now_s = loop.time() - began_s
            ahead.append((now_s, heard / LOOPBACK.ear_hz - now_s))

        answerer.peer.hear(hear)
        caller.lane.push(tone(seconds))
        await asyncio.sleep(seconds)
    return ahead


def typical(ahead: list[tuple[float, float]], from_s: float) -> float:
    """Of a second: single packets come early and late, and behind a hole they are waited for."""
    return statistics.median(s for at_s, s in ahead if from_s <= at_s < from_s + 1)


@pytest.mark.parametrize(
    "loss", [0.2, *(pytest.param(loss, marks=pytest.mark.slow) for loss in (0.0, 0.05))]
)
async def test_audio_is_as_long_as_the_call_on_a_lossy_network(
    loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = await heard_on(loss, 2.7, monkeypatch)

    # The fastest packets tell: a busy machine holds up the others.
    begin, end = (
        max(s for at_s, s in ahead if from_s <= at_s < from_s + 1) for from_s in (0.2, 1.7)
    )
    assert abs(end - begin) < 0.08


@pytest.mark.slow
@pytest.mark.parametrize("loss", [0.05, 0.2])
async def test_ten_seconds_on_a_lossy_network_are_heard_to_20_ms(
    loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = await heard_on(loss, SETTLED_S + 11.0, monkeypatch)

    assert abs(typical(ahead, SETTLED_S + 10.0) - typical(ahead, SETTLED_S)) <= 0.02


@pytest.mark.parametrize(
    ("loss", "bursty", "within_s"),
    [
        (0.05, False, 2.0),
        (0.05, True, 2.0),
        pytest.param(0.2, True, 10.0, marks=pytest.mark.slow),
    ],
)
async def test_a_connection_comes_about_soon_where_every_kind_of_packet_is_lost(
    loss: float, bursty: bool, within_s: float
) -> None:
    for seed in (1, 2):
        assert await connecting_s(Weather(loss, 0.02, bursty, True, seed)) <= within_s


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("bursty", [False, True])
@pytest.mark.parametrize(("loss", "within_s"), [(0.01, 2.0), (0.05, 2.0), (0.2, 10.0)])
async def test_connections_come_about_in_time_whatever_the_seed(
    loss: float, bursty: bool, within_s: float
) -> None:
    took = [await connecting_s(Weather(loss, 0.02, bursty, True, seed)) for seed in range(5)]
    assert max(took) <= within_s


async def test_a_machine_with_no_address_but_loopback_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_guard, "get_host_addresses", lambda **_: [])
    async with sides(RtcOptions()) as (caller, answerer):
        await connect(caller, answerer)


def test_two_peers_talk_on_the_loop_that_the_service_runs_on() -> None:
    async def call() -> None:
        async with sides() as (caller, answerer):
            await connect(caller, answerer)
            caller.lane.push(tone(0.3))
            await until(lambda: bool((abs(answerer.audio) > 5_000).any()))

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(call())


_ALONE = """
import asyncio
from tests.fakes.lossy_relay import Weather, relay
from tests.fakes.rtc_pair import connect, sides
from bridge.legs.webrtc.options import RtcOptions

async def call():
    async with sides(RtcOptions()) as (caller, answerer):
        await connect(caller, answerer)

asyncio.run(call())
"""


@pytest.mark.slow
def test_two_peers_connect_in_a_network_namespace_of_their_own() -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    script = f"ip link set lo up && exec \"{sys.executable}\" -c '{_ALONE}'"
    subprocess.run([unshare, "-rn", "sh", "-c", script], check=True, cwd=ROOT, timeout=50)


async def test_loopback_is_offered_beside_others_if_it_is_asked_for() -> None:
    for asked in (True, False):
        side = make_side("local", RtcOptions(loopback=asked))
        side.peer.expect_audio()
        offer = await side.peer.offer()
        hosts = {line.split()[4] for line in offer.split("\r\n") if line.startswith("a=candidate:")}
        assert ("127.0.0.1" in hosts) is (asked or len(hosts) == 1)
        await side.close()


async def test_who_has_another_certificate_than_it_said_is_not_heard() -> None:
    async with sides() as (caller, answerer):
        caller.peer.expect_audio()
        caller.peer.speak()
        caller.lane.push(tone(5.0))
        answer = await answerer.peer.answer(await caller.peer.offer())
        forged = re.sub(r"(a=fingerprint:\S+ )\S\S:\S\S", r"\g<1>00:11", answer.sdp)
        await caller.peer.accept(forged)
        await until(lambda: "failed" in caller.states)
        assert not caller.heard


class StunServer(asyncio.DatagramProtocol):
    """Says that everybody is at one address."""

    SEEN_AT = ("203.0.113.9", 54_321)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = stun.parse_message(data)
        answer = stun.Message(asked.message_method, stun.Class.RESPONSE, asked.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = self.SEEN_AT
        self.transport.sendto(bytes(answer), addr)


async def test_a_stun_server_that_is_configured_is_asked() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    options = RtcOptions(
        addresses=("127.0.0.1",), ice_servers=(IceServer(f"stun:127.0.0.1:{port}"),)
    )
    side = make_side("behind NAT", options)
    try:
        side.peer.expect_audio()
        offer = await side.peer.offer()
        assert "203.0.113.9 54321 typ srflx" in offer
    finally:
        await side.close()
        transport.close()


async def test_a_server_that_does_not_answer_holds_an_offer_up_for_two_seconds_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert GATHER_S <= 2.0
    defaults = source_guard.GuardedConnection.get_component_candidates.__defaults__
    assert defaults == (GATHER_S,)
    monkeypatch.setattr(
        source_guard.GuardedConnection.get_component_candidates, "__defaults__", (0.1,)
    )
    server = (IceServer("stun:127.0.0.1:9"), IceServer("turn:127.0.0.1:9", "user", "word"))
    side = make_side("patient", RtcOptions(addresses=("127.0.0.1",), ice_servers=server))
    try:
        side.peer.expect_audio()
        async with asyncio.timeout(3.0):
            offer = await side.peer.offer()
        assert "typ host" in offer
        assert "typ srflx" not in offer
    finally:
        await side.close()


class SlowTurnServer(asyncio.DatagramProtocol):
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[stun.Message, tuple[str, int]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append((stun.parse_message(data), addr))

    def answer(self) -> None:
        for asked, addr in self.asked:
            said = stun.Message(asked.message_method, stun.Class.RESPONSE, asked.transaction_id)
            said.attributes["LIFETIME"] = 600
            said.attributes["XOR-MAPPED-ADDRESS"] = addr
            said.attributes["XOR-RELAYED-ADDRESS"] = ("127.0.0.1", 50_000)
            self.transport.sendto(bytes(said), addr)

    def kinds(self) -> set[stun.Method]:
        return {asked.message_method for asked, _ in self.asked}


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_connection_that_is_closed_while_servers_are_asked_leaves_nothing_behind(
    cancelled: bool,
) -> None:
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    transport, server = await loop.create_datagram_endpoint(
        SlowTurnServer, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    servers = (IceServer(f"stun:127.0.0.1:{port}"), IceServer(f"turn:127.0.0.1:{port}", "u", "w"))
    side = make_side("hasty", RtcOptions(addresses=("127.0.0.1",), ice_servers=servers))
    try:
        side.peer.expect_audio()
        offering = asyncio.create_task(side.peer.offer())
        await until(lambda: len(server.kinds()) == 2)
        if cancelled:
            offering.cancel()
            await asyncio.wait((offering,))
        await side.close()
        await asyncio.wait((offering,), timeout=GATHER_S / 2)
        assert offering.done()
        server.answer()
        asked = len(server.asked)
        await asyncio.sleep(0.3)
        assert len(server.asked) == asked
        assert asyncio.all_tasks() == before
    finally:
        transport.close()


async def test_a_relay_that_comes_when_nobody_wants_it_is_given_back() -> None:
    closed: list[bool] = []
    relay = SimpleNamespace(transport=SimpleNamespace(close=lambda: closed.append(True)))

    async def found(protocol: object) -> Any:
        return None, protocol

    async def refused() -> Any:
        raise ConnectionError

    async def late() -> Any:
        await asyncio.sleep(9.0)

    tasks = [asyncio.create_task(each) for each in (found(relay), found(None), refused())]
    await asyncio.wait(tasks)
    source_guard._give_up([*tasks, asyncio.create_task(late())])
    await until(lambda: bool(closed))
    assert closed == [True]


async def test_a_turn_server_is_used_as_it_is_configured() -> None:
    server = IceServer("turns:turn.example:5350?transport=tcp", "user", "word")
    side = make_side("far away", RtcOptions(ice_servers=(server,)))
    side.peer.expect_audio()
    [transport] = inside._ice_transports(side.peer._connection)
    connection = transport._connection
    assert connection.turn_server == ("turn.example", 5_350)
    assert (connection.turn_username, connection.turn_password) == ("user", "word")
    assert (connection.turn_ssl, connection.turn_transport) == (True, "tcp")
    await side.close()
