"""The source guard: forged DTLS and junk from strangers change nothing (reliability S17, S18)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from aioice import stun
from aioice.ice import StunProtocol
from aiortc.rtcdtlstransport import RTCDtlsTransport

from bridge.legs.webrtc import inside
from bridge.legs.webrtc.again import N_SOON
from bridge.legs.webrtc.allowance import Allowance
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.source_guard import (
    MAX_REMOTE,
    MAX_SOURCES,
    MAX_VOUCHED,
    MAX_WAITING,
    GuardedConnection,
    GuardedProtocol,
)
from tests.fakes.free_ports import free_udp_ports
from tests.fakes.rtc_pair import LOOPBACK, Side, an_offer, connect, make_side, sides, until

ALERT: Final = bytes.fromhex("15fefd0000000000000000000202 28".replace(" ", ""))
"""A fatal alert in the clear: handshake failure."""
_HELLO_BODY: Final = b"\xfe\xfd" + bytes(32) + b"\x00\x00" + b"\x00\x02\x00\x01" + b"\x01\x00"
_HELLO: Final = (
    b"\x01" + len(_HELLO_BODY).to_bytes(3, "big") + bytes(5) + len(_HELLO_BODY).to_bytes(3, "big")
)
HELLO: Final = (
    b"\x16\xfe\xfd" + bytes(8) + (len(_HELLO) + len(_HELLO_BODY)).to_bytes(2, "big")
) + (_HELLO + _HELLO_BODY)
"""A ClientHello that has a null cipher alone."""
PER_S: Final = 500


@asynccontextmanager
async def attack(ports: range) -> AsyncIterator[socket.socket]:
    """Forged DTLS to all these ports, 500 a second to each of them, from a socket that nobody knows."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.setblocking(False)

    async def send() -> None:
        for n in range(1 << 30):
            for port in ports:
                for _ in range(PER_S // 100):
                    stranger.sendto(ALERT if n % 2 else HELLO, ("127.0.0.1", port))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(send())
    try:
        yield stranger
    finally:
        task.cancel()
        stranger.close()


async def connects_under_attack(seed: int) -> None:
    ports = free_udp_ports(4)
    options = RtcOptions(addresses=("127.0.0.1",), port_range=(ports[0], ports[-1]))
    async with attack(ports), sides(options) as (caller, answerer):
        await asyncio.sleep(0.001 * seed)
        await connect(caller, answerer)


@pytest.mark.parametrize("seed", range(10))
async def test_forged_dtls_from_before_the_offer_on_keeps_nobody_from_connecting(seed: int) -> None:
    await connects_under_attack(seed)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hundred_of_a_hundred_connect_under_attack() -> None:
    for seed in range(100):
        await connects_under_attack(seed)


async def test_the_attack_is_one_without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedProtocol, "datagram_received", StunProtocol.datagram_received)

    async def four() -> None:
        for seed in range(4):
            await connects_under_attack(seed)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(four(), 1.0)


def connection_of(side: Side) -> GuardedConnection:
    [transport] = inside._ice_transports(side.peer._connection)
    connection = transport._connection
    assert isinstance(connection, GuardedConnection)
    return connection


async def a_port(side: Side) -> int:
    side.peer.expect_audio()
    offer = await side.peer.offer()
    return int(offer.split("m=audio ")[1].split()[0])


async def test_junk_by_the_ten_thousand_is_thrown_away_at_the_door() -> None:
    side = make_side("flooded")
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        port = await a_port(side)
        connection = connection_of(side)
        for first in (0, 3, 20, 22, 63, 64, 128, 191, 200, 255):
            for n in range(1_000):
                stranger.sendto(bytes([first]) + b"junk" * 10, ("127.0.0.1", port))
                if n % 5 == 0:
                    for _ in range(6):
                        await asyncio.sleep(0)
        await until(lambda: connection.refused > 9_000)
        assert connection._queue.qsize() == 0
    finally:
        stranger.close()
        await side.close()


@pytest.mark.parametrize("length", [0, 1, 2, 12, 13, 20, 1_500])
@pytest.mark.parametrize("first", [0, 1, 20, 22, 128, 200])
async def test_a_datagram_of_any_kind_and_length_from_a_stranger_changes_nothing(
    first: int, length: int
) -> None:
    side = make_side("door")
    try:
        await a_port(side)
        connection = connection_of(side)
        data = bytes([first]) * length
        connection._protocols[0].datagram_received(data, ("127.0.0.1", 9))
        assert connection._queue.qsize() == 0
        assert not connection.vouched
    finally:
        await side.close()


