"""A peer's sockets, where only those are listened to who have proved that they are the peer.

Sources: reliability 3.1, 4.10 (B1, B6), S17 and S18; reference webrtc 5 (ports and addresses). aioice passes every
datagram that is no STUN on, whoever sent it, and a forged DTLS message ends the handshake. Here only an address counts
that has sent a STUN request signed with our password, or answered one of ours; nobody else gets a word in, or out of
us. What waits to be read is bounded. What is lost on the way, of checks and of the handshake, is said again before
long; see `again`.

This module stands on aioice's private parts; see `inside`, which holds those of aiortc, and the list of both.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Iterable
from ipaddress import ip_address
from typing import Any, Final, TypeAlias, cast

from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import (
    CandidatePair,
    Connection,
    StunProtocol,
    get_host_addresses,
    relayed_candidate,
    server_reflexive_candidate,
)
from aioice.stun import Class, Message

from bridge.errors import BridgeError
from bridge.legs.webrtc.again import Again, Flights
from bridge.legs.webrtc.copies import Address, Copies
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.reach import Reach
from bridge.legs.webrtc.rtp import is_rtcp
from bridge.legs.webrtc.server_watch import watch

MAX_WAITING: Final = 256
"""Datagrams that may wait for the DTLS transport."""
MAX_VOUCHED: Final = 64
"""Addresses of one peer."""
MAX_SOURCES: Final = 64
"""Streams of one peer that are decrypted, in its life: to find the state of each takes longer the more there are."""
MAX_REMOTE: Final = 50
"""Addresses at which a peer says that it is: each of them is sent some packets, whoever is there."""
GATHER_S: Final = 2.0
"""How long a STUN or TURN server may take to say an address; the others go without it."""
LOOPBACK: Final = "127.0.0.1"
MAX_PORTS_TRIED: Final = 2_000

Asking: TypeAlias = asyncio.Task[tuple[Candidate, StunProtocol | None]]
"""An answer that a server may give: an address, and the socket if it is at the server."""


class GuardedConnection(Connection):
    """aioice's connection with a guard at its door. Made by `guard`, never by hand."""

    options: RtcOptions
    vouched: dict[Address, None]
    refused: int
    """Datagrams that were thrown away: from strangers, or more than can wait."""
    reporters: set[bytes]
    """The sources of SRTCP that came."""
    on_srtp: Callable[[bytes], None] | None
    """Takes the peer's SRTP (not SRTCP) at once, without the queue."""
    flights: Flights
    copies: Copies
    asking: set[Asking]
    """Questions to servers where we are."""
    reach: Reach

    def vouch(self, address: Address) -> None:
        """Take an address for the peer's."""
        if address not in self.vouched and len(self.vouched) < MAX_VOUCHED:
            self.vouched[address] = None

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        """Take an address that the peer has named; more than enough of them, in however many offers, are left out.

        So are those that it has no business to name.
        """
        if remote_candidate is None or (
            len(self._remote_candidates) < MAX_REMOTE
            and self.reach.may_ask(remote_candidate.host, remote_candidate.port)
        ):
            await super().add_remote_candidate(remote_candidate)

    def sift(self) -> None:
        """Forget what an offer has named before there was a guard."""
        named = self._remote_candidates
        self._remote_candidates = [
            each for each in named if self.reach.may_ask(each.host, each.port)
        ]

    def request_received(self, message: Message, addr: Address, protocol: StunProtocol) -> None:
        """A check of the peer's, or of somebody who would have us answer to where it is not."""
        if self.reach.may_answer(addr[0]):
            super().request_received(message, addr, protocol)
        else:
            self.refused += 1

    def check_incoming(self, message: Message, addr: Address, protocol: StunProtocol) -> None:
        """A signed check: what is there is asked too, unless it is one address too many that nobody has named."""
        known = self._remote_candidates
        is_known = any((each._network_host, each.port) == addr for each in known)  # noqa: SLF001 - as aioice looks
        if is_known or len(known) < MAX_REMOTE:
            super().check_incoming(message, addr, protocol)
        else:
            self.refused += 1

    async def query_consent(self) -> None:
        """Ask the peer now and then; a connection that was closed while it came about has nobody to ask.

        aioice begins to ask when its checks are through, whether it was closed meanwhile or not.
        """
        if not self._closing:
            await super().query_consent()

    async def sendto(self, data: bytes, component: int) -> None:
        """Send what the DTLS transport has to say, and again if it is of its handshake."""
        await super().sendto(data, component)
        self.flights.sent(data)

    def repeat(self, data: bytes) -> None:
        """Send something again, if there is still somebody to send it to."""
        pair = self._nominated.get(1)
        if pair is not None and not self._closing:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    async def close(self) -> None:
        """Give everything back, and ask no server any more."""
        self.flights.stop()
        for task in self.asking:
            task.cancel()
        await super().close()

    async def gather_candidates(self) -> None:
        """Open sockets as the options say."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        found = await self.get_component_candidates(1, self.own_addresses())
        self._local_candidates += found
        self._local_candidates_end = True

    def own_addresses(self) -> list[str]:
        """Where its sockets are, or will be."""
        options = self.options
        if options.addresses:
            return list(options.addresses)
        addresses = get_host_addresses(use_ipv4=self._use_ipv4, use_ipv6=self._use_ipv6)
        if options.loopback or not addresses:
            addresses.append(LOOPBACK)
        return addresses

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: float = GATHER_S,  # noqa: ASYNC109 - aioice's
    ) -> list[Candidate]:
        """Host candidates at these addresses, and what the servers say."""
        protocols = [await self._bind(component, address) for address in addresses]
        own = [protocol for protocol in protocols if protocol is not None]
        if self._closing:
            return []
        if not own:
            raise BridgeError(
                "no UDP port could be opened for a WebRTC connection; look at the port range and addresses of [webrtc]"
            )
        candidates = [protocol.local_candidate for protocol in own]
        return candidates + await self._from_servers(component, own, timeout)

    async def _bind(self, component: int, address: str) -> "StunProtocol | None":
        loop = asyncio.get_running_loop()
        for port in _ports(self.options.port_range):
            try:
                transport, protocol = await loop.create_datagram_endpoint(
                    lambda: GuardedProtocol(self), local_addr=(address, port)
                )
            except OSError:
                continue
            protocol.local_candidate = _host_candidate(
                component, transport.get_extra_info("sockname")
            )
            return protocol if await self._keep(protocol) else None
        return None

    async def _from_servers(
        self,
        component: int,
        own: list[StunProtocol],
        timeout: float,  # noqa: ASYNC109
    ) -> list[Candidate]:
        tasks = self._questions(component, own)
        if not tasks:
            return []
        self.asking |= tasks.keys()
        try:
            done, late = await asyncio.wait(tasks, timeout=timeout)
        except asyncio.CancelledError:
            _give_up(tasks)
            raise
        finally:
            self.asking -= tasks.keys()
        if self._closing:
            _give_up(tasks)
            return []
        of_room = self.options.room_servers
        for task in late:
            watch.asked(*tasks[task], TimeoutError(), of_room=of_room)
        _give_up(late)
        for task in done:
            watch.asked(*tasks[task], task.exception(), of_room=of_room)
        answers = [task.result() for task in done if task.exception() is None]
        self._protocols += [relay for _, relay in answers if relay is not None]
        return [candidate for candidate, _ in answers]

    def _questions(
        self, component: int, own: list[StunProtocol]
    ) -> dict[Asking, tuple[str, object]]:
        """What each server is asked, and the kind and the address of the server."""
        tasks: dict[Asking, tuple[str, object]] = {}
        for protocol in own:
            if self.stun_server and ip_address(protocol.local_candidate.host).version == 4:
                asking = server_reflexive_candidate(protocol, self.stun_server)
                tasks[_task(asking)] = ("STUN", self.stun_server)
        if self.turn_server:
            tasks[_task(self._relayed(component, self.turn_server))] = ("TURN", self.turn_server)
        return tasks

    async def _keep(self, protocol: StunProtocol) -> bool:
        """Whether this still has a connection to belong to: one that was closed meanwhile closes nothing more."""
        if self._closing:
            await protocol.close()
        else:
            self._protocols.append(protocol)
        return not self._closing

    async def _relayed(
        self, component: int, server: Address
    ) -> tuple[Candidate, StunProtocol | None]:
        return await relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: GuardedProtocol(self),
            turn_server=server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )

    def check_state(self, pair: CandidatePair, state: CandidatePair.State) -> None:
        """A check of ours went well: who answered it is the peer."""
        super().check_state(pair, state)
        if state == CandidatePair.State.SUCCEEDED:
            self.vouch(pair.remote_addr)
            self.copies.proven.add(pair.remote_addr)

    def data_received(self, data: bytes, component: int) -> None:
        """Queue what the DTLS transport shall read, within bounds; what is neither DTLS nor RTP is nothing."""
        wanted = data and data[0] >= 20 and not self._is_report_too_many(data)
        if wanted and self._queue.qsize() < MAX_WAITING:
            super().data_received(data, component)
        else:
            self.refused += 1

    def _is_report_too_many(self, data: bytes) -> bool:
        """Whether this is SRTCP of yet another source: a state is kept for each of them."""
        if not 128 <= data[0] < 192 or len(data) < 8 or not is_rtcp(data):
            return False
        if len(self.reporters) < MAX_SOURCES:
            self.reporters.add(data[4:8])
        return data[4:8] not in self.reporters

    def respond_error(
        self,
        request: Message,
        addr: Address,
        protocol: StunProtocol,
        error_code: tuple[int, str],
    ) -> None:
        """Say nothing to those who do not know the password."""
        if error_code[0] in (400, 401):
            self.refused += 1
        else:
            super().respond_error(request, addr, protocol, error_code)


class GuardedProtocol(StunProtocol):
    """One socket of a guarded connection."""

    receiver: GuardedConnection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Sort by the first octet (RFC 7983): STUN may come from anybody, the rest from the peer only."""
        assert isinstance(data, bytes)
        receiver = self.receiver
        first = data[0] if data else 255
        if first < 4:
            super().datagram_received(data, addr)
            return
        if (addr[0], addr[1]) not in receiver.vouched:
            receiver.refused += 1
            return
        receiver.flights.came(first)
        if (
            128 <= first < 192
            and receiver.on_srtp is not None
            and len(data) > 1
            and not is_rtcp(data)
        ):
            receiver.on_srtp(data)
        else:
            receiver.data_received(data, self.local_candidate.component)

    async def request(
        self,
        request: Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[Message, Address]:
        """Ask, and ask again sooner than aioice would."""
        receiver, time = self.receiver, 0

        def ask_again() -> None:
            nonlocal time
            time += 1
            if receiver.copies.may_say(addr, time, heard=addr in receiver.vouched):
                self.send_stun(request, addr)

        again = Again(ask_again)
        try:
            return await super().request(request, addr, integrity_key, retransmissions)
        finally:
            again.stop()

    def send_stun(self, message: Message, addr: Address) -> None:
        """A success response goes only to those whose request was signed with our password.

        A socket that is being closed says nothing any more.
        """
        if self.receiver._closing:  # noqa: SLF001 - see above
            return
        super().send_stun(message, addr)
        if message.message_class == Class.RESPONSE:
            self.receiver.vouch((addr[0], addr[1]))


def guard(connection: Connection, options: RtcOptions) -> None:
    """Put the guard at a connection's door, before its sockets are open."""
    if isinstance(connection, GuardedConnection):
        return
    connection.__class__ = GuardedConnection
    guarded = cast("GuardedConnection", connection)
    guarded.options = options
    guarded.vouched = {}
    guarded.refused = 0
    guarded.reporters = set()
    guarded.on_srtp = None
    guarded.flights = Flights(guarded.repeat)
    guarded.copies = Copies()
    guarded.asking = set()
    guarded.reach = Reach(
        options.private_peers,
        guarded.own_addresses(),
        external=options.external_address,
        servers=bool(options.ice_servers),
    )
    guarded.sift()


def hush_loggers() -> None:
    """Keep aiortc and aioice from writing addresses and passwords into a log, unless somebody has asked for it."""
    for name in ("aioice", "aiortc"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def _task(asking: Coroutine[Any, Any, tuple[Candidate, StunProtocol | None]]) -> Asking:
    return asyncio.create_task(asking, name="webrtc address from a server")


def _give_up(tasks: Iterable[Asking]) -> None:
    """Nobody wants the answers any more: a relay that is there, or comes all the same, is given back."""
    for task in tasks:
        task.cancel()
        task.add_done_callback(_give_back)


def _give_back(task: Asking) -> None:
    if not task.cancelled() and task.exception() is None:
        _, relay = task.result()
        if relay is not None:
            relay.transport.close()


def _host_candidate(component: int, address: tuple[Any, ...]) -> Candidate:
    return Candidate(
        foundation=candidate_foundation("host", "udp", address[0]),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=address[0],
        port=address[1],
        type="host",
    )


def _ports(between: tuple[int, int] | None) -> list[int]:
    """Ports to try, beginning anywhere; 0 is any."""
    if between is None:
        return [0]
    first, last = between
    n = last - first + 1
    start = secrets.randbelow(n)
    return [first + (start + i) % n for i in range(min(n, MAX_PORTS_TRIED))]
