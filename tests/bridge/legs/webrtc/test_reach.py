"""Which addresses a peer may have us ask, and which we answer."""

import asyncio
import socket
from typing import Any, Final

import pytest
from aioice.candidate import Candidate
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.webrtc import inside, source_guard
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.reach import PrivatePeers, Reach
from bridge.legs.webrtc.source_guard import GuardedConnection
from tests.fakes.rtc_pair import LOOPBACK, Side, connect, make_side, sides, until

NOBODY: Final = (
    *("0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.1.1", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255", "::", "fe80::1", "fe80::1%eth0", "ff02::fb"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "no address", ""),
)
LOOPBACKS: Final = ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
PRIVATE: Final = (
    *("10.0.0.7", "172.16.0.1", "172.31.255.255", "192.168.1.9", "100.64.0.1", "198.18.0.1"),
    *(
        "fd00::7",
        "fec0::1",
        "64:ff9b:1::a00:7",
        "64:ff9b:1:ffff::1",
        "::ffff:10.0.0.7",
        "64:ff9b::a00:7",
        "2002:c0a8:109::1",
    ),
)
PUBLIC: Final = (
    *("8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2a00:1450::8"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:2::1"),
)
PORT: Final = 40_000


def at_home(policy: PrivatePeers = "auto") -> Reach:
    return Reach(policy, ["192.168.1.2", "2a00:1450::2"])


@pytest.mark.parametrize("host", NOBODY)
@pytest.mark.parametrize("policy", ["auto", "allow", "deny"])
def test_what_is_nobody_is_neither_asked_nor_answered(host: str, policy: PrivatePeers) -> None:
    for own in (["192.168.1.2"], ["127.0.0.1"], ["203.0.113.7"]):
        reach = Reach(policy, own)
        assert not reach.may_ask(host, PORT)
        assert not reach.may_answer(host)


@pytest.mark.parametrize("host", PUBLIC)
@pytest.mark.parametrize("policy", ["auto", "allow", "deny"])
def test_public_addresses_are_always_asked(host: str, policy: PrivatePeers) -> None:
    for own in (["192.168.1.2"], ["127.0.0.1"], ["203.0.113.7"]):
        assert Reach(policy, own).may_ask(host, PORT)
        assert Reach(policy, own).may_answer(host)


@pytest.mark.parametrize("host", PRIVATE)
def test_private_ones_are_asked_where_ours_are_private_and_nobody_comes_from_elsewhere(
    host: str,
) -> None:
    assert at_home().may_ask(host, PORT)
    for external in ("203.0.113.7", "2001:db8::1", "10.0.0.9"):
        assert not Reach("auto", ["192.168.1.2"], external=external).may_ask(host, PORT)
    assert not Reach("auto", ["192.168.1.2"], servers=True).may_ask(host, PORT)
    assert not Reach("auto", ["192.168.1.2", "203.0.113.7"]).may_ask(host, PORT)
    assert not at_home("deny").may_ask(host, PORT)
    assert Reach("allow", ["203.0.113.7"]).may_ask(host, PORT)


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        (["10.0.0.5"], True),
        (["10.0.0.5", "2a00:1450::2"], True),
        (["10.0.0.5", "203.0.113.7"], False),
        (["203.0.113.7", "fd00::2"], False),
        (["2a00:1450::2"], False),
        (["fd00::2", "2a00:1450::2"], False),
        (["fd00::2"], True),
    ],
)
def test_addresses_of_ipv6_count_only_where_we_have_no_other(own: list[str], asked: bool) -> None:
    assert Reach("auto", own).may_ask("10.0.0.1", PORT) is asked


@pytest.mark.parametrize("host", LOOPBACKS)
def test_loopback_is_asked_where_one_of_ours_is_loopback(host: str) -> None:
    assert Reach("auto", ["127.0.0.1"]).may_ask(host, PORT)
    assert Reach("auto", ["192.168.1.2", "::1"]).may_ask(host, PORT)
    assert not at_home().may_ask(host, PORT)
    assert not Reach("auto", ["203.0.113.7", "127.0.0.1"]).may_ask(host, PORT)
    assert not Reach("deny", ["127.0.0.1"]).may_ask(host, PORT)
    assert Reach("allow", ["203.0.113.7"]).may_ask(host, PORT)


@pytest.mark.parametrize("host", [*PRIVATE, *LOOPBACKS])
def test_who_has_signed_its_check_is_answered_wherever_it_is_unless_that_is_denied(
    host: str,
) -> None:
    assert Reach("auto", ["203.0.113.7"]).may_answer(host)
    assert Reach("allow", ["203.0.113.7"]).may_answer(host)
    assert not Reach("deny", ["203.0.113.7"]).may_answer(host)