async def test_what_the_peer_itself_sends_waits_within_bounds() -> None:
    side = make_side("slow")
    try:
        await a_port(side)
        connection = connection_of(side)
        connection.vouch(("127.0.0.1", 9))
        for _ in range(MAX_WAITING + 10):
            connection._protocols[0].datagram_received(b"\x16" * 30, ("127.0.0.1", 9))
        assert connection._queue.qsize() == MAX_WAITING
        assert connection.refused == 10
    finally:
        await side.close()


async def test_no_more_addresses_than_a_peer_can_have_are_vouched_for() -> None:
    side = make_side("popular")
    try:
        await a_port(side)
        connection = connection_of(side)
        for port in range(MAX_VOUCHED + 10):
            connection.vouch(("127.0.0.1", port))
        assert len(connection.vouched) == MAX_VOUCHED
    finally:
        await side.close()


async def test_who_does_not_know_the_password_gets_no_answer_at_all() -> None:
    side = make_side("silent")
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.setblocking(False)
    try:
        port = await a_port(side)
        asked = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        asked.attributes["USERNAME"] = "some:body"
        bare = bytes(asked)
        asked.add_message_integrity(b"wrong password")
        for data in (bare, bytes(asked), b"\x16\xfe\xfd" + bytes(20), b"\x80" * 40):
            stranger.sendto(data, ("127.0.0.1", port))
        await until(lambda: connection_of(side).refused == 4)
        with pytest.raises(BlockingIOError):
            stranger.recv(2_000)
    finally:
        stranger.close()
        await side.close()