@pytest.mark.parametrize(
    ("port", "asked"),
    [
        (1, False),
        (53, False),
        (442, False),
        (443, True),
        (444, False),
        (1_023, False),
        (1_024, True),
    ],
)
def test_ports_of_services_are_not_asked(port: int, asked: bool) -> None:
    assert at_home().may_ask("8.8.8.8", port) is asked
    assert at_home("deny").may_ask("8.8.8.8", port) is asked
    assert at_home("allow").may_ask("8.8.8.8", port)


@given(st.text(max_size=40), st.integers(0, 70_000))
def test_any_text_is_judged(host: str, port: int) -> None:
    at_home().may_ask(host, port)
    at_home("deny").may_answer(host)


# On real sockets


def connection_of(side: Side) -> GuardedConnection:
    [transport] = inside._ice_transports(side.peer._connection)
    connection = transport._connection
    assert isinstance(connection, GuardedConnection)
    return connection


def heard_nothing(ear: socket.socket) -> bool:
    try:
        ear.recv(2_000)
    except BlockingIOError:
        return True
    return False


async def asked_at_loopback(options: RtcOptions, *, trickled: bool) -> bool:
    """Whether somebody on loopback is asked whom a client has named."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind(("127.0.0.1", 0))
    ear.setblocking(False)
    line = f"candidate:9 1 udp 2130706431 127.0.0.1 {ear.getsockname()[1]} typ host"
    caller, answerer = make_side("client", LOOPBACK), make_side("server", options)
    try:
        caller.peer.expect_audio()
        offer = await caller.peer.offer()
        own = [each for each in offer.split("\r\n") if each.startswith("a=candidate:")]
        for each in own:
            offer = offer.replace(each, "a=ice-options:trickle" if trickled else f"a={line}")
        await answerer.peer.answer(offer)
        if trickled:
            answerer.peer.add_candidate({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0})
        await asyncio.sleep(0.4)
        return not heard_nothing(ear)
    finally:
        ear.close()
        await caller.close()
        await answerer.close()


@pytest.mark.parametrize("trickled", [False, True])
async def test_a_client_has_us_knock_on_loopback_only_where_we_are_there_for_clients(
    trickled: bool,
) -> None:
    here = ("127.0.0.1",)
    assert await asked_at_loopback(RtcOptions(addresses=here), trickled=trickled)
    for options in (
        RtcOptions(addresses=here, private_peers="deny"),
        RtcOptions(addresses=here, external_address="203.0.113.7"),
    ):
        assert not await asked_at_loopback(options, trickled=trickled)


async def test_a_client_that_calls_from_a_private_address_it_never_named_is_connected() -> None:
    public = RtcOptions(addresses=("127.0.0.1",), external_address="203.0.113.7")
    caller, answerer = make_side("client", LOOPBACK), make_side("server", public)
    try:
        caller.peer.expect_audio()
        caller.peer.speak()
        answer = await answerer.peer.answer(await caller.peer.offer())
        assert not connection_of(answerer)._remote_candidates
        await caller.peer.accept(answer.sdp)
        await until(lambda: caller.connected.is_set() and answerer.connected.is_set())
        assert [each.type for each in connection_of(answerer)._remote_candidates] == ["prflx"]
    finally:
        await caller.close()
        await answerer.close()


async def test_where_private_peers_are_denied_one_that_calls_is_not_answered() -> None:
    denying = RtcOptions(addresses=("127.0.0.1",), private_peers="deny")
    caller, answerer = make_side("client", LOOPBACK), make_side("server", denying)
    try:
        caller.peer.expect_audio()
        answer = await answerer.peer.answer(await caller.peer.offer())
        await caller.peer.accept(answer.sdp)
        await until(lambda: connection_of(answerer).refused > 3)
        assert not caller.connected.is_set()
        assert not connection_of(answerer)._remote_candidates
    finally:
        await caller.close()
        await answerer.close()


async def test_the_default_connects_on_loopback_alone_and_in_a_private_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_guard, "get_host_addresses", lambda **_: [])
    async with sides(RtcOptions()) as (caller, answerer):
        await connect(caller, answerer)


async def test_a_candidate_that_is_added_late_is_judged_too() -> None:
    side = make_side("server")
    try:
        side.peer.expect_audio()
        await side.peer.offer()
        connection = connection_of(side)
        told: dict[str, Any] = {"foundation": "1", "component": 1, "transport": "udp"}
        for n, host in enumerate((*NOBODY[:8], "8.8.8.8")):
            await connection.add_remote_candidate(
                Candidate(**told, priority=1, host=host, port=PORT + n, type="host")
            )
        assert [each.host for each in connection._remote_candidates] == ["8.8.8.8"]
    finally:
        await side.close()