class Bystander(asyncio.DatagramProtocol):
    """Whose address somebody writes onto checks."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.append(data)


def signed_check(connection: GuardedConnection) -> bytes:
    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    check.attributes["USERNAME"] = f"{connection.local_username}:{connection.remote_username}"
    check.attributes["PRIORITY"] = 1
    check.attributes["ICE-CONTROLLING"] = 1
    check.add_message_integrity(connection.local_password.encode())
    return bytes(check)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Side, GuardedConnection]]:
    """A side that looks for its peer, which is nowhere."""
    side = make_side("deceived")
    try:
        offer = "".join(
            f"{line}\r\n"
            for line in (await an_offer()).splitlines()
            if not line.startswith("a=candidate:")
        )
        await side.peer.answer(offer)
        connection = connection_of(side)
        await until(lambda: connection._early_checks_done)
        yield side, connection
    finally:
        await side.close()


async def test_a_signed_check_with_a_forged_address_brings_few_packets_there() -> None:
    loop = asyncio.get_running_loop()
    transport, bystander = await loop.create_datagram_endpoint(
        Bystander, local_addr=("127.0.0.1", 0)
    )
    try:
        async with listening() as (_, connection):
            address = transport.get_extra_info("sockname")
            connection._protocols[0].datagram_received(signed_check(connection), address)
            await until(lambda: len(bystander.got) > N_SOON)
            await asyncio.sleep(
                1.7
            )  # it would have been said six times more, if it were the peer's
            kinds = [stun.parse_message(data).message_class for data in bystander.got]
            by_aioice, late = 3, 2  # by 3.5 s
            assert kinds.count(stun.Class.RESPONSE) == 1
            assert kinds.count(stun.Class.REQUEST) <= by_aioice + N_SOON + late
            assert address in connection.vouched
            assert not connection.copies.proven
    finally:
        transport.close()


async def test_forged_addresses_by_the_thousand_leave_no_more_than_a_peer_may_have() -> None:
    async with listening() as (_, connection):
        check, refused = signed_check(connection), connection.refused
        for port in range(20_000, 20_000 + 1_000):
            connection._protocols[0].datagram_received(check, ("127.0.0.1", port))
        assert len(connection._remote_candidates) == MAX_REMOTE
        assert len(connection._check_list) == MAX_REMOTE
        assert connection.refused - refused == 1_000 - MAX_REMOTE
        connection._protocols[0].datagram_received(check, ("127.0.0.1", 20_000))
        assert connection.refused - refused == 1_000 - MAX_REMOTE


async def test_a_connection_that_is_closing_asks_and_answers_nobody() -> None:
    said: list[bytes] = []
    deaf = cast("Any", SimpleNamespace(sendto=lambda data, _: said.append(data)))
    async with listening() as (_, connection):
        protocol = connection._protocols[0]
        check = stun.parse_message(signed_check(connection))
        protocol.transport, own = deaf, protocol.transport
        protocol.send_stun(check, ("127.0.0.1", 9))
        connection._closing = True
        protocol.send_stun(check, ("127.0.0.1", 9))
        protocol.transport = own
    assert said == [bytes(check)]


async def test_who_has_answered_a_check_is_proven() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        connection = connection_of(answerer)
        assert connection._nominated[1].remote_addr in connection.copies.proven


async def test_forged_rtp_is_not_heard() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        ear = answerer.peer.ear
        assert ear is not None
        connection = connection_of(answerer)
        address: Any = connection._nominated[1].remote_addr
        received = ear.figures.received
        for n in range(50):
            forged = bytes([0x80, 96]) + n.to_bytes(2, "big") + bytes(8) + b"\x48" * 40
            connection._protocols[0].datagram_received(forged, ("127.0.0.1", 9))
            connection._protocols[0].datagram_received(forged, address)
        assert ear.figures.received == received
        assert LOOPBACK.ear_hz == ear.rate_hz


async def test_a_packet_played_again_or_cut_off_is_not_heard_twice() -> None:
    async with sides() as (caller, answerer):
        taken: list[bytes] = []
        await connect(caller, answerer)
        connection = connection_of(answerer)
        await until(lambda: connection.on_srtp is not None)
        take = connection.on_srtp
        assert take is not None
        connection.on_srtp = taken.append
        await until(lambda: len(taken) > 2)
        ear = answerer.peer.ear
        assert ear is not None
        before = ear.figures.received
        for cut in range(len(taken[0])):
            take(taken[0][:cut])
        assert ear.figures.received == before
        for _ in range(5):
            take(taken[0])
        assert ear.figures.received == before + 1


async def test_sources_by_the_thousand_are_not_decrypted_and_the_first_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        ear, out = answerer.peer.ear, caller.peer._section._out
        assert ear is not None
        assert out is not None
        await until(lambda: ear.figures.received > 3)
        heard: set[int] = set()
        put = ear.put

        def noted(sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
            heard.add(ssrc)
            put(sequence, timestamp, payload, ssrc)

        monkeypatch.setattr(ear, "put", noted)
        own_ssrc = out._writer._ssrc
        for n in range(300):
            out._writer._ssrc = 1_000_000 + n
            out.send(b"\x48" * 40, 0)
            if n % 20 == 0:
                await asyncio.sleep(0.01)
        out._writer._ssrc = own_ssrc
        received = ear.figures.received
        await until(lambda: ear.figures.received > received + 5)
        assert heard == {own_ssrc, *range(1_000_000, 1_000_000 + MAX_SOURCES - 1)}


async def test_sources_of_which_no_packet_is_taken_any_more_are_not_decrypted_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Allowance, "takes", lambda _: False)
    decrypted: list[bytes] = []

    def unprotect(data: bytes) -> bytes:
        decrypted.append(data)
        return data

    srtp = SimpleNamespace(unprotect=unprotect)
    receiver = object.__new__(inside.EarReceiver)
    take = receiver._srtp(cast("RTCDtlsTransport", SimpleNamespace(_rx_srtp=srtp)))
    for n in range(300):
        take(b"\x80\x60" + bytes(6) + n.to_bytes(4, "big") + b"\x48" * 40)
    assert len(decrypted) == MAX_SOURCES


async def test_reports_of_sources_by_the_thousand_do_not_wait_to_be_decrypted() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        connection = connection_of(answerer)
        refused, known = connection.refused, len(connection.reporters)
        for n in range(300):
            connection.data_received(b"\x80\xc8\x00\x06" + n.to_bytes(4, "big") + bytes(20), 1)
            await asyncio.sleep(0)
        assert len(connection.reporters) == MAX_SOURCES
        assert connection.refused - refused >= 300 - (MAX_SOURCES - known)


async def test_a_payload_type_that_was_not_agreed_on_is_not_heard() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        ear, out = answerer.peer.ear, caller.peer._section._out
        assert ear is not None
        assert out is not None
        await until(lambda: ear.figures.received > 0)
        agreed = out._writer._kind
        out._writer._kind = agreed + 1
        await asyncio.sleep(0.05)
        received = ear.figures.received
        await asyncio.sleep(0.2)
        assert ear.figures.received == received
        out._writer._kind = agreed
        await until(lambda: ear.figures.received > received)


@pytest.mark.parametrize("head", [b"\x00\x01", b"\x01\x01", b"\x16\xfe", b"\x80\x60", b"\x80\xc8"])
async def test_nonsense_of_any_length_from_the_peer_itself_ends_nothing(head: bytes) -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        connection = connection_of(answerer)
        pair = connection._nominated[1]
        for length in range(0, 1_500, 11):
            data = (head + b"\xa5" * length)[:length]
            pair.protocol.datagram_received(data, pair.remote_addr)
            if length % 110 == 0:
                await asyncio.sleep(0)
        n = len(answerer.heard)
        await until(lambda: len(answerer.heard) > n + 3)
        assert answerer.peer.state == "connected"
